/* batch.c -- gather and scale; see batch.h.
 *
 * A real division, not a multiplication by the reciprocal: 1/255 is no float, and for many of the
 * 256 pixel values the product differs from NumPy's quotient in the last bit. The division costs
 * a thousandth of a training step.
 */
#include "batch.h"

#include <string.h>

#include "simd.h"

TR_SIMD_CLONES
static void scale_u8(float *restrict dst, const uint8_t *restrict src, int64_t n, float num,
                     float den)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = (float)src[i] * num / den;
}

TR_SIMD_CLONES
static void scale_f32(float *restrict dst, const float *restrict src, int64_t n, float num,
                      float den)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = src[i] * num / den;
}

void tr_batch_gather(float *dst, const tr_samples *samples, const uint32_t *index, int64_t n,
                     int64_t n_padded, float num, float den)
{
    const int64_t pixels = samples->h * samples->w * samples->c;
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = (int64_t)index[i] * pixels;
        if (samples->pixel == TR_PIXEL_U8)
            scale_u8(dst + i * pixels, (const uint8_t *)samples->x + first, pixels, num, den);
        else
            scale_f32(dst + i * pixels, (const float *)samples->x + first, pixels, num, den);
    }
    if (n_padded > n)
        memset(dst + n * pixels, 0, (size_t)((n_padded - n) * pixels) * sizeof *dst);
}

void tr_batch_classes(int32_t *y, const tr_samples *samples, const uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = samples->y[index[i]];
}

void tr_batch_weights(float *weights, const tr_samples *samples, const uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        weights[i] = samples->weights[index[i]];
}

void tr_batch_values(float *values, const tr_samples *samples, const uint32_t *index, int64_t n)
{
    const int64_t width = samples->width;
    for (int64_t i = 0; i < n; i++)
        memcpy(values + i * width, samples->values + (int64_t)index[i] * width,
               (size_t)width * sizeof *values);
}
