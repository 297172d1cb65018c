/* batch_normalization.c -- dst = (src - mean) * gamma / sqrt(variance + epsilon) + beta, per
 * channel.
 *
 * Keras's BatchNormalization over the last axis, on images and on flat vectors. In training, mean
 * and (biased) variance are those of the batch, or of virtual_batch_size samples, and the moving
 * statistics follow them; where the layer is not trained, and in all else, they are the moving
 * ones. Parameters: gamma (if scale), beta (if center), moving_mean, moving_variance.
 */
#include "normalization_layer.h"

typedef struct batch_normalization {
    tr_normalization_layer head;
    double momentum;
    int64_t virtual_batch_size; /* TR_WHOLE_BATCH */
    tr_weight_rules moving_mean, moving_variance;
} batch_normalization;

static const tr_key keys[] = {
    {.name = "momentum",
     .kind = TR_KEY_REAL,
     .offset = offsetof(batch_normalization, momentum),
     .fallback = "0.99",
     .min = 0,
     .max = 1,
     .doc = "share of a moving statistic that stays, per step of a training"},
    TR_KEYS_NORMALIZATION,
    {.name = "virtual_batch_size",
     .kind = TR_KEY_INT,
     .ours = true,
     .offset = offsetof(batch_normalization, virtual_batch_size),
     .fallback = "0",
     .min = 0,
     .max = 1048576,
     .doc = "samples that have their statistics together; 0: the whole batch"},
    TR_KEY_INITIALIZER(batch_normalization, moving_mean, "zeros"),
    TR_KEY_INITIALIZER(batch_normalization, moving_variance, "ones"),
    TR_KEY_TRAINABLE,
};

static void add_statistic(tr_layer *layer, const char *name, const tr_weight_rules *rules)
{
    tr_layer_add_param(layer, name, 1, &layer->src.c, rules);
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
    tr_normalization_shape(layer);
    add_statistic(layer, "moving_mean", &self->moving_mean);
    add_statistic(layer, "moving_variance", &self->moving_variance);
    return TR_OK;
}

static tr_normalization normalization_of(tr_layer *layer, const tr_tape *tape)
{
    const batch_normalization *self = (const batch_normalization *)layer;
    tr_normalization with = tr_normalization_of(layer, tape);
    with.momentum = self->momentum;
    with.samples = self->virtual_batch_size;
    with.mean = &layer->params[layer->n_params - 2];
    with.variance = &layer->params[layer->n_params - 1];
    return with;
}

static bool measures(const tr_layer *layer, const tr_program *program)
{
    return layer->trainable && tr_program_training(program);
}

static tr_status batch_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value src;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    if (!measures(layer, program))
        return tr_normalize_forward(program, &with, src, dst, err);
    tape->differentiates = true;
    return tr_measured_forward(program, &with, src, &tape->measured, dst, err);
}

static tr_status batch_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value diff, *wanted = diff_src == NULL ? NULL : &diff;
    TR_TRY(tr_normalization_enter(layer, program, diff_dst, &diff, err));
    if (measures(layer, program))
        TR_TRY(tr_measured_backward(program, &with, &tape->measured, diff, wanted, err));
    else if (wanted != NULL)
        TR_TRY(tr_normalize_backward(program, &with, diff, wanted, err));
    return wanted == NULL ? TR_OK
                          : tr_normalization_leave(layer, program, tape, diff, diff_src, err);
}

const tr_layer_ops tr_batch_normalization_ops = {
    .type = "batch_normalization",
    .keras_class = "BatchNormalization",
    .keras_rest = "{" TR_KERAS_NORMALIZATION "}",
    .doc = "channels shifted and scaled by their statistics",
    .bytes = sizeof(batch_normalization),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_normalization_fuses,
    .shape = batch_normalization_shape,
    .forward = batch_normalization_forward,
    .backward = batch_normalization_backward,
};
