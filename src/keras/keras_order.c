/* keras_order.c -- see keras_order.h. */
#include "keras_order.h"

#include <stdlib.h>

#include "mem.h"

typedef struct place {
    int layer;
    int depth; /* layers between it and the output, on the longest way */
    int met;   /* as the how-manieth, from 1, on the way back from the output; 0: not yet */
} place;

/* Sources stand above their readers, so who comes last is told by nobody any more. */
static void measure_depths(place *places, const tr_model *model)
{
    for (int i = tr_model_n_layers(model) - 1; i >= 0; i--) {
        const tr_layer_info layer = tr_model_layer(model, i);
        for (int k = 0; k < layer.n_sources; k++) {
            place *source = layer.sources[k] < 0 ? NULL : &places[layer.sources[k]];
            if (source != NULL && source->depth < places[i].depth + 1)
                source->depth = places[i].depth + 1;
        }
    }
}

/* Depth first, as Keras goes: the layer, then all that its first source depends on, and so on. */
static void meet(place *places, const tr_model *model, int i, int *n)
{
    if (i < 0 || places[i].met > 0)
        return;
    places[i].met = ++*n;
    const tr_layer_info layer = tr_model_layer(model, i);
    for (int k = 0; k < layer.n_sources; k++)
        meet(places, model, layer.sources[k], n);
}

static int compare(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->depth != y->depth ? y->depth - x->depth : x->met - y->met;
}

int *tr_keras_order(const tr_model *model)
{
    const int n = tr_model_n_layers(model);
    place *places = tr_alloc((size_t)n, sizeof *places);
    int *order = tr_alloc((size_t)n, sizeof *order), n_met = 0;
    if (places == NULL || order == NULL) {
        tr_free(places);
        tr_free(order);
        return NULL;
    }
    for (int i = 0; i < n; i++)
        places[i].layer = i;
    measure_depths(places, model);
    meet(places, model, n - 1, &n_met);
    qsort(places, (size_t)n, sizeof *places, compare);
    for (int i = 0; i < n; i++)
        order[i] = places[i].layer;
    tr_free(places);
    return order;
}

int *tr_keras_weight_order(const tr_model *model)
{
    int *layers = tr_keras_order(model), n = 0;
    int *weights = tr_alloc((size_t)tr_model_n_weights(model), sizeof *weights);
    for (int i = 0; layers != NULL && weights != NULL && i < tr_model_n_layers(model); i++) {
        const tr_layer_info layer = tr_model_layer(model, layers[i]);
        for (int k = 0; k < layer.n_weights; k++)
            weights[n++] = layer.first_weight + k;
    }
    if (layers == NULL) {
        tr_free(weights);
        weights = NULL;
    }
    tr_free(layers);
    return weights;
}
