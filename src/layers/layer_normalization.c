/* layer_normalization.c -- dst = (src - mean) * gamma / sqrt(variance + epsilon) + beta, mean and
 * (biased) variance of each pixel's channels, or of each vector.
 *
 * Keras's LayerNormalization over the last axis, on images and on flat vectors. The same in
 * training and outside of it. Parameters: gamma (if scale), beta (if center), per channel.
 */
#include "normalization_layer.h"

static const tr_key keys[] = {
    TR_KEYS_NORMALIZATION,
    TR_KEY_TRAINABLE,
};

static tr_status layer_normalization_shape(tr_layer *layer, tr_error *err)
{
    (void)err;
    tr_normalization_shape(layer);
    return TR_OK;
}

static tr_status layer_normalization_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                             tr_value *dst, tr_error *err)
{
    const tr_normalization with = tr_normalization_of(layer, tape);
    tr_value src;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    return tr_pixel_normalize_forward(program, &with, src, &tape->measured, dst, err);
}

static tr_status layer_normalization_backward(tr_layer *layer, tr_program *program,
                                              const tr_tape *tape, tr_value diff_dst,
                                              tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = tr_normalization_of(layer, tape);
    tr_value diff, *wanted = diff_src == NULL ? NULL : &diff;
    TR_TRY(tr_normalization_enter(layer, program, diff_dst, &diff, err));
    TR_TRY(tr_pixel_normalize_backward(program, &with, &tape->measured, diff, wanted, err));
    return wanted == NULL ? TR_OK
                          : tr_normalization_leave(layer, program, tape, diff, diff_src, err);
}

const tr_layer_ops tr_layer_normalization_ops = {
    .type = "layer_normalization",
    .keras_class = "LayerNormalization",
    .keras_rest = "{" TR_KERAS_NORMALIZATION "}",
    .doc = "each pixel, or vector, shifted and scaled by the statistics of its channels",
    .bytes = sizeof(tr_normalization_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = layer_normalization_shape,
    .forward = layer_normalization_forward,
    .backward = layer_normalization_backward,
};
