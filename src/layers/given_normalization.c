/* given_normalization.c -- dst = (src - mean) / max(sqrt(variance), 1e-7), of each channel.
 *
 * Keras's Normalization over the last axis, with the numbers that its keys give, or else with those
 * that adapt() measured and that are kept as weights (mean, variance; and `count`, which nothing
 * reads but Keras 2 as it measures on): Keras's, or ours with `adapt`, of the training samples as a
 * run begins. Without any of them it changes nothing, as in Keras. None of them is ever trained.
 */
#include <math.h>

#include "scaling_layer.h"

static const double LEAST = 1e-7; /* keras.backend.epsilon() */

typedef struct given_normalization {
    tr_layer base;
    tr_reals variance;
    tr_scaling scaling; /* its mean: of the key */
} given_normalization;

static const tr_key keys[] = {
    {.name = "mean",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(given_normalization, scaling.mean),
     .optional = true,
     .doc = "taken off; one number, or one for each channel; default: weights of a file of Keras"},
    {.name = "variance",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(given_normalization, variance),
     .optional = true,
     .min = 0,
     .max = 1e38,
     .doc = "whose root it is divided by; likewise, and given where mean is"},
    {.name = "adapt",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(given_normalization, base.adapts),
     .fallback = "false",
     .ours = true,
     .doc = "both are measured on the training images as a run begins; initial_weights bring "
            "theirs"},
};

/* The keys' numbers, not weights. */
static bool is_given(const given_normalization *self)
{
    return self->scaling.mean.n > 0;
}

static void add_weights(tr_layer *layer)
{
    static const int64_t one = 1;
    static const tr_weight_rules zeros = {.initializer.function = TR_INIT_ZEROS};
    static const tr_weight_rules ones = {.initializer.function = TR_INIT_ONES};
    tr_layer_add_param(layer, "mean", 1, &layer->src.c, &zeros);
    tr_layer_add_param(layer, "variance", 1, &layer->src.c, &ones);
    tr_layer_add_param(layer, "count", 1, &one, &zeros);
    layer->params[2].n_dims = 0; /* a number by itself */
    layer->params[2].counts = true;
    for (int i = 0; i < layer->n_params; i++)
        layer->params[i].range = TR_FROZEN;
}

static tr_status given_normalization_shape(tr_layer *layer, tr_error *err)
{
    given_normalization *self = (given_normalization *)layer;
    tr_reals *scale = &self->scaling.scale;
    layer->dst = layer->src;
    if (is_given(self) != (self->variance.n > 0))
        return tr_fail(err, TR_ERR_CONFIG, "mean and variance: give both, or none of them");
    if (is_given(self) && layer->adapts)
        return tr_fail(err, TR_ERR_CONFIG,
                       "adapt = true measures mean and variance: remove those, or adapt");
    if (!is_given(self)) {
        add_weights(layer);
        return TR_OK;
    }
    TR_TRY(tr_scaling_check(layer, "mean", &self->scaling.mean, err));
    TR_TRY(tr_scaling_check(layer, "variance", &self->variance, err));
    self->scaling.offset = (tr_reals){.n = 1};
    scale->n = self->variance.n;
    for (int i = 0; i < scale->n; i++)
        scale->values[i] = 1.0 / fmax(sqrt(self->variance.values[i]), LEAST);
    return TR_OK;
}

static tr_normalization normalization_of(tr_layer *layer)
{
    const given_normalization *self = (const given_normalization *)layer;
    if (is_given(self))
        return (tr_normalization){.scaling = &self->scaling};
    return (tr_normalization){
        .least = LEAST, .mean = &layer->params[0], .variance = &layer->params[1]};
}

static tr_status given_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = normalization_of(layer);
    if (layer->n_params > 0)
        TR_TRY(tr_program_place(program, &layer->params[2], err));
    return tr_scaling_forward(layer, program, &with, tape, dst, err);
}

static tr_status given_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = normalization_of(layer);
    return tr_scaling_backward(layer, program, &with, tape, diff_dst, diff_src, err);
}

const tr_layer_ops tr_given_normalization_ops = {
    .type = "normalization",
    .keras_class = "Normalization",
    .keras_rest = "{\"axis\":-1,\"invert\":false}",
    .doc = "channels shifted and scaled by given statistics, or those of the training images",
    .bytes = sizeof(given_normalization),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = given_normalization_shape,
    .forward = given_normalization_forward,
    .backward = given_normalization_backward,
};
