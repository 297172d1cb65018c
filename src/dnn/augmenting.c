/* augmenting.c -- see augmenting.h. */
#include "augmenting.h"

tr_mask_address tr_chance_address(const tr_draw *draw, uint32_t layer, int64_t i)
{
    return (tr_mask_address){.seed = draw->seed,
                             .layer = layer,
                             .update = (uint32_t)draw->update,
                             .sample = draw->samples == NULL ? (uint32_t)i : draw->samples[i]};
}

void tr_chances_of(const tr_draw *draw, uint32_t layer, int64_t i, float chances[TR_N_CHANCES])
{
    const tr_mask_address address = tr_chance_address(draw, layer, i);
    tr_random_chances(&address, TR_N_CHANCES, chances);
}

tr_layout tr_plain_images(const tr_program *program, tr_value like, int64_t h, int64_t w)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, like), d);
    return tr_layout_nhwc(program->dnn, d[0], h, w, d[1]);
}

tr_status tr_as_plain_images(tr_program *program, tr_value *value, tr_error *err)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, *value), d);
    return tr_program_reorder(program, *value, tr_plain_images(program, *value, d[2], d[3]), value,
                              err);
}

tr_value tr_for_each_sample(tr_program *program, tr_value like, size_t n_bytes)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, like), d);
    return tr_program_value(program,
                            tr_layout_x(program->dnn, d[0] * (int64_t)(n_bytes / sizeof(float))));
}
