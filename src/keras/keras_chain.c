/* keras_chain.c -- the layers of a model in the order of the data; see keras_config.h.
 *
 * A Sequential model lists them so. A functional one is a graph, written as the calls that made
 * each layer's input (inbound_nodes); it is accepted where that graph is a chain: one input, each
 * layer called once, on one tensor that nobody else takes, and the last one is the output.
 */
#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "mem.h"

enum { MAX_LAYERS = 4096 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* A functional model has it beside the configuration, too. */
static const char *name_of(const json_t *layer)
{
    const char *name = text_of(json_object_get(layer, "config"), "name");
    return name[0] != '\0' ? name : text_of(layer, "name");
}

/* ---- functional: one call ---- */

/* Settings of a call, such as training = True, that change what the layer does. */
static tr_status check_settings(const tr_keras_file *file, const json_t *layer,
                                const json_t *settings, tr_error *err)
{
    const char *key;
    json_t *value;
    char shown[TR_KERAS_TEXT];
    json_object_foreach((json_t *)settings, key, value)
    {
        if (!json_is_null(value) && !json_is_false(value))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: layer %s (%s) is called with %s = %s; only calls without settings "
                           "are supported",
                           file->path, name_of(layer), text_of(layer, "class_name"), key,
                           tr_keras_shown(value, shown));
    }
    return TR_OK;
}

static tr_status refuse_call(const tr_keras_file *file, const json_t *layer, const char *what,
                             tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: layer %s (%s) %s; of functional models only plain chains are supported, "
                   "each layer called once, on the result of the one before",
                   file->path, name_of(layer), text_of(layer, "class_name"), what);
}

/* The one tensor of Keras 2's [["name", 0, 0, {}]], or of Keras 3's {"args": [tensor], "kwargs"}.
 */
static tr_status read_call(const char **source, const tr_keras_file *file, const json_t *layer,
                           const json_t *call, tr_error *err)
{
    const json_t *at = NULL; /* ["name", node, tensor, ...] */
    if (json_is_object(call)) {
        const json_t *args = json_object_get(call, "args"), *tensor = json_array_get(args, 0);
        TR_TRY(check_settings(file, layer, json_object_get(call, "kwargs"), err));
        if (json_array_size(args) != 1 || !json_is_object(tensor))
            return refuse_call(file, layer, "takes not exactly one tensor", err);
        at = json_object_get(json_object_get(tensor, "config"), "keras_history");
    } else {
        /* A single tensor may stand without the list around it. */
        const bool bare = json_is_string(json_array_get(call, 0));
        if (!bare && json_array_size(call) != 1)
            return refuse_call(file, layer, "takes not exactly one tensor", err);
        at = bare ? call : json_array_get(call, 0);
        TR_TRY(check_settings(file, layer, json_array_get(at, 3), err));
    }
    *source = json_string_value(json_array_get(at, 0));
    if (*source == NULL || json_integer_value(json_array_get(at, 1)) != 0 ||
        json_integer_value(json_array_get(at, 2)) != 0)
        return refuse_call(file, layer, "takes a tensor that cannot be followed", err);
    return TR_OK;
}

/* NULL: an input. */
static tr_status read_source(const char **source, const tr_keras_file *file, const json_t *layer,
                             tr_error *err)
{
    const json_t *calls = json_object_get(layer, "inbound_nodes");
    *source = NULL;
    if (json_array_size(calls) == 0)
        return strcmp(text_of(layer, "class_name"), "InputLayer") == 0
                   ? TR_OK
                   : refuse_call(file, layer, "has no input", err);
    if (json_array_size(calls) > 1)
        return refuse_call(file, layer, "is called more than once", err);
    return read_call(source, file, layer, json_array_get(calls, 0), err);
}

/* ---- functional: the chain ---- */

/* The name in "input_layers" or "output_layers", which has one; Keras may leave out the outer list.
 */
static const char *single_end(const json_t *config, const char *key)
{
    const json_t *ends = json_object_get(config, key);
    if (json_is_string(json_array_get(ends, 0)))
        return json_string_value(json_array_get(ends, 0));
    return json_array_size(ends) != 1
               ? NULL
               : json_string_value(json_array_get(json_array_get(ends, 0), 0));
}

/* *next: the layer that takes the result of `name`, NULL where nobody does. */
static tr_status find_next(const json_t **next, const tr_keras_file *file, const json_t *listed,
                           const char **sources, const char *name, tr_error *err)
{
    *next = NULL;
    for (size_t i = 0; i < json_array_size(listed); i++) {
        const json_t *layer = json_array_get(listed, i);
        if (sources[i] == NULL || strcmp(sources[i], name) != 0)
            continue;
        if (*next != NULL)
            return refuse_call(file, layer, "takes a tensor that another layer takes, too", err);
        *next = layer;
    }
    return TR_OK;
}

/* Fills chain[0 .. n-1] with all n layers. */
static tr_status follow(const json_t **chain, size_t n, const tr_keras_file *file,
                        const json_t *config, const char **sources, tr_error *err)
{
    const json_t *listed = json_object_get(config, "layers");
    const char *first = single_end(config, "input_layers"),
               *last = single_end(config, "output_layers");
    for (size_t i = 0; i < n; i++)
        if (sources[i] == NULL && strcmp(name_of(json_array_get(listed, i)), first) == 0)
            chain[0] = json_array_get(listed, i);
    size_t done = chain[0] == NULL ? 0 : 1;
    while (done > 0 && done < n) {
        const json_t *next;
        TR_TRY(find_next(&next, file, listed, sources, name_of(chain[done - 1]), err));
        if (next == NULL)
            break;
        chain[done++] = next;
    }
    if (done < n || strcmp(name_of(chain[n - 1]), last) != 0)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: its %zu layers are not one chain from %.60s to %.60s: behind %s it ends "
            "after %zu; only plain chains are supported",
            file->path, n, first, last, done == 0 ? "none" : name_of(chain[done - 1]), done);
    return TR_OK;
}

static tr_status read_functional(const json_t **chain, size_t n, const tr_keras_file *file,
                                 const json_t *config, tr_error *err)
{
    const json_t *listed = json_object_get(config, "layers");
    if (single_end(config, "input_layers") == NULL || single_end(config, "output_layers") == NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the model has not exactly one input and one output; only plain chains "
                       "are supported",
                       file->path);
    const char **sources = tr_alloc(n, sizeof *sources);
    tr_status status = sources == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    for (size_t i = 0; i < n && status == TR_OK; i++)
        status = read_source(&sources[i], file, json_array_get(listed, i), err);
    if (status == TR_OK)
        status = follow(chain, n, file, config, sources, err);
    tr_free(sources);
    return status;
}

/* ---- both ---- */

tr_status tr_keras_read_chain(const tr_keras_file *file, const json_t ***layers, size_t *n,
                              tr_error *err)
{
    const char *class_name = tr_keras_class_name(file->model);
    const json_t *config = json_object_get(file->model, "config");
    const bool functional =
        strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0;
    if (!functional && strcmp(class_name, "Sequential") != 0)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: its model is a %.60s; supported: Sequential, and Functional where it is "
            "a plain chain",
            file->path, class_name[0] == '\0' ? "thing without a class" : class_name);
    /* Keras 2.2 and before: the configuration of a Sequential is the list itself. */
    const json_t *listed = json_is_array(config) ? config : json_object_get(config, "layers");
    *n = json_array_size(listed);
    if (*n == 0 || *n > MAX_LAYERS)
        return tr_fail(err, TR_ERR_DATA, "%s: its model has %zu layers; supported: 1 to %d",
                       file->path, *n, MAX_LAYERS);
    const json_t **chain = tr_alloc(*n, sizeof *chain);
    if (chain == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = TR_OK;
    for (size_t i = 0; !functional && i < *n; i++)
        chain[i] = json_array_get(listed, i);
    if (functional)
        status = read_functional(chain, *n, file, config, err);
    for (size_t i = 0; i < *n && status == TR_OK; i++)
        if (!json_is_object(json_object_get(chain[i], "config")) ||
            text_of(chain[i], "class_name")[0] == '\0')
            status = tr_fail(err, TR_ERR_DATA,
                             "%s: layer %zu of its model has no class_name or config: the file is "
                             "damaged",
                             file->path, i);
    if (status != TR_OK)
        tr_free(chain);
    else
        *layers = chain;
    return status;
}
