/* keras_inbound.c -- which results each layer of a functional model takes, as its inbound_nodes say
 * it; see keras_inbound.h.
 */
#include "keras_inbound.h"

#include <string.h>

#include "keras_value.h"
#include "mem.h"

/* ---- a layer of the file ---- */

const char *tr_keras_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

const char *tr_keras_name_of(const json_t *layer)
{
    const char *name = tr_keras_text_of(json_object_get(layer, "config"), "name");
    return name[0] != '\0' ? name : tr_keras_text_of(layer, "name");
}

bool tr_keras_is_input(const json_t *layer)
{
    return strcmp(tr_keras_text_of(layer, "class_name"), "InputLayer") == 0;
}

bool tr_keras_is_functional(const json_t *layer)
{
    const char *class_name = tr_keras_text_of(layer, "class_name");
    return strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0;
}

bool tr_keras_is_model(const json_t *layer)
{
    return tr_keras_is_functional(layer) ||
           strcmp(tr_keras_text_of(layer, "class_name"), "Sequential") == 0;
}

/* ---- its calls ---- */

tr_status tr_keras_refuse_layer(const tr_keras_list *list, const json_t *layer, const char *what,
                                tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: layer %s (%s) %s; functional models are supported whose layers are each "
                   "called once, on results of other layers",
                   list->reading->file->path, tr_keras_name_of(layer),
                   tr_keras_text_of(layer, "class_name"), what);
}

/* Layers that change images: training = True is the default of their calls in Keras 3, which says
 * otherwise itself when it predicts. */
static bool is_called_as_ever(const char *class_name, const char *key)
{
    return strcmp(key, "training") == 0 &&
           (strncmp(class_name, "Random", strlen("Random")) == 0 ||
            strcmp(class_name, "CenterCrop") == 0 || strcmp(class_name, "Resizing") == 0);
}

/* Settings of a call, such as training = True, that change what the layer does. Keras 3 calls every
 * Dropout with training = False, which says nothing. */
static tr_status check_settings(const tr_keras_list *list, const json_t *layer,
                                const json_t *settings, tr_error *err)
{
    const char *key, *class_name = tr_keras_text_of(layer, "class_name");
    json_t *value;
    char shown[TR_KERAS_TEXT];
    json_object_foreach((json_t *)settings, key, value)
    {
        if (!json_is_null(value) && !json_is_false(value) && !is_called_as_ever(class_name, key))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: layer %s (%s) is called with %s = %s; only calls without settings "
                           "are supported",
                           list->reading->file->path, tr_keras_name_of(layer), class_name, key,
                           tr_keras_shown(value, shown));
        if (json_is_false(value) && strcmp(key, "training") == 0 && list->reading->notes != NULL &&
            (tr_keras_is_model(layer) || strcmp(class_name, "BatchNormalization") == 0))
            fprintf(list->reading->notes,
                    "layer %s (%s) is called with training = false: no prediction depends on it, "
                    "but a training here measures each batch unless trainable = false\n",
                    tr_keras_name_of(layer), class_name);
    }
    return TR_OK;
}

/* `tensor` is ["name", node, tensor, ...]. */
static tr_status add_source(tr_keras_list *list, tr_keras_called *node, const json_t *tensor,
                            tr_error *err)
{
    const json_t *place = NULL;
    if (json_is_string(json_array_get(tensor, 0)))
        place = json_object_get(list->places, json_string_value(json_array_get(tensor, 0)));
    /* A model was called before, when it was made. */
    const bool first =
        json_integer_value(json_array_get(tensor, 1)) == 0 ||
        tr_keras_is_model(json_array_get(list->layers, (size_t)json_integer_value(place)));
    if (place == NULL || !first || json_integer_value(json_array_get(tensor, 2)) != 0)
        return tr_keras_refuse_layer(list, node->layer, "takes a tensor that cannot be followed",
                                     err);
    size_t *grown = tr_grown(list->sources, list->n_sources, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    list->sources = grown;
    grown[list->n_sources++] = (size_t)json_integer_value(place);
    node->n_sources++;
    return TR_OK;
}

/* Keras 2: [["name", 0, 0, {}], ...]; a single tensor may stand without the list around it. */
static tr_status read_call_2(tr_keras_list *list, tr_keras_called *node, const json_t *call,
                             tr_error *err)
{
    if (json_is_string(json_array_get(call, 0))) {
        TR_TRY(check_settings(list, node->layer, json_array_get(call, 3), err));
        return add_source(list, node, call, err);
    }
    for (size_t i = 0; i < json_array_size(call); i++) {
        const json_t *tensor = json_array_get(call, i);
        TR_TRY(check_settings(list, node->layer, json_array_get(tensor, 3), err));
        TR_TRY(add_source(list, node, tensor, err));
    }
    return TR_OK;
}

/* Keras 3: {"args": [tensor], "kwargs"}, and of several {"args": [[tensor, ...]]}, or
 * {"args": [tensor, tensor]} where it was the operation a + b. */
static tr_status read_call_3(tr_keras_list *list, tr_keras_called *node, const json_t *call,
                             tr_error *err)
{
    const json_t *args = json_object_get(call, "args");
    if (json_array_size(args) == 1 && json_is_array(json_array_get(args, 0)))
        args = json_array_get(args, 0);
    TR_TRY(check_settings(list, node->layer, json_object_get(call, "kwargs"), err));
    for (size_t i = 0; i < json_array_size(args); i++) {
        const json_t *config = json_object_get(json_array_get(args, i), "config");
        TR_TRY(add_source(list, node, json_object_get(config, "keras_history"), err));
    }
    return TR_OK;
}

static tr_status read_calls(tr_keras_list *list, tr_keras_called *node, tr_error *err)
{
    const json_t *calls = json_object_get(node->layer, "inbound_nodes");
    const json_t *call = json_array_get(calls, 0);
    node->first = list->n_sources;
    if (json_array_size(calls) > 1)
        return tr_keras_refuse_layer(list, node->layer, "is called more than once", err);
    TR_TRY(json_is_object(call) ? read_call_3(list, node, call, err)
                                : read_call_2(list, node, call, err));
    return node->n_sources == 0 && !tr_keras_is_input(node->layer)
               ? tr_keras_refuse_layer(list, node->layer, "has no input", err)
               : TR_OK;
}

tr_status tr_keras_list_read(tr_keras_list *list, tr_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const json_t *layer = json_array_get(list->layers, i);
        if (json_object_get(list->places, tr_keras_name_of(layer)) != NULL)
            return tr_keras_refuse_layer(list, layer, "has the name of another one", err);
        json_object_set_new(list->places, tr_keras_name_of(layer), json_integer((json_int_t)i));
        list->nodes[i].layer = layer;
    }
    for (size_t i = 0; i < list->n; i++)
        TR_TRY(read_calls(list, &list->nodes[i], err));
    return TR_OK;
}

void tr_keras_list_release(tr_keras_list *list)
{
    json_decref(list->places);
    tr_free(list->nodes);
    tr_free(list->sources);
    *list = (tr_keras_list){0};
}
