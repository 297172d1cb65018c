/* keras_calls.c -- the graph of a model as Keras writes one: the calls of its layers; see
 * keras_parts.h.
 *
 *     Keras 2    [["a", 0, 0, {}], ["b", 0, 0, {}]]
 *     Keras 3    {"args": [[tensor, tensor]], "kwargs": {}}, a single tensor without the inner list
 *
 * Keras 3 reads the first form in HDF5 files, too.
 */
#include <string.h>

#include "keras_order.h"
#include "keras_parts.h"
#include "mem.h"

/* Where a result is found: by the layer's name, its only call, its only tensor. */
static json_t *history(const char *name)
{
    return json_pack("[s, i, i]", name, 0, 0);
}

static json_t *shape_of(const tr_model *model, int layer)
{
    if (layer < 0)
        return tr_keras_input_shape(tr_model_config(model));
    const tr_layer_info info = tr_model_layer(model, layer);
    if (info.flat)
        return json_pack("[n, I]", (json_int_t)info.dst[2]);
    return json_pack("[n, I, I, I]", (json_int_t)info.dst[0], (json_int_t)info.dst[1],
                     (json_int_t)info.dst[2]);
}

/* names[-1]: the input's. */
static json_t *call_of_keras_2(const tr_layer_info *layer, const char *const *names)
{
    json_t *call = json_array();
    for (int k = 0; k < layer->n_sources; k++)
        json_array_append_new(call, json_pack("[s, i, i, {}]", names[layer->sources[k]], 0, 0));
    return call;
}

static json_t *call_of_keras_3(const tr_model *model, const tr_layer_info *layer,
                               const char *const *names)
{
    json_t *tensors = json_array();
    for (int k = 0; k < layer->n_sources; k++) {
        const int source = layer->sources[k];
        json_array_append_new(tensors, json_pack("{s:s, s:{s:o, s:s, s:o}}", "class_name",
                                                 "__keras_tensor__", "config", "shape",
                                                 shape_of(model, source), "dtype", "float32",
                                                 "keras_history", history(names[source])));
    }
    return json_pack("{s:o, s:{}}", "args",
                     layer->n_sources > 1 ? json_pack("[o]", tensors) : tensors, "kwargs");
}

/* The input has the name of no layer. */
static void name_input(json_t *input, json_t *layers)
{
    json_t *config = json_object_get(input, "config"), *layer;
    char *name = tr_strdup(json_string_value(json_object_get(config, "name")));
    size_t i;
    json_array_foreach(layers, i, layer)
    {
        const json_t *taken = json_object_get(json_object_get(layer, "config"), "name");
        if (layer == input || name == NULL || strcmp(json_string_value(taken), name) != 0)
            continue;
        char *longer = tr_format("%s_", name);
        tr_free(name);
        name = longer;
        i = (size_t)-1; /* look again from the first */
    }
    json_object_set_new(config, "name", name == NULL ? NULL : json_string(name));
    tr_free(name);
}

/* The names of input and layers, borrowed; the input's is before those that the model numbers. */
static const char **collect_names(json_t *layers, const int *order, int n)
{
    const char **names = tr_alloc((size_t)n + 1, sizeof *names);
    for (int i = 0; names != NULL && i <= n; i++)
        names[i == 0 ? 0 : order[i - 1] + 1] = json_string_value(
            json_object_get(json_object_get(json_array_get(layers, (size_t)i), "config"), "name"));
    return names;
}

/* What a functional model has beside the configuration of a layer. */
static void add_calls(json_t *entry, const char *name, json_t *call)
{
    json_t *calls = json_array();
    if (call != NULL)
        json_array_append_new(calls, call);
    json_object_set_new(entry, "name", json_string(name));
    json_object_set_new(entry, "inbound_nodes", calls);
}

bool tr_keras_connect(json_t *config, const tr_model *model, tr_keras_calls form)
{
    json_t *layers = json_object_get(config, "layers");
    const int n = tr_model_n_layers(model);
    name_input(json_array_get(layers, 0), layers);
    int *order = tr_keras_order(model);
    const char **all = order == NULL ? NULL : collect_names(layers, order, n);
    if (all == NULL) {
        tr_free(order);
        return false;
    }
    const char *const *names = all + 1;
    add_calls(json_array_get(layers, 0), names[-1], NULL);
    for (int i = 0; i < n; i++) {
        const tr_layer_info layer = tr_model_layer(model, order[i]);
        add_calls(json_array_get(layers, (size_t)i + 1), names[order[i]],
                  form == TR_CALLS_KERAS2 ? call_of_keras_2(&layer, names)
                                          : call_of_keras_3(model, &layer, names));
    }
    json_object_set_new(config, "input_layers", json_pack("[o]", history(names[-1])));
    json_object_set_new(config, "output_layers", json_pack("[o]", history(names[n - 1])));
    tr_free(order);
    tr_free(all);
    return true;
}
