/* reference_image.c -- permutations and enlarged images by definition; see reference.h. */
#include <math.h>
#include <string.h>

#include "reference.h"

int64_t tr_reference_permute(const tr_axes *axes, bool forward, const tr_tensor *from,
                             tr_tensor *to)
{
    const tr_tensor *src = forward ? from : to, *dst = forward ? to : from;
    const int64_t c = dst->dims[1], h = dst->dims[2], w = dst->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        const int64_t place[3] = {i / w % h, i % w, i / (h * w) % c}; /* y, x, channel of dst */
        int64_t at[3];
        for (int k = 0; k < 3; k++)
            at[axes->of[k]] = place[k];
        const int64_t n = i / (c * h * w);
        const int64_t k =
            ((n * src->dims[1] + at[2]) * src->dims[2] + at[0]) * src->dims[3] + at[1];
        to->values[forward ? i : k] = from->values[forward ? k : i];
        to->scale[forward ? i : k] = 0.0;
    }
    return 1;
}

/* The pixels of an axis of `n` that the pixel `at` of the enlarged axis lies between, and how far
 * it is on the way from the first to the second. */
static double between(const tr_resampling *how, int axis, int64_t n, int64_t at, int64_t pixels[2])
{
    const double size = (double)how->size[axis];
    if (!how->bilinear) {
        pixels[0] = pixels[1] = at / how->size[axis];
        return 0.0;
    }
    const double place = ((double)at + 0.5) / size - 0.5, below = floor(place);
    for (int i = 0; i < 2; i++) {
        const int64_t pixel = (int64_t)below + i;
        pixels[i] = pixel < 0 ? 0 : pixel >= n ? n - 1 : pixel;
    }
    return place - below;
}

int64_t tr_reference_resample(const tr_resampling *how, bool forward, const tr_tensor *from,
                              tr_tensor *to)
{
    const tr_tensor *small = forward ? from : to, *large = forward ? to : from;
    const int64_t h = small->dims[2], w = small->dims[3];
    const int64_t height = large->dims[2], width = large->dims[3];
    memset(to->values, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    memset(to->scale, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    for (int64_t i = 0; i < tr_tensor_elements(large); i++) {
        int64_t y[2], x[2];
        const double down = between(how, 0, h, i / width % height, y);
        const double right = between(how, 1, w, i % width, x);
        for (int corner = 0; corner < 4; corner++) {
            const int64_t k = (i / (height * width) * h + y[corner / 2]) * w + x[corner % 2];
            const double share =
                (corner / 2 ? down : 1.0 - down) * (corner % 2 ? right : 1.0 - right);
            const double term = share * from->values[forward ? k : i];
            to->values[forward ? i : k] += term;
            to->scale[forward ? i : k] += fabs(term);
        }
    }
    return 4; /* added in double */
}
