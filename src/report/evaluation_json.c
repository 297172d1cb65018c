/* evaluation_json.c -- an evaluation as one JSON object; see evaluation_files.h.
 *
 * A line for each key of the object, so that a person finds the way in a file with a matrix of a
 * thousand classes.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "class_shares.h"
#include "evaluation_files.h"
#include "utf8.h"

/* jansson's setters take ownership of the value and fail where it is NULL: `bad` collects what they
 * say, so that one look finds every lack of memory. */

/* A path may be anything, JSON is UTF-8. */
static json_t *text(const char *any)
{
    char clean[4096];
    tr_utf8_clean(clean, sizeof clean, any);
    return json_string(clean);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *or_nothing(json_t *value, int bad)
{
    if (bad == 0)
        return value;
    json_decref(value);
    return NULL;
}

static int set_name(json_t *object, const char *key, const tr_model *model, int64_t class)
{
    const char *name = tr_model_class_name(model, class);
    return name == NULL ? 0 : json_object_set_new(object, key, json_string(name));
}

/* ---- the parts ---- */

static json_t *metric(const tr_metric_info *info, double value, int64_t n)
{
    json_t *object = json_object();
    int bad = json_object_set_new(object, "value", number(value));
    if (info->counts) {
        double interval[2];
        tr_wilson_interval(value, n, interval);
        bad |= json_object_set_new(object, "standard_error", number(tr_standard_error(value, n)));
        bad |= json_object_set_new(object, "wilson_95",
                                   json_pack("[o, o]", number(interval[0]), number(interval[1])));
    }
    return or_nothing(object, bad);
}

static json_t *metrics(const tr_model *model, const tr_metrics *measured)
{
    json_t *object = json_object();
    int bad = 0;
    for (int i = 0; i < tr_model_n_metrics(model); i++) {
        const tr_metric_info info = tr_model_metric(model, i);
        bad |=
            json_object_set_new(object, info.name, metric(&info, measured->values[i], measured->n));
    }
    return or_nothing(object, bad);
}

static int set_shares(json_t *object, const tr_class_shares *shares)
{
    int bad = json_object_set_new(object, "precision", number(shares->precision));
    bad |= json_object_set_new(object, "recall", number(shares->recall));
    return bad | json_object_set_new(object, "f1", number(shares->f1));
}

static json_t *classes(const tr_model *model, const tr_evaluation *evaluation, const char *what)
{
    json_t *list = json_array();
    int bad = 0;
    for (int64_t i = 0; i < tr_class_shares_n(evaluation); i++) {
        const tr_class_shares shares = tr_class_shares_of(evaluation, i);
        json_t *object = json_object();
        bad |= json_object_set_new(object, what, json_integer(i));
        bad |= set_name(object, "name", model, i);
        bad |= set_shares(object, &shares);
        bad |= json_object_set_new(object, "support", json_integer(shares.there));
        bad |= json_object_set_new(object, "predicted", json_integer(shares.said));
        bad |= json_array_append_new(list, object);
    }
    return or_nothing(list, bad);
}

static json_t *averages(const tr_evaluation *evaluation)
{
    static const char *const names[] = {"macro", "weighted"};
    json_t *both = json_object();
    int bad = 0;
    for (int weighted = 0; weighted < 2; weighted++) {
        const tr_class_shares shares = tr_class_shares_average(evaluation, weighted == 1);
        json_t *object = json_object();
        bad |= set_shares(object, &shares);
        bad |= json_object_set_new(both, names[weighted], object);
    }
    return or_nothing(both, bad);
}

static json_t *confusion(const tr_confusion *counted)
{
    json_t *rows = json_array();
    int bad = 0;
    for (int64_t i = 0; i < counted->n_classes; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < counted->n_classes; j++)
            bad |= json_array_append_new(row,
                                         json_integer(counted->counts[i * counted->n_classes + j]));
        bad |= json_array_append_new(rows, row);
    }
    return or_nothing(rows, bad);
}

static json_t *mistakes(const tr_model *model, const tr_evaluation *evaluation)
{
    json_t *list = json_array();
    int bad = 0;
    for (int i = 0; i < TR_MISTAKES && i < evaluation->n_wrong; i++) {
        const tr_mistake *mistake = &evaluation->mistakes[i];
        json_t *object = json_object();
        bad |= json_object_set_new(object, "sample", json_integer(mistake->sample));
        bad |= json_object_set_new(object, "class", json_integer(mistake->is));
        bad |= set_name(object, "class_name", model, mistake->is);
        bad |= json_object_set_new(object, "predicted", json_integer(mistake->said));
        bad |= set_name(object, "predicted_name", model, mistake->said);
        bad |= json_object_set_new(object, "confidence", number(mistake->confidence));
        bad |= json_array_append_new(list, object);
    }
    return or_nothing(list, bad);
}

/* ---- the whole ---- */

static int set_found(json_t *object, const tr_model *model, const tr_evaluation *evaluation)
{
    int bad = 0;
    const char *what = evaluation->confusion.n_classes > 0 ? "class" : "answer";
    if (tr_class_shares_n(evaluation) > 0) {
        bad |=
            json_object_set_new(object, evaluation->confusion.n_classes > 0 ? "classes" : "answers",
                                classes(model, evaluation, what));
        bad |= json_object_set_new(object, "averages", averages(evaluation));
    }
    if (evaluation->confusion.n_classes > 0)
        bad |= json_object_set_new(object, "confusion", confusion(&evaluation->confusion));
    if (tr_model_predicts_classes(model)) {
        bad |= json_object_set_new(object, "wrong", json_integer(evaluation->n_wrong));
        bad |= json_object_set_new(object, "mistakes", mistakes(model, evaluation));
    }
    return bad;
}

static json_t *whole(const tr_model *model, const tr_evaluation *evaluation, const char *digest)
{
    const tr_config *config = tr_model_config(model);
    const tr_data_config *data = &config->data;
    const char *file =
        data->test_file == NULL || data->test_file[0] == '\0' ? data->file : data->test_file;
    json_t *object = json_object();
    int bad = json_object_set_new(object, "trainer", json_string(TR_VERSION));
    bad |= json_object_set_new(object, "parameters", json_string(digest));
    bad |= json_object_set_new(object, "data",
                               json_pack("{s:o, s:o, s:o}", "file", text(file), "x",
                                         text(data->x_test), "y", text(data->y_test)));
    bad |= json_object_set_new(object, "samples", json_integer(evaluation->metrics.n));
    bad |= json_object_set_new(object, "loss",
                               json_pack("{s:s, s:o}", "name", config->compile.loss, "value",
                                         number(evaluation->metrics.loss)));
    bad |= json_object_set_new(object, "metrics", metrics(model, &evaluation->metrics));
    bad |= set_found(object, model, evaluation);
    return or_nothing(object, bad);
}

/* False: out of memory. */
static bool print_key(FILE *out, const char *key, const json_t *value, bool first)
{
    enum { DIGITS = 15 }; /* 0.9903 and not 0.99029999999999996 */
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    if (dumped == NULL)
        return false;
    fprintf(out, "%s\n\"%s\": %s", first ? "{" : ",", key, dumped);
    free(dumped); /* jansson's own */
    return true;
}

tr_status tr_evaluation_print_json(FILE *out, const tr_model *model,
                                   const tr_evaluation *evaluation, tr_error *err)
{
    char digest[33];
    TR_TRY(tr_model_digest(model, digest, err));
    json_t *object = whole(model, evaluation, digest);
    if (object == NULL)
        return tr_out_of_memory(err, NULL);
    const char *key;
    json_t *value;
    bool complete = true, first = true;
    json_object_foreach(object, key, value)
    {
        complete = complete && print_key(out, key, value, first);
        first = false;
    }
    fputs("\n}\n", out);
    json_decref(object);
    return complete ? TR_OK : tr_out_of_memory(err, NULL);
}
