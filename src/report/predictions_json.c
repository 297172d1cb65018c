/* predictions_json.c -- predictions as rows of a JSON array; see predictions.h. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "predictions.h"
#include "utf8.h"

/* jansson's setters take ownership of the value and fail where it is NULL: `bad` collects that. */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static int set_class(json_t *object, const char *key, const char *name_key, const tr_model *model,
                     int64_t class)
{
    const char *name = tr_model_class_name(model, class);
    int bad = json_object_set_new(object, key, json_integer(class));
    if (name != NULL)
        bad |= json_object_set_new(object, name_key, json_string(name));
    return bad;
}

static int set_prediction(json_t *object, const tr_model *model, const float *row, int64_t class)
{
    return json_object_set_new(object,
                               tr_model_gives_probabilities(model) ? "probability" : "output",
                               number(tr_prediction_of(model, row, class)));
}

static json_t *top_classes(const tr_predictions *predictions, const float *row)
{
    const tr_model *model = predictions->model;
    const int64_t width = tr_model_n_classes(model);
    json_t *list = json_array();
    int bad = 0;
    int64_t class = tr_model_class_of(model, row);
    for (int k = 0; k < predictions->top && class >= 0; k++) {
        json_t *object = json_object();
        bad |= set_class(object, "class", "name", model, class);
        bad |= set_prediction(object, model, row, class);
        bad |= json_array_append_new(list, object);
        class = width == 1 ? -1 : tr_next_likely(row, width, class);
    }
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *outputs(const tr_model *model, const float *row)
{
    json_t *list = json_array();
    int bad = 0;
    for (int64_t j = 0; j < tr_model_n_classes(model); j++)
        bad |= json_array_append_new(list, number((double)row[j]));
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *sample(const tr_predictions *predictions, int64_t i)
{
    const tr_model *model = predictions->model;
    const float *row = predictions->values + i * tr_model_n_classes(model);
    json_t *object = json_object();
    int bad = 0;
    if (predictions->files == NULL) {
        bad |= json_object_set_new(object, "sample", json_integer(predictions->first + i));
    } else {
        char file[4096];
        tr_utf8_clean(file, sizeof file, predictions->files[i]);
        bad |= json_object_set_new(object, "file", json_string(file));
    }
    if (tr_model_predicts_classes(model)) {
        const int64_t class = tr_model_class_of(model, row);
        bad |= set_class(object, "class", "name", model, class);
        bad |= set_prediction(object, model, row, class);
    }
    if (predictions->labels != NULL && predictions->labels[i] >= 0)
        bad |= set_class(object, "label", "label_name", model, predictions->labels[i]);
    if (predictions->top > 0)
        bad |= json_object_set_new(object, "top", top_classes(predictions, row));
    else
        bad |= json_object_set_new(
            object, tr_model_gives_probabilities(model) ? "probabilities" : "outputs",
            outputs(model, row));
    if (bad == 0)
        return object;
    json_decref(object);
    return NULL;
}

tr_status tr_predictions_print_json_rows(FILE *out, const tr_predictions *predictions,
                                         tr_error *err)
{
    enum { DIGITS = 9 }; /* read back to the same float */
    for (int64_t i = 0; i < predictions->n; i++) {
        json_t *object = sample(predictions, i);
        char *text =
            object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
        json_decref(object);
        if (text == NULL)
            return tr_out_of_memory(err, NULL);
        fprintf(out, "%s\n%s", predictions->first + i == 0 ? "[" : ",", text);
        free(text); /* jansson's own */
    }
    return TR_OK;
}
