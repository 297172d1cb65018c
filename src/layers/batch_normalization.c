/* batch_normalization.c -- dst = (src - mean) * gamma / sqrt(variance + epsilon) + beta, per
 * channel.
 *
 * Keras's BatchNormalization over the last axis, on images and on flat vectors. In training, mean
 * and (biased) variance are those of the batch, or of virtual_batch_size samples, and the moving
 * statistics follow them; where the layer is not trained, and in all else, they are the moving
 * ones. Parameters: gamma (if scale), beta (if center), moving_mean, moving_variance.
 */
#include <stddef.h>

#include "layer.h"

typedef struct batch_normalization {
    tr_layer base;
    double momentum, epsilon;
    bool center, scale;
    int64_t virtual_batch_size; /* TR_WHOLE_BATCH */
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
    {.name = "virtual_batch_size",
     .kind = TR_KEY_INT,
     .offset = offsetof(batch_normalization, virtual_batch_size),
     .fallback = "0",
     .min = 0,
     .max = 1048576,
     .doc = "samples that have their statistics together; 0: the whole batch"},
    TR_KEY_TRAINABLE,
};

static void add_statistic(tr_layer *layer, const char *name, tr_init init)
{
    tr_layer_add_param(layer, name, 1, &layer->src.c, init, 0, 0);
    layer->params[layer->n_params - 1].range = TR_STATISTICS;
}

static tr_status batch_normalization_shape(tr_layer *layer, tr_error *err)
{
    const batch_normalization *self = (const batch_normalization *)layer;
    const int64_t together = self->virtual_batch_size, at_once = layer->micro_batch;
    if (together > 0 && together % at_once != 0 && at_once % together != 0)
        return tr_fail(err, TR_ERR_CONFIG,
                       "virtual_batch_size = %lld neither divides [engine] micro_batch = %lld nor "
                       "is a multiple of it; use one that does",
                       (long long)together, (long long)at_once);
    layer->dst = layer->src;
    if (self->scale)
        tr_layer_add_param(layer, "gamma", 1, &layer->src.c, TR_INIT_ONES, 0, 0);
    if (self->center)
        tr_layer_add_param(layer, "beta", 1, &layer->src.c, TR_INIT_ZEROS, 0, 0);
    add_statistic(layer, "moving_mean", TR_INIT_ZEROS);
    add_statistic(layer, "moving_variance", TR_INIT_ONES);
    return TR_OK;
}

static tr_normalization normalization_of(tr_layer *layer, const tr_tape *tape)
{
    const batch_normalization *self = (const batch_normalization *)layer;
    tr_param *next = layer->params;
    tr_normalization with = {.epsilon = self->epsilon,
                             .momentum = self->momentum,
                             .samples = self->virtual_batch_size,
                             .relu = tape->activation == TR_RELU};
    with.gamma = self->scale ? next++ : NULL;
    with.beta = self->center ? next++ : NULL;
    with.mean = next++;
    with.variance = next;
    return with;
}

static bool fuses(tr_activation activation)
{
    return activation == TR_LINEAR || activation == TR_RELU;
}

static bool measures(const tr_layer *layer, const tr_program *program)
{
    return layer->trainable && tr_program_training(program);
}

/* Behind a flatten the tensor may still be an image (flatten.c), whose channels are not those of
 * the vector: then it is brought into the vector's order. */
static tr_status batch_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value src = tape->src;
    if (layer->src.flat)
        TR_TRY(tr_program_vector(program, src, &src, err));
    if (measures(layer, program)) {
        tape->differentiates = with.relu;
        return tr_batch_normalize_forward(program, &with, src, &tape->measured, dst, err);
    }
    return tr_normalize_forward(program, &with, src, dst, err);
}

static tr_status batch_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value diff = diff_dst, *wanted = diff_src == NULL ? NULL : &diff;
    if (layer->src.flat)
        TR_TRY(tr_program_vector(program, diff, &diff, err));
    if (measures(layer, program))
        TR_TRY(tr_batch_normalize_backward(program, &with, &tape->measured, diff, wanted, err));
    else if (wanted != NULL)
        TR_TRY(tr_normalize_backward(program, &with, diff, wanted, err));
    if (diff_src == NULL)
        return TR_OK;
    *diff_src = diff;
    return layer->src.flat ? tr_program_unvector(program, diff, tape->src, diff_src, err) : TR_OK;
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
    .doc = "channels shifted and scaled by their statistics",
    .bytes = sizeof(batch_normalization),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = fuses,
    .shape = batch_normalization_shape,
    .forward = batch_normalization_forward,
    .backward = batch_normalization_backward,
};
