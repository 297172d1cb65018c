/* batch_normalization.c -- dst = (src - moving_mean) * gamma / sqrt(moving_variance + epsilon) +
 * beta, per channel.
 *
 * Keras's BatchNormalization over the last axis, in inference mode: the statistics are those that
 * the training left in the file. On images and on flat vectors. Parameters: gamma (if scale), beta
 * (if center), moving_mean, moving_variance. Training it, which measures each batch, is not
 * implemented; backward takes all four for constants, as Keras does where trainable = False.
 */
#include <stddef.h>

#include "layer.h"

typedef struct batch_normalization {
    tr_layer base;
    double momentum, epsilon;
    bool center, scale;
} batch_normalization;

static const tr_key keys[] = {
    TR_KEY_TYPE,
    {.name = "momentum",
     .kind = TR_KEY_REAL,
     .offset = offsetof(batch_normalization, momentum),
     .fallback = "0.99",
     .min = 0,
     .max = 1,
     .doc = "share of a moving statistic that stays, per step of a training"},
    {.name = "epsilon",
     .kind = TR_KEY_REAL,
     .offset = offsetof(batch_normalization, epsilon),
     .fallback = "0.001",
     .min = 1.2e-38,
     .max = 1e6,
     .doc = "added to the variance"},
    {.name = "center",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(batch_normalization, center),
     .fallback = "true",
     .doc = "add a constant per channel, beta"},
    {.name = "scale",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(batch_normalization, scale),
     .fallback = "true",
     .doc = "multiply by a factor per channel, gamma"},
    TR_KEY_TRAINABLE,
};

static void add_statistic(tr_layer *layer, const char *name, tr_init init)
{
    tr_layer_add_param(layer, name, 1, &layer->src.c, init, 0, 0);
    layer->params[layer->n_params - 1].range = TR_STATISTICS;
}

static tr_status batch_normalization_shape(tr_layer *layer, tr_error *err)
{
    (void)err;
    const batch_normalization *self = (const batch_normalization *)layer;
    layer->dst = layer->src;
    if (self->scale)
        tr_layer_add_param(layer, "gamma", 1, &layer->src.c, TR_INIT_ONES, 0, 0);
    if (self->center)
        tr_layer_add_param(layer, "beta", 1, &layer->src.c, TR_INIT_ZEROS, 0, 0);
    add_statistic(layer, "moving_mean", TR_INIT_ZEROS);
    add_statistic(layer, "moving_variance", TR_INIT_ONES);
    return TR_OK;
}

static tr_normalization constants_of(tr_layer *layer)
{
    const batch_normalization *self = (const batch_normalization *)layer;
    tr_param *next = layer->params;
    tr_normalization with = {.epsilon = self->epsilon};
    with.gamma = self->scale ? next++ : NULL;
    with.beta = self->center ? next++ : NULL;
    with.mean = next++;
    with.variance = next;
    return with;
}

/* Behind a flatten the tensor may still be an image (flatten.c), whose channels are not those of
 * the vector: then it is brought into the vector's order. */
static tr_status batch_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = constants_of(layer);
    tr_value src = tape->src;
    if (layer->src.flat)
        TR_TRY(tr_program_vector(program, src, &src, err));
    return tr_normalize_forward(program, &with, src, dst, err);
}

static tr_status batch_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = constants_of(layer);
    if (diff_src == NULL)
        return TR_OK;
    if (!layer->src.flat)
        return tr_normalize_backward(program, &with, diff_dst, diff_src, err);
    tr_value diff;
    TR_TRY(tr_program_vector(program, diff_dst, &diff, err));
    TR_TRY(tr_normalize_backward(program, &with, diff, &diff, err));
    return tr_program_unvector(program, diff, tape->src, diff_src, err);
}

const tr_layer_ops tr_batch_normalization_ops = {
    .type = "batch_normalization",
    .keras_class = "BatchNormalization",
    .keras_rest = "{\"axis\":-1,"
                  "\"beta_initializer\":{\"class_name\":\"Zeros\",\"config\":{}},"
                  "\"gamma_initializer\":{\"class_name\":\"Ones\",\"config\":{}},"
                  "\"moving_mean_initializer\":{\"class_name\":\"Zeros\",\"config\":{}},"
                  "\"moving_variance_initializer\":{\"class_name\":\"Ones\",\"config\":{}},"
                  "\"beta_regularizer\":null,\"gamma_regularizer\":null,"
                  "\"beta_constraint\":null,\"gamma_constraint\":null}",
    .doc = "channels shifted and scaled by their statistics; inference only",
    .bytes = sizeof(batch_normalization),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .inference_only = true,
    .shape = batch_normalization_shape,
    .forward = batch_normalization_forward,
    .backward = batch_normalization_backward,
};
