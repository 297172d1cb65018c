/* keras_nesting.c -- see keras_nesting.h. */
#include "keras_nesting.h"

#include <string.h>

#include "keras_config.h"
#include "keras_names.h"
#include "mem.h"

/* Keys move from the graph. */
static tr_status take(tr_keras_nesting *out, tr_keras_graph *graph, tr_error *err)
{
    out->keys = tr_alloc(graph->n, sizeof *out->keys);
    out->parts = tr_alloc(graph->n, sizeof *out->parts);
    if (out->keys == NULL || out->parts == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < graph->n; i++) {
        tr_keras_node *node = &graph->nodes[i];
        if (strcmp(tr_keras_class_name(node->layer), "InputLayer") == 0)
            continue;
        out->parts[out->n] = node->part;
        out->keys[out->n++] = node->key;
        node->key = NULL;
    }
    return TR_OK;
}

tr_status tr_keras_nesting_read(tr_keras_nesting *out, const char *path, tr_error *err)
{
    tr_keras_file file;
    tr_keras_graph graph;
    tr_error ignored;
    tr_status status = TR_OK;
    *out = (tr_keras_nesting){0};
    if (tr_keras_file_open_config(&file, path, &ignored) == TR_OK && file.model != NULL) {
        const tr_keras_reading reading = {.file = &file};
        if (tr_keras_read_graph(&graph, &reading, &ignored) == TR_OK) {
            if (graph.n_parts > 0)
                status = take(out, &graph, err);
            tr_keras_graph_release(&graph);
        }
    }
    tr_keras_file_close(&file);
    return status;
}

void tr_keras_nesting_release(tr_keras_nesting *nesting)
{
    for (size_t i = 0; i < nesting->n; i++)
        tr_free(nesting->keys[i]);
    tr_free(nesting->keys);
    tr_free(nesting->parts);
    *nesting = (tr_keras_nesting){0};
}

/* Of layers first to end - 1: all weights, or those that are trained, or the others. */
static int list(int *order, int n, const tr_model *model, size_t first, size_t end, bool trained,
                bool others)
{
    for (size_t i = first; i < end; i++) {
        const tr_layer_info layer = tr_model_layer(model, (int)i);
        for (int k = 0; k < layer.n_weights; k++) {
            const int weight = layer.first_weight + k;
            if (tr_model_weight(model, weight).trained ? trained : others)
                order[n++] = weight;
        }
    }
    return n;
}

int *tr_keras_nesting_order(const tr_keras_nesting *nesting, const tr_model *model)
{
    int *order = tr_alloc((size_t)tr_model_n_weights(model), sizeof *order), n = 0;
    for (size_t i = 0, end; order != NULL && i < nesting->n; i = end) {
        const int part = nesting->parts[i];
        for (end = i + 1; part > 0 && end < nesting->n && nesting->parts[end] == part;)
            end++;
        n = list(order, n, model, i, end, true, part == 0);
        if (part > 0)
            n = list(order, n, model, i, end, false, true);
    }
    return order;
}
