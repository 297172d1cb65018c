/* reshape.c -- the same elements in Keras's order (row-major over h, w, c) under other dimensions.
 *
 * Keras's Reshape, to a vector or to an image. Costs nothing where the tensor is one already (a
 * vector that a global pooling made is an image of 1 x 1) and between flat ones; an image of
 * another size needs Keras's order. No parameters.
 */
#include <inttypes.h>
#include <stddef.h>

#include "layer.h"

typedef struct reshape {
    tr_layer base;
    int64_t target_shape[3]; /* of a vector the last, behind zeros */
} reshape;

static const tr_key keys[] = {
    {.name = "target_shape",
     .kind = TR_KEY_INTS,
     .count = 3,
     .offset = offsetof(reshape, target_shape),
     .min = -1,
     .max = 65536,
     .vector_max = 2147483647,
     .doc = "1 number, a vector; or height, width, channels; one may be -1: what is left"},
};

/* The target with the number that -1 stands for; those from `first` on. */
static tr_status fill_in(const reshape *self, int first, int64_t target[3], tr_error *err)
{
    const tr_shape *src = &self->base.src;
    const int64_t elements = src->h * src->w * src->c;
    int64_t product = 1;
    int left = -1;
    for (int i = first; i < 3; i++) {
        target[i] = self->target_shape[i];
        if (target[i] == 0 || (target[i] < 0 && left >= 0))
            return tr_fail(err, TR_ERR_CONFIG,
                           "target_shape: each number must be positive; one may be -1");
        if (target[i] < 0)
            left = i;
        else
            product = product > elements / target[i] ? elements + 1 : product * target[i];
    }
    if (left >= 0)
        target[left] = elements / product;
    if (product > elements || (left < 0 ? product != elements : elements % product != 0))
        return tr_fail(err, TR_ERR_CONFIG,
                       "target_shape does not hold the %" PRId64 " elements of the input; "
                       "-1 in one place stands for what is left",
                       elements);
    return TR_OK;
}

static tr_status reshape_shape(tr_layer *layer, tr_error *err)
{
    const reshape *self = (const reshape *)layer;
    const bool flat = self->target_shape[0] == 0 && self->target_shape[1] == 0;
    int64_t target[3];
    TR_TRY(fill_in(self, flat ? 2 : 0, target, err));
    layer->dst = flat ? (tr_shape){.h = 1, .w = 1, .c = target[2], .flat = true}
                      : (tr_shape){.h = target[0], .w = target[1], .c = target[2]};
    return TR_OK;
}

/* A vector may be an image still, as behind flatten. */
static tr_status reshape_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    const tr_shape *to = &layer->dst;
    const int64_t dims[4] = {layer->micro_batch, to->c, to->h, to->w};
    *dst = tape->src;
    return to->flat ? TR_OK : tr_program_reshape(program, tape->src, 4, dims, dst, err);
}

static tr_status reshape_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    int64_t dims[4];
    (void)layer;
    if (diff_src == NULL)
        return TR_OK;
    const int n_dims = tr_layout_dims(tr_program_layout(program, tape->src), dims);
    return tr_program_reshape(program, diff_dst, n_dims, dims, diff_src, err);
}

const tr_layer_ops tr_reshape_ops = {
    .type = "reshape",
    .keras_class = "Reshape",
    .doc = "the same elements as a vector or as another image",
    .bytes = sizeof(reshape),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = reshape_shape,
    .forward = reshape_forward,
    .backward = reshape_backward,
};
