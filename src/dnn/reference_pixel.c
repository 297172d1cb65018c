/* reference_pixel.c -- normalization of each pixel by definition; see reference.h. */
#include <math.h>

#include "reference.h"

/* Mean and deviation of the pixel that begins at element i; its channels lie `step` apart. */
typedef struct pixel {
    double mean, reciprocal, size; /* size: mean |src| */
} pixel;

static pixel pixel_at(double epsilon, const double *src, int64_t c, int64_t step)
{
    double sum = 0.0, sizes = 0.0, squares = 0.0;
    for (int64_t k = 0; k < c; k++) {
        sum += src[k * step];
        sizes += fabs(src[k * step]);
    }
    const double n = (double)c, mean = sum / n;
    for (int64_t k = 0; k < c; k++)
        squares += (src[k * step] - mean) * (src[k * step] - mean);
    return (pixel){mean, 1.0 / sqrt(squares / n + epsilon), sizes / n};
}

static double value_or(const tr_tensor *tensor, int64_t i, double absent)
{
    return tensor == NULL ? absent : tensor->values[i];
}

int64_t tr_reference_pixel_forward(double epsilon, const tr_tensor *src, const tr_tensor *gamma,
                                   const tr_tensor *beta, tr_tensor *dst)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    for (int64_t p = 0; p < src->dims[0] * image; p++) {
        const int64_t first = p / image * c * image + p % image;
        const pixel of = pixel_at(epsilon, src->values + first, c, image);
        for (int64_t k = 0; k < c; k++) {
            const int64_t i = first + k * image;
            const double factor = of.reciprocal * value_or(gamma, k, 1.0);
            const double shift = value_or(beta, k, 0.0);
            dst->values[i] = (src->values[i] - of.mean) * factor + shift;
            dst->scale[i] = (fabs(src->values[i]) + of.size) * fabs(factor) + fabs(shift);
        }
    }
    return 4;
}

/* diff_src of a pixel that begins at element i, and its share of the other gradients. */
static void pixel_backward(const pixel *of, int64_t first, const tr_tensor *src,
                           const tr_tensor *gamma, const tr_tensor *diff_dst, tr_tensor *diff_src,
                           tr_tensor *diff_gamma, tr_tensor *diff_beta)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    double mean = 0.0, means = 0.0, slope = 0.0, slopes = 0.0;
    for (int64_t k = 0; k < c; k++) {
        const int64_t i = first + k * image;
        const double xhat = (src->values[i] - of->mean) * of->reciprocal;
        const double size = (fabs(src->values[i]) + of->size) * of->reciprocal;
        const double diff = diff_dst->values[i], d = diff * value_or(gamma, k, 1.0);
        mean += d / (double)c;
        means += fabs(d) / (double)c;
        slope += d * xhat / (double)c;
        slopes += fabs(d) * size / (double)c;
        if (diff_gamma != NULL) {
            diff_gamma->values[k] += diff * xhat;
            diff_gamma->scale[k] += fabs(diff) * size;
        }
        if (diff_beta != NULL) {
            diff_beta->values[k] += diff;
            diff_beta->scale[k] += fabs(diff);
        }
    }
    for (int64_t k = 0; k < c; k++) {
        const int64_t i = first + k * image;
        const double xhat = (src->values[i] - of->mean) * of->reciprocal;
        const double size = (fabs(src->values[i]) + of->size) * of->reciprocal;
        const double d = diff_dst->values[i] * value_or(gamma, k, 1.0);
        diff_src->values[i] = (d - mean - xhat * slope) * of->reciprocal;
        diff_src->scale[i] = (fabs(d) + means + size * slopes) * of->reciprocal;
    }
}

int64_t tr_reference_pixel_backward(double epsilon, int64_t n_samples, const tr_tensor *src,
                                    const tr_tensor *gamma, const tr_tensor *diff_dst,
                                    tr_tensor *diff_src, tr_tensor *diff_gamma,
                                    tr_tensor *diff_beta)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    for (int64_t p = 0; p < n_samples * image; p++) {
        const int64_t first = p / image * c * image + p % image;
        const pixel of = pixel_at(epsilon, src->values + first, c, image);
        pixel_backward(&of, first, src, gamma, diff_dst, diff_src, diff_gamma, diff_beta);
    }
    return 8;
}
