/* flow.c -- what a layer's place in the graph says about it, for plan.c. */
#include "model_internal.h"

/* An activation that stands alone becomes that of the layer before it, where that one can apply it
 * as it writes its result, and nobody else reads what it would be without. */
static void fold(const tr_model *model, int i, tr_node *nodes)
{
    const tr_layer *layer = model->layers[i];
    const int source = layer->sources[0];
    if (!layer->ops->only_activates || tr_activation_is_linear(nodes[i].activation) ||
        source == TR_IMAGES)
        return;
    const tr_layer_ops *before = model->layers[source]->ops;
    if (nodes[source].n_readers != 1 || !tr_activation_is_linear(nodes[source].activation) ||
        before->fuses == NULL || !before->fuses(nodes[i].activation))
        return;
    nodes[i].result = source;
    nodes[source].n_readers = nodes[i].n_readers;
    nodes[source].activation = nodes[i].activation;
    nodes[source].activity = nodes[i].activity;
}

void tr_flow(const tr_model *model, bool images_too, tr_node *nodes)
{
    for (int i = 0; i < model->n_layers; i++)
        nodes[i] =
            (tr_node){.result = i,
                      .activation = tr_layer_activation(model->layers[i]),
                      .n_readers = model->layers[i]->activity.function != TR_REGULARIZER_NONE,
                      .activity = tr_regularizer_penalty(&model->layers[i]->activity),
                      .learns = images_too || tr_layer_learns(model->layers[i]),
                      .is_output = true};
    for (int i = 0; i < model->n_layers; i++)
        for (int k = 0; k < model->layers[i]->n_srcs; k++) {
            const int source = model->layers[i]->sources[k];
            if (source == TR_IMAGES)
                continue;
            nodes[source].n_readers++;
            nodes[i].learns = nodes[i].learns || nodes[source].learns;
        }
    for (int i = model->n_layers - 1; i >= 0; i--)
        for (int k = 0; k < model->layers[i]->n_srcs; k++) {
            const int source = model->layers[i]->sources[k];
            if (source != TR_IMAGES && (!nodes[i].is_output || model->layers[i]->n_params > 0))
                nodes[source].is_output = false;
        }
    for (int i = 0; i < model->n_layers; i++)
        fold(model, i, nodes);
}
