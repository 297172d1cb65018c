/* keras_graph.c -- the layers of a model and which results each takes; see keras_config.h.
 *
 * A Sequential model lists its layers in the order of the data. A functional one is a graph,
 * written as the calls that made each layer's input (inbound_nodes). Here every layer is called
 * once, one is the input, and one, the last, is the output. The list that Keras writes has sources
 * before their readers already; in one that has not, a layer is put off until its sources stand.
 * A model among the layers is taken apart: its layers stand in its place.
 */
#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "keras_value.h"
#include "mem.h"

enum { MAX_LAYERS = 4096, MAX_DEPTH = 16 };
static const size_t NO_NODE = (size_t)-1;

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

static bool is_functional(const json_t *layer)
{
    const char *class_name = text_of(layer, "class_name");
    return strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0;
}

static bool is_model(const json_t *layer)
{
    return is_functional(layer) || strcmp(text_of(layer, "class_name"), "Sequential") == 0;
}

void tr_keras_graph_release(tr_keras_graph *graph)
{
    for (size_t i = 0; i < graph->n; i++)
        tr_free(graph->nodes[i].key);
    tr_free(graph->nodes);
    tr_free(graph->sources);
    *graph = (tr_keras_graph){0};
}

/* ---- a model, perhaps inside another ---- */

typedef struct model_reading {
    const tr_keras_reading *reading;
    tr_keras_graph *graph;
    size_t input;       /* the node whose result it takes; NO_NODE: the outermost */
    size_t output;      /* told: the node that gives its result */
    const char *prefix; /* of its layers' keys: "" or "sequential/layers/" */
    int depth, part;    /* part: of which model among the outermost one's layers; 0: of none */
} model_reading;

static tr_status read_model(model_reading *self, const json_t *model, tr_error *err);

/* Which place in Keras 3's weights files a layer has: by its class, and how many came before. */
static char *make_key(const model_reading *self, const json_t *layers, const json_t *layer)
{
    const char *class_name = text_of(layer, "class_name");
    char name[64];
    size_t i, n = 0;
    const json_t *other;
    tr_keras_snake_case(name, sizeof name, class_name);
    json_array_foreach(layers, i, other)
    {
        if (other == layer)
            break;
        n += strcmp(text_of(other, "class_name"), class_name) == 0;
    }
    return n == 0 ? tr_format("%s%s", self->prefix, name)
                  : tr_format("%s%s_%zu", self->prefix, name, n);
}

static tr_status add_node(model_reading *self, const json_t *layers, const json_t *layer,
                          const size_t *sources, size_t n_sources, tr_error *err)
{
    tr_keras_graph *graph = self->graph;
    if (graph->n == MAX_LAYERS)
        return tr_fail(err, TR_ERR_DATA, "%s: its model has more than %d layers",
                       self->reading->file->path, MAX_LAYERS);
    tr_keras_node *nodes = tr_grown(graph->nodes, graph->n, sizeof *nodes);
    if (nodes == NULL)
        return tr_out_of_memory(err, NULL);
    graph->nodes = nodes;
    nodes[graph->n] = (tr_keras_node){.layer = layer,
                                      .first = graph->n_sources,
                                      .n_sources = n_sources,
                                      .part = self->part,
                                      .key = make_key(self, layers, layer)};
    self->output = graph->n++;
    if (nodes[self->output].key == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t k = 0; k < n_sources; k++) {
        size_t *grown = tr_grown(graph->sources, graph->n_sources, sizeof *grown);
        if (grown == NULL)
            return tr_out_of_memory(err, NULL);
        graph->sources = grown;
        grown[graph->n_sources++] = sources[k];
    }
    return TR_OK;
}

/* Any entry of a model's list, behind what it takes: a layer, the input, or a model. */
static tr_status add_entry(model_reading *self, const json_t *layers, const json_t *layer,
                           const size_t *sources, size_t n_sources, tr_error *err)
{
    if (is_input(layer) && self->input != NO_NODE) {
        self->output = self->input;
        return TR_OK;
    }
    if (!is_model(layer))
        return add_node(self, layers, layer, sources, n_sources, err);
    char *key = make_key(self, layers, layer), *prefix = NULL;
    if (key != NULL)
        prefix = tr_format("%s/layers/", key);
    model_reading inner = *self;
    inner.input = n_sources == 0 ? NO_NODE : sources[0];
    inner.prefix = prefix;
    inner.depth++;
    inner.part = self->part > 0 ? self->part : ++self->graph->n_parts;
    tr_status status = TR_OK;
    if (prefix == NULL)
        status = tr_out_of_memory(err, NULL);
    else if (inner.depth > MAX_DEPTH || n_sources > 1)
        status = tr_fail(err, TR_ERR_DATA, "%s: model %s, a layer of another one, %s",
                         self->reading->file->path, name_of(layer),
                         n_sources > 1 ? "takes several tensors; one is supported"
                                       : "lies too deep in others");
    else
        status = read_model(&inner, layer, err);
    self->output = inner.output;
    tr_free(prefix);
    tr_free(key);
    return status;
}

/* ---- functional: what each layer takes, by its place in the file's list ---- */

typedef struct list_node {
    const json_t *layer;
    size_t first, n_sources; /* in list->sources */
} list_node;

typedef struct layer_list {
    const tr_keras_reading *reading;
    const json_t *layers; /* of the file */
    size_t n;             /* of them */
    json_t *places;       /* {name: place in that list} */
    list_node *nodes;     /* [n], likewise */
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
        if (json_is_false(value) && strcmp(key, "training") == 0 && list->reading->notes != NULL &&
            (is_model(layer) || strcmp(class_name, "BatchNormalization") == 0))
            fprintf(list->reading->notes,
                    "layer %s (%s) is called with training = false: no prediction depends on it, "
                    "but a training here measures each batch unless trainable = false\n",
                    name_of(layer), class_name);
    }
    return TR_OK;
}

/* `tensor` is ["name", node, tensor, ...]. */
static tr_status add_source(layer_list *list, list_node *node, const json_t *tensor, tr_error *err)
{
    const json_t *place = NULL;
    if (json_is_string(json_array_get(tensor, 0)))
        place = json_object_get(list->places, json_string_value(json_array_get(tensor, 0)));
    /* A model was called before, when it was made. */
    const bool first = json_integer_value(json_array_get(tensor, 1)) == 0 ||
                       is_model(json_array_get(list->layers, (size_t)json_integer_value(place)));
    if (place == NULL || !first || json_integer_value(json_array_get(tensor, 2)) != 0)
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
static tr_status read_call_2(layer_list *list, list_node *node, const json_t *call, tr_error *err)
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
static tr_status read_call_3(layer_list *list, list_node *node, const json_t *call, tr_error *err)
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

static tr_status read_calls(layer_list *list, list_node *node, tr_error *err)
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
    size_t *numbers;                          /* [n] of a placed one: the node of its result */
    bool *taken;                              /* [n] somebody takes its result */
    model_reading *model;
} ordering;

/* Puts the layer behind its sources. Recursion ends, at MAX_LAYERS at the latest. */
static tr_status place(ordering *order, size_t i, tr_error *err)
{
    const list_node *from = &order->list->nodes[i];
    if (order->marks[i] == PLACED)
        return TR_OK;
    if (order->marks[i] == WAITING)
        return refuse_layer(order->list, from->layer, "waits for its own result", err);
    order->marks[i] = WAITING;
    size_t *sources = tr_alloc(from->n_sources, sizeof *sources);
    tr_status status = sources == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    for (size_t k = 0; k < from->n_sources && status == TR_OK; k++) {
        const size_t source = order->list->sources[from->first + k];
        status = place(order, source, err);
        order->taken[source] = true;
        sources[k] = order->numbers[source];
    }
    if (status == TR_OK)
        status = add_entry(order->model, order->list->layers, from->layer, sources, from->n_sources,
                           err);
    order->marks[i] = PLACED;
    order->numbers[i] = order->model->output;
    tr_free(sources);
    return status;
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

static tr_status order_nodes(model_reading *self, const layer_list *list, const char *input,
                             const char *output, tr_error *err)
{
    ordering order = {.list = list,
                      .marks = tr_alloc(list->n, sizeof *order.marks),
                      .numbers = tr_alloc(list->n, sizeof *order.numbers),
                      .taken = tr_alloc(list->n, sizeof *order.taken),
                      .model = self};
    tr_status status = order.marks == NULL || order.numbers == NULL || order.taken == NULL
                           ? tr_out_of_memory(err, NULL)
                           : TR_OK;
    for (size_t i = 0; i < list->n && status == TR_OK; i++)
        status = place(&order, i, err);
    if (status == TR_OK)
        status = check_ends(&order, input, output, err);
    const json_t *last = json_object_get(list->places, output);
    if (status == TR_OK && last != NULL)
        self->output = order.numbers[json_integer_value(last)];
    tr_free(order.marks);
    tr_free(order.numbers);
    tr_free(order.taken);
    return status;
}

static tr_status read_functional(model_reading *self, const json_t *config, size_t n, tr_error *err)
{
    const char *input = single_end(config, "input_layers"),
               *output = single_end(config, "output_layers");
    if (input == NULL || output == NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the model has not exactly one input and one output; only such models "
                       "are supported",
                       self->reading->file->path);
    layer_list list = {.reading = self->reading,
                       .layers = json_object_get(config, "layers"),
                       .n = n,
                       .places = json_object(),
                       .nodes = tr_alloc(n, sizeof *list.nodes)};
    tr_status status = list.places == NULL || list.nodes == NULL ? tr_out_of_memory(err, NULL)
                                                                 : read_list(&list, err);
    if (status == TR_OK)
        status = order_nodes(self, &list, input, output, err);
    json_decref(list.places);
    tr_free(list.nodes);
    tr_free(list.sources);
    return status;
}

/* ---- both ---- */

/* Each takes the result of the one before; the first that of nobody, unless it is inside another.
 */
static tr_status read_sequential(model_reading *self, const json_t *layers, tr_error *err)
{
    size_t i;
    const json_t *layer;
    self->output = self->input;
    json_array_foreach(layers, i, layer)
    {
        const size_t source = self->output;
        TR_TRY(add_entry(self, layers, layer, &source, source != NO_NODE, err));
    }
    return TR_OK;
}

static tr_status read_model(model_reading *self, const json_t *model, tr_error *err)
{
    const json_t *config = json_object_get(model, "config");
    /* Keras 2.2 and before: the configuration of a Sequential is the list itself. */
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const size_t n = json_array_size(layers);
    if (n == 0 || n > MAX_LAYERS)
        return tr_fail(err, TR_ERR_DATA, "%s: its model has %zu layers; supported: 1 to %d",
                       self->reading->file->path, n, MAX_LAYERS);
    return is_functional(model) ? read_functional(self, config, n, err)
                                : read_sequential(self, layers, err);
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
    *graph = (tr_keras_graph){0};
    if (!is_model(file->model))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its model is a %.60s; supported: Sequential and Functional", file->path,
                       class_name[0] == '\0' ? "thing without a class" : class_name);
    model_reading self = {.reading = reading, .graph = graph, .input = NO_NODE, .prefix = ""};
    tr_status status = read_model(&self, file->model, err);
    if (status == TR_OK)
        status = check_nodes(graph, file, err);
    if (status != TR_OK)
        tr_keras_graph_release(graph);
    return status;
}
