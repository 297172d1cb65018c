/* keras_graph.c -- the layers of a model and which results each takes; see keras_config.h.
 *
 * A Sequential model lists its layers in the order of the data. A functional one is a graph,
 * written as the calls that made each layer's input (inbound_nodes). Here every layer is called
 * once, one is the input, and one, the last, is the output. The list that Keras writes has sources
 * before their readers already; in one that has not, a layer is put off until its sources stand.
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

static bool is_input(const json_t *layer)
{
    return strcmp(text_of(layer, "class_name"), "InputLayer") == 0;
}

void tr_keras_graph_release(tr_keras_graph *graph)
{
    tr_free(graph->nodes);
    tr_free(graph->sources);
    *graph = (tr_keras_graph){0};
}

/* ---- functional: what each layer takes, by its place in the file's list ---- */

typedef struct layer_list {
    const tr_keras_reading *reading;
    const json_t *layers; /* of the file */
    size_t n;             /* of them */
    json_t *places;       /* {name: place in that list} */
    tr_keras_node *nodes; /* [n], likewise */
    size_t *sources;      /* of all of them, places */
    size_t n_sources;
} layer_list;

static tr_status refuse_layer(const layer_list *list, const json_t *layer, const char *what,
                              tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: layer %s (%s) %s; functional models are supported whose layers are each "
                   "called once, on results of other layers",
                   list->reading->file->path, name_of(layer), text_of(layer, "class_name"), what);
}

/* Settings of a call, such as training = True, that change what the layer does. Keras 3 calls every
 * Dropout with training = False, which says nothing. */
static tr_status check_settings(const layer_list *list, const json_t *layer, const json_t *settings,
                                tr_error *err)
{
    const char *key, *class_name = text_of(layer, "class_name");
    json_t *value;
    char shown[TR_KERAS_TEXT];
    json_object_foreach((json_t *)settings, key, value)
    {
        if (!json_is_null(value) && !json_is_false(value))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: layer %s (%s) is called with %s = %s; only calls without settings "
                           "are supported",
                           list->reading->file->path, name_of(layer), class_name, key,
                           tr_keras_shown(value, shown));
        if (json_is_false(value) && strcmp(key, "training") == 0 &&
            strcmp(class_name, "BatchNormalization") == 0)
            fprintf(list->reading->notes,
                    "layer %s (%s) is called with training = false: no prediction depends on it, "
                    "but a training here measures each batch unless trainable = false\n",
                    name_of(layer), class_name);
    }
    return TR_OK;
}

/* `tensor` is ["name", node, tensor, ...]. */
static tr_status add_source(layer_list *list, tr_keras_node *node, const json_t *tensor,
                            tr_error *err)
{
    const json_t *place = NULL;
    if (json_is_string(json_array_get(tensor, 0)))
        place = json_object_get(list->places, json_string_value(json_array_get(tensor, 0)));
    if (place == NULL || json_integer_value(json_array_get(tensor, 1)) != 0 ||
        json_integer_value(json_array_get(tensor, 2)) != 0)
        return refuse_layer(list, node->layer, "takes a tensor that cannot be followed", err);
    size_t *grown = tr_grown(list->sources, list->n_sources, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    list->sources = grown;
    grown[list->n_sources++] = (size_t)json_integer_value(place);
    node->n_sources++;
    return TR_OK;
}

/* Keras 2: [["name", 0, 0, {}], ...]; a single tensor may stand without the list around it. */
static tr_status read_call_2(layer_list *list, tr_keras_node *node, const json_t *call,
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
static tr_status read_call_3(layer_list *list, tr_keras_node *node, const json_t *call,
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

static tr_status read_calls(layer_list *list, tr_keras_node *node, tr_error *err)
{
    const json_t *calls = json_object_get(node->layer, "inbound_nodes");
    const json_t *call = json_array_get(calls, 0);
    node->first = list->n_sources;
    if (json_array_size(calls) > 1)
        return refuse_layer(list, node->layer, "is called more than once", err);
    TR_TRY(json_is_object(call) ? read_call_3(list, node, call, err)
                                : read_call_2(list, node, call, err));
    return node->n_sources == 0 && !is_input(node->layer)
               ? refuse_layer(list, node->layer, "has no input", err)
               : TR_OK;
}

static tr_status read_list(layer_list *list, tr_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const json_t *layer = json_array_get(list->layers, i);
        if (json_object_get(list->places, name_of(layer)) != NULL)
            return refuse_layer(list, layer, "has the name of another one", err);
        json_object_set_new(list->places, name_of(layer), json_integer((json_int_t)i));
        list->nodes[i].layer = layer;
    }
    for (size_t i = 0; i < list->n; i++)
        TR_TRY(read_calls(list, &list->nodes[i], err));
    return TR_OK;
}

/* ---- functional: in the order of the data ---- */

typedef struct ordering {
    const layer_list *list;
    enum { UNSEEN, WAITING, PLACED } * marks; /* [n] */
    size_t *numbers;                          /* [n] of a placed one: its place in the graph */
    bool *taken;                              /* [n] somebody takes its result */
    tr_keras_graph *graph;                    /* with room for all */
} ordering;

/* Puts the layer behind its sources. Recursion ends, at MAX_LAYERS at the latest. */
static tr_status place(ordering *order, size_t i, tr_error *err)
{
    const tr_keras_node *from = &order->list->nodes[i];
    tr_keras_graph *graph = order->graph;
    if (order->marks[i] == PLACED)
        return TR_OK;
    if (order->marks[i] == WAITING)
        return refuse_layer(order->list, from->layer, "waits for its own result", err);
    order->marks[i] = WAITING;
    for (size_t k = 0; k < from->n_sources; k++) {
        const size_t source = order->list->sources[from->first + k];
        TR_TRY(place(order, source, err));
        order->taken[source] = true;
        graph->sources[from->first + k] = order->numbers[source];
    }
    order->marks[i] = PLACED;
    order->numbers[i] = graph->n;
    graph->nodes[graph->n++] = *from;
    return TR_OK;
}

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

/* Every result but the output's is taken by somebody, and there is one input. */
static tr_status check_ends(const ordering *order, const char *input, const char *output,
                            tr_error *err)
{
    const layer_list *list = order->list;
    for (size_t i = 0; i < list->n; i++) {
        const json_t *layer = list->nodes[i].layer;
        if (is_input(layer) && strcmp(name_of(layer), input) != 0)
            return refuse_layer(list, layer, "is an input beside the model's", err);
        if (!is_input(layer) && strcmp(name_of(layer), input) == 0)
            return refuse_layer(list, layer, "is the model's input without being one", err);
        if (order->taken[i] == (strcmp(name_of(layer), output) == 0))
            return refuse_layer(list, layer,
                                order->taken[i] ? "is the model's output, but others take it, too"
                                                : "gives a result that nobody takes",
                                err);
    }
    return TR_OK;
}

static tr_status order_nodes(tr_keras_graph *graph, const layer_list *list, const char *input,
                             const char *output, tr_error *err)
{
    ordering order = {.list = list,
                      .marks = tr_alloc(list->n, sizeof *order.marks),
                      .numbers = tr_alloc(list->n, sizeof *order.numbers),
                      .taken = tr_alloc(list->n, sizeof *order.taken),
                      .graph = graph};
    graph->sources = tr_alloc(list->n_sources, sizeof *graph->sources);
    tr_status status = order.marks == NULL || order.numbers == NULL || order.taken == NULL ||
                               graph->sources == NULL
                           ? tr_out_of_memory(err, NULL)
                           : TR_OK;
    for (size_t i = 0; i < list->n && status == TR_OK; i++)
        status = place(&order, i, err);
    if (status == TR_OK)
        status = check_ends(&order, input, output, err);
    tr_free(order.marks);
    tr_free(order.numbers);
    tr_free(order.taken);
    return status;
}

static tr_status read_functional(tr_keras_graph *graph, const tr_keras_reading *reading,
                                 const json_t *config, size_t n, tr_error *err)
{
    const char *input = single_end(config, "input_layers"),
               *output = single_end(config, "output_layers");
    if (input == NULL || output == NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the model has not exactly one input and one output; only such models "
                       "are supported",
                       reading->file->path);
    layer_list list = {.reading = reading,
                       .layers = json_object_get(config, "layers"),
                       .n = n,
                       .places = json_object(),
                       .nodes = tr_alloc(n, sizeof *list.nodes)};
    tr_status status = list.places == NULL || list.nodes == NULL ? tr_out_of_memory(err, NULL)
                                                                 : read_list(&list, err);
    if (status == TR_OK)
        status = order_nodes(graph, &list, input, output, err);
    json_decref(list.places);
    tr_free(list.nodes);
    tr_free(list.sources);
    return status;
}

/* ---- both ---- */

static tr_status read_sequential(tr_keras_graph *graph, const json_t *layers, size_t n,
                                 tr_error *err)
{
    graph->sources = tr_alloc(n, sizeof *graph->sources);
    if (graph->sources == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < n; i++) {
        graph->nodes[i] = (tr_keras_node){json_array_get(layers, i), i, i > 0};
        graph->sources[i] = i - (i > 0);
    }
    graph->n = n;
    return TR_OK;
}

/* What every layer has. */
static tr_status check_nodes(const tr_keras_graph *graph, const tr_keras_file *file, tr_error *err)
{
    for (size_t i = 0; i < graph->n; i++)
        if (!json_is_object(json_object_get(graph->nodes[i].layer, "config")) ||
            text_of(graph->nodes[i].layer, "class_name")[0] == '\0')
            return tr_fail(err, TR_ERR_DATA,
                           "%s: layer %zu of its model has no class_name or config: the file is "
                           "damaged",
                           file->path, i);
    return TR_OK;
}

tr_status tr_keras_read_graph(tr_keras_graph *graph, const tr_keras_reading *reading, tr_error *err)
{
    const tr_keras_file *file = reading->file;
    const char *class_name = tr_keras_class_name(file->model);
    const json_t *config = json_object_get(file->model, "config");
    const bool functional =
        strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0;
    *graph = (tr_keras_graph){0};
    if (!functional && strcmp(class_name, "Sequential") != 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its model is a %.60s; supported: Sequential and Functional", file->path,
                       class_name[0] == '\0' ? "thing without a class" : class_name);
    /* Keras 2.2 and before: the configuration of a Sequential is the list itself. */
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const size_t n = json_array_size(layers);
    if (n == 0 || n > MAX_LAYERS)
        return tr_fail(err, TR_ERR_DATA, "%s: its model has %zu layers; supported: 1 to %d",
                       file->path, n, MAX_LAYERS);
    graph->nodes = tr_alloc(n, sizeof *graph->nodes);
    tr_status status = graph->nodes == NULL ? tr_out_of_memory(err, NULL)
                       : functional         ? read_functional(graph, reading, config, n, err)
                                            : read_sequential(graph, layers, n, err);
    if (status == TR_OK)
        status = check_nodes(graph, file, err);
    if (status != TR_OK)
        tr_keras_graph_release(graph);
    return status;
}
