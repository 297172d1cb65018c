/* warping_layer.c -- see warping_layer.h. */
#include "warping_layer.h"

const char *const tr_fill_mode_names[] = {"reflect", "wrap", "constant", "nearest", NULL};
const char *const tr_interpolation_names[] = {"nearest", "bilinear", NULL};

tr_status tr_warping_shape(tr_layer *layer, tr_error *err)
{
    const int64_t *size = ((const tr_warping_layer *)layer)->size;
    TR_TRY(tr_augmenting_shape(layer, err));
    layer->dst.h = size[0];
    layer->dst.w = size[1];
    return TR_OK;
}

tr_affine tr_warping_shift(float columns, float rows)
{
    return (tr_affine){.a = 1.0f, .c = -columns, .e = 1.0f, .f = -rows};
}

void tr_warping_part(int64_t first, int64_t length, int64_t out, float *by, float *shift)
{
    const double scale = (double)length / (double)out;
    *by = (float)scale;
    *shift = (float)(0.5 * scale - 0.5 + (double)first);
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
