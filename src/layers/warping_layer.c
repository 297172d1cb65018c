/* warping_layer.c -- see warping_layer.h. */
#include "warping_layer.h"

#include <math.h>

const char *const tr_fill_mode_names[] = {"reflect", "wrap", "constant", "nearest", NULL};
const char *const tr_interpolation_names[] = {"nearest", "bilinear", NULL};

tr_status tr_warping_shape(tr_layer *layer, tr_error *err)
{
    layer->dst = layer->src;
    return layer->src.flat ? tr_fail(err, TR_ERR_CONFIG,
                                     "%s needs an image, and this is a vector; put it before the "
                                     "flatten",
                                     layer->ops->type)
                           : TR_OK;
}

tr_status tr_warping_sized_shape(tr_layer *layer, tr_error *err)
{
    const int64_t *size = ((const tr_warping_layer *)layer)->size;
    TR_TRY(tr_warping_shape(layer, err));
    layer->dst.h = size[0];
    layer->dst.w = size[1];
    return TR_OK;
}

tr_status tr_warping_range(tr_warping_layer *self, int i, const char *key, double least,
                           tr_error *err)
{
    const tr_reals *given = &self->factors[i];
    if (given->n > 2)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s has %d numbers; give one, or the two ends of a range", key, given->n);
    for (int k = 0; k < given->n; k++)
        if (given->values[k] < least || given->values[k] > 1.0)
            return tr_fail(err, TR_ERR_CONFIG, "%s = %.10g: must be from %g to 1", key,
                           given->values[k], least);
    const double first = given->values[0], second = given->n == 2 ? given->values[1] : -first;
    self->low[i] = fmin(first, second);
    self->high[i] = fmax(first, second);
    return TR_OK;
}

float tr_warping_between(const tr_warping_layer *self, int i, float chance)
{
    const float low = (float)self->low[i], high = (float)self->high[i];
    return chance * (high - low) + low;
}

tr_affine tr_warping_shift(float columns, float rows)
{
    return (tr_affine){.a = 1.0f, .c = -columns, .e = 1.0f, .f = -rows};
}

tr_sampling tr_warping_sampling(const tr_layer *layer, tr_map *map, bool random)
{
    const tr_warping_layer *self = (const tr_warping_layer *)layer;
    return (tr_sampling){.out = {layer->dst.h, layer->dst.w},
                         .fill_mode = self->fill_mode,
                         .bilinear = self->interpolation == 1,
                         .fill_value = self->fill_value,
                         .random = random,
                         .layer = (uint32_t)layer->number,
                         .map = map,
                         .settings = layer};
}

tr_status tr_warping_forward(tr_layer *layer, tr_map *map, bool random, tr_program *program,
                             tr_tape *tape, tr_value *dst, tr_error *err)
{
    const tr_sampling how = tr_warping_sampling(layer, map, random);
    *dst = tape->src;
    if (random && !tr_program_training(program))
        return TR_OK;
    return tr_sample_forward(program, &how, tape->src, dst, &tape->workspace, err);
}

tr_status tr_warping_backward(tr_layer *layer, tr_map *map, bool random, tr_program *program,
                              const tr_tape *tape, tr_value diff_dst, tr_value *diff_src,
                              tr_error *err)
{
    const tr_sampling how = tr_warping_sampling(layer, map, random);
    if (diff_src == NULL)
        return TR_OK;
    return tr_sample_backward(program, &how, tape->src, tape->workspace, diff_dst, diff_src, err);
}
