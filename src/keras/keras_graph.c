/* keras_graph.c -- the layers of a model and which results each takes; see keras_config.h.
 *
 * A Sequential model lists its layers in the order of the data. A functional one is a graph,
 * written as the calls that made each layer's input (inbound_nodes). Here every layer is called
 * once, one is the input, and one, the last, is the output. The list that Keras writes has sources
 * before their readers already; in one that has not, a layer is put off until its sources stand.
 * A model among the layers is taken apart: its layers stand in its place.
 */
#include <string.h>

#include "keras_inbound.h"
#include "keras_names.h"
#include "mem.h"

enum { MAX_LAYERS = 4096, MAX_DEPTH = 16 };
static const size_t NO_NODE = (size_t)-1;

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
    const char *class_name = tr_keras_text_of(layer, "class_name");
    char name[64];
    size_t i, n = 0;
    const json_t *other;
    tr_keras_snake_case(name, sizeof name, class_name);
    json_array_foreach(layers, i, other)
    {
        if (other == layer)
            break;
        n += strcmp(tr_keras_text_of(other, "class_name"), class_name) == 0;
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
    if (tr_keras_is_input(layer) && self->input != NO_NODE) {
        self->output = self->input;
        return TR_OK;
    }
    if (!tr_keras_is_model(layer))
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
                         self->reading->file->path, tr_keras_name_of(layer),
                         n_sources > 1 ? "takes several tensors; one is supported"
                                       : "lies too deep in others");
    else
        status = read_model(&inner, layer, err);
    self->output = inner.output;
    tr_free(prefix);
    tr_free(key);
    return status;
}

/* ---- functional: in the order of the data ---- */

typedef struct ordering {
    const tr_keras_list *list;
    enum { UNSEEN, WAITING, PLACED } * marks; /* [n] */
    size_t *numbers;                          /* [n] of a placed one: the node of its result */
    bool *taken;                              /* [n] somebody takes its result */
    model_reading *model;
} ordering;

/* Puts the layer behind its sources. Recursion ends, at twice MAX_LAYERS at the latest. */
static tr_status place(ordering *order, size_t i, tr_error *err)
{
    const tr_keras_called *from = &order->list->nodes[i];
    if (order->marks[i] == PLACED)
        return TR_OK;
    if (order->marks[i] == WAITING)
        return tr_keras_refuse_layer(order->list, from->layer, "waits for its own result", err);
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
    const tr_keras_list *list = order->list;
    for (size_t i = 0; i < list->n; i++) {
        const json_t *layer = list->nodes[i].layer;
        if (tr_keras_is_input(layer) && strcmp(tr_keras_name_of(layer), input) != 0)
            return tr_keras_refuse_layer(list, layer, "is an input beside the model's", err);
        if (!tr_keras_is_input(layer) && strcmp(tr_keras_name_of(layer), input) == 0)
            return tr_keras_refuse_layer(list, layer, "is the model's input without being one",
                                         err);
        if (order->taken[i] == (strcmp(tr_keras_name_of(layer), output) == 0))
            return tr_keras_refuse_layer(list, layer,
                                         order->taken[i]
                                             ? "is the model's output, but others take it, too"
                                             : "gives a result that nobody takes",
                                         err);
    }
    return TR_OK;
}

static tr_status order_nodes(model_reading *self, const tr_keras_list *list, const char *input,
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
    tr_keras_list list = {.reading = self->reading,
                          .layers = json_object_get(config, "layers"),
                          .n = n,
                          .places = json_object(),
                          .nodes = tr_alloc(n, sizeof *list.nodes)};
    tr_status status = list.places == NULL || list.nodes == NULL ? tr_out_of_memory(err, NULL)
                                                                 : tr_keras_list_read(&list, err);
    if (status == TR_OK)
        status = order_nodes(self, &list, input, output, err);
    tr_keras_list_release(&list);
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
    self->graph->n_listed += n; /* before any of them: place() goes as deep as there are layers */
    if (n == 0 || self->graph->n_listed > 2 * MAX_LAYERS)
        return tr_fail(err, TR_ERR_DATA, "%s: its model has %zu layers; supported: 1 to %d",
                       self->reading->file->path, n == 0 ? n : self->graph->n_listed, MAX_LAYERS);
    return tr_keras_is_functional(model) ? read_functional(self, config, n, err)
                                         : read_sequential(self, layers, err);
}

/* What every layer has. */
static tr_status check_nodes(const tr_keras_graph *graph, const tr_keras_file *file, tr_error *err)
{
    for (size_t i = 0; i < graph->n; i++)
        if (!json_is_object(json_object_get(graph->nodes[i].layer, "config")) ||
            tr_keras_text_of(graph->nodes[i].layer, "class_name")[0] == '\0')
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
    if (!tr_keras_is_model(file->model))
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
