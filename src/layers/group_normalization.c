/* group_normalization.c -- dst = (src - mean) * gamma / sqrt(variance + epsilon) + beta, mean and
 * (biased) variance of each sample's pixels in a group of channels.
 *
 * Keras's GroupNormalization over the last axis, on images and on flat vectors. The same in
 * training and outside of it. Parameters: gamma (if scale), beta (if center), per channel.
 */
#include "normalization_layer.h"

typedef struct group_normalization {
    tr_normalization_layer head;
    int64_t groups; /* -1: as many as channels */
} group_normalization;

static const tr_key keys[] = {
    {.name = "groups",
     .kind = TR_KEY_INT,
     .offset = offsetof(group_normalization, groups),
     .fallback = "32",
     .min = -1,
     .max = 1048576,
     .doc = "of channels, equally large; 1: all together, -1: each by itself"},
    TR_KEYS_NORMALIZATION,
    TR_KEY_TRAINABLE,
};

static tr_status group_normalization_shape(tr_layer *layer, tr_error *err)
{
    const group_normalization *self = (const group_normalization *)layer;
    if (self->groups == 0 || (self->groups > 0 && layer->src.c % self->groups != 0))
        return tr_fail(err, TR_ERR_CONFIG,
                       "groups = %lld does not divide the %lld channels; use a number that does, "
                       "or -1 for each channel by itself",
                       (long long)self->groups, (long long)layer->src.c);
    tr_normalization_shape(layer);
    return TR_OK;
}

static tr_normalization normalization_of(tr_layer *layer, const tr_tape *tape)
{
    const group_normalization *self = (const group_normalization *)layer;
    tr_normalization with = tr_normalization_of(layer, tape);
    with.samples = 1;
    with.channels = self->groups < 0 ? 1 : layer->src.c / self->groups;
    return with;
}

static tr_status group_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value src;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    tape->differentiates = true;
    return tr_measured_forward(program, &with, src, &tape->measured, dst, err);
}

static tr_status group_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = normalization_of(layer, tape);
    tr_value diff, *wanted = diff_src == NULL ? NULL : &diff;
    TR_TRY(tr_normalization_enter(layer, program, diff_dst, &diff, err));
    TR_TRY(tr_measured_backward(program, &with, &tape->measured, diff, wanted, err));
    return wanted == NULL ? TR_OK
                          : tr_normalization_leave(layer, program, tape, diff, diff_src, err);
}

const tr_layer_ops tr_group_normalization_ops = {
    .type = "group_normalization",
    .keras_class = "GroupNormalization",
    .keras_rest = "{" TR_KERAS_NORMALIZATION "}",
    .doc = "channels shifted and scaled by the statistics of their group in each sample",
    .bytes = sizeof(group_normalization),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_normalization_fuses,
    .shape = group_normalization_shape,
    .forward = group_normalization_forward,
    .backward = group_normalization_backward,
};
