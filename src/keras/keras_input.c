/* keras_input.c -- [model] from what Keras's JSON says of the model's input; see keras_config.h. */
#include <inttypes.h>
#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"

tr_status tr_keras_check_dtype(const tr_keras_file *file, const char *whose, const json_t *dtype,
                               tr_error *err)
{
    char shown[TR_KERAS_TEXT];
    const json_t *name =
        json_is_object(dtype) ? json_object_get(json_object_get(dtype, "config"), "name") : dtype;
    if (dtype == NULL || json_is_null(dtype) ||
        (json_is_string(name) && strcmp(json_string_value(name), "float32") == 0))
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA, "%s: %s: dtype = %s; only float32 is supported", file->path,
                   whose, tr_keras_shown(name == NULL ? dtype : name, shown));
}

/* The shape that an InputLayer, the first layer of old files, or the model says. */
static const json_t *find_shape(const tr_keras_reading *reading, const json_t *first)
{
    static const char *const keys[] = {"batch_shape", "batch_input_shape"};
    const json_t *config = json_object_get(first, "config");
    for (size_t i = 0; i < 2; i++)
        if (json_is_array(json_object_get(config, keys[i])))
            return json_object_get(config, keys[i]);
    const json_t *model = reading->file->model;
    const json_t *built = json_object_get(json_object_get(model, "config"), "build_input_shape");
    return built != NULL ? built
                         : json_object_get(json_object_get(model, "build_config"), "input_shape");
}

static void carry_input_name(const tr_keras_reading *reading, const json_t *first)
{
    const json_t *name = json_object_get(json_object_get(first, "config"), "name");
    const char *class_name = json_string_value(json_object_get(first, "class_name"));
    if (class_name != NULL && strcmp(class_name, "InputLayer") == 0 && json_is_string(name) &&
        strchr(json_string_value(name), '/') == NULL)
        tr_keras_carry(reading->carried, "input", NULL, "name", name);
}

/* Images without channels have one, where it makes no difference: all who take them flatten them,
 * or give them another shape. */
static bool only_flattened(const tr_keras_graph *graph)
{
    const bool input = strcmp(tr_keras_class_name(graph->nodes[0].layer), "InputLayer") == 0;
    size_t n = 0;
    for (size_t i = input; i < graph->n; i++) {
        const tr_keras_node *node = &graph->nodes[i];
        bool takes = node->n_sources == 0;
        for (size_t k = 0; k < node->n_sources; k++)
            takes = takes || (input && graph->sources[node->first + k] == 0);
        const char *class_name = tr_keras_class_name(node->layer);
        if (takes && strcmp(class_name, "Flatten") != 0 && strcmp(class_name, "Reshape") != 0)
            return false;
        n += takes;
    }
    return n > 0;
}

tr_status tr_keras_read_input(tr_keras_reading *reading, const tr_keras_graph *graph, tr_error *err)
{
    const json_t *first = graph->nodes[0].layer, *shape = find_shape(reading, first);
    const json_t *config = json_object_get(reading->file->model, "config");
    const char *name = json_string_value(json_object_get(config, "name"));
    char shown[TR_KERAS_TEXT], clean[TR_KERAS_TEXT];
    int64_t hwc[3] = {0, 0, 1};
    const size_t n = json_array_size(shape);
    bool ok = n == 2 || n == 4 || (n == 3 && only_flattened(graph));
    for (size_t i = 1; ok && i < n; i++) {
        const json_t *size = json_array_get(shape, i);
        ok = json_is_integer(size) && json_integer_value(size) > 0;
        hwc[i - 1] = (int64_t)json_integer_value(size);
    }
    if (!ok)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: the model's input shape is %s; supported: images of a known size, [null, "
            "height, width, channels], and vectors, [null, length]",
            reading->file->path, shape == NULL ? "not told" : tr_keras_shown(shape, shown));
    TR_TRY(tr_keras_check_dtype(reading->file, "the model", json_object_get(config, "dtype"), err));
    TR_TRY(tr_keras_check_dtype(reading->file, "its input",
                                json_object_get(json_object_get(first, "config"), "dtype"), err));
    if (name != NULL && name[0] != '\0')
        tr_keras_carry(reading->carried, "model", NULL, "name", json_object_get(config, "name"));
    reading->frozen = json_is_false(json_object_get(config, "trainable"));
    if (reading->frozen)
        tr_keras_carry(reading->carried, "model", NULL, "trainable", json_false());
    carry_input_name(reading, first);
    tr_keras_clean_name(name == NULL || name[0] == '\0' ? "sequential" : name, 64, clean);
    reading->flat_input = n == 2;
    fprintf(reading->ini, "[model]\ninput_shape = %" PRId64, hwc[0]);
    if (!reading->flat_input)
        fprintf(reading->ini, ", %" PRId64 ", %" PRId64, hwc[1], hwc[2]);
    fprintf(reading->ini, "\nname = %s\n", clean);
    return TR_OK;
}
