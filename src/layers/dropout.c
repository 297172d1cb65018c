/* dropout.c -- dst = src with a share `rate` of its elements set to 0, the others divided by
 * 1 - rate; while training.
 *
 * Keras's Dropout. The probability is the nearest multiple of 1/65536, in mask and divisor alike.
 * Evaluation leaves the layer out. Which elements: a function of [fit] seed, the
 * layer's number in the model, the update, the sample's number in the dataset and the element's
 * place in it, and of nothing else. No parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct dropout {
    tr_layer base;
    double rate;
} dropout;

static const tr_key keys[] = {
    {.name = "rate",
     .kind = TR_KEY_REAL,
     .offset = offsetof(dropout, rate),
     .min = 0,
     .max = 1,
     .below_max = true,
     .doc = "share of the elements that is set to 0 in training"},
};

static tr_status dropout_shape(tr_layer *layer, tr_error *err)
{
    const double rate = ((const dropout *)layer)->rate;
    const uint32_t kept = tr_dropout_keep_of_65536(rate);
    layer->dst = layer->src;
    if (rate > 0.0 && (kept == 0 || kept == 65536))
        return tr_fail(
            err, TR_ERR_CONFIG,
            "rate = %.10g: the probability is a multiple of 1/65536, and this rate would "
            "drop %s; use one from 0.00001 to 0.99999, or 0",
            rate, kept == 0 ? "everything" : "nothing");
    return TR_OK;
}

static tr_status dropout_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    const dropout *self = (const dropout *)layer;
    *dst = tape->src;
    if (!tr_program_training(program) || self->rate == 0.0)
        return TR_OK;
    return tr_dropout_forward(program, self->rate, (uint32_t)layer->number, tape->src, dst,
                              &tape->workspace, err);
}

static tr_status dropout_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const dropout *self = (const dropout *)layer;
    if (diff_src == NULL)
        return TR_OK;
    *diff_src = diff_dst;
    if (self->rate == 0.0)
        return TR_OK;
    return tr_dropout_backward(program, self->rate, (uint32_t)layer->number, tape->dst,
                               tape->workspace, diff_dst, diff_src, err);
}

const tr_layer_ops tr_dropout_ops = {
    .type = "dropout",
    .keras_class = "Dropout",
    .keras_rest = "{\"noise_shape\":null,\"seed\":null}",
    .doc = "elements set to zero at random, in training",
    .bytes = sizeof(dropout),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = dropout_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
