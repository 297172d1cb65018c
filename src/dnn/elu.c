/* elu.c -- the derivative of elu with an alpha other than 1, in plain C; see primitives.h.
 *
 *     diff_src = diff_dst * (y < 0 ? y + alpha : 1),  y = elu(x)
 *
 * It jumps at 0, and there TensorFlow's selu is on the upper side, oneDNN's on the lower: 1.05
 * against 1.76 for each of its zeros.
 */
#include "bfloat16.h"
#include "mem.h"
#include "program_internal.h"
#include "simd.h"

typedef struct plan {
    size_t n; /* elements of the memory, padding included */
    float alpha;
    tr_precision type;
} plan;

static inline float slope(float y, float alpha)
{
    return y < 0.0f ? y + alpha : 1.0f;
}

TR_SIMD_CLONES
static void apply_float32(const float *restrict y, const float *restrict diff_dst,
                          float *restrict diff_src, size_t n, float alpha)
{
    for (size_t i = 0; i < n; i++)
        diff_src[i] = diff_dst[i] * slope(y[i], alpha);
}

TR_SIMD_CLONES
static void apply_bfloat16(const uint16_t *restrict y, const uint16_t *restrict diff_dst,
                           uint16_t *restrict diff_src, size_t n, float alpha)
{
    for (size_t i = 0; i < n; i++)
        diff_src[i] =
            tr_to_bfloat16(tr_from_bfloat16(diff_dst[i]) * slope(tr_from_bfloat16(y[i]), alpha));
}

/* data: dst, diff_dst, diff_src, all in one layout */
static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    if (self->type == TR_FLOAT32)
        apply_float32(data[0], data[1], data[2], self->n, self->alpha);
    else
        apply_bfloat16(data[0], data[1], data[2], self->n, self->alpha);
}

tr_native tr_elu_gradient(const tr_function *function, tr_layout layout)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return (tr_native){0};
    self->type = tr_layout_type(layout);
    self->n =
        tr_layout_bytes(layout) / (self->type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t));
    self->alpha = function->alpha;
    return (tr_native){.run = run, .plan = self};
}
