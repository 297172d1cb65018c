/* views.c -- see views.h. */
#include "views.h"

#include <string.h>

int tr_views_of(unsigned chosen, tr_view views[TR_MAX_VIEWS])
{
    static const int shifts[3] = {0, -1, 1};
    const bool flip = (chosen & TR_VIEWS_FLIP) != 0, shift = (chosen & TR_VIEWS_SHIFT) != 0;
    int n = 0;
    for (int s = 0; s < (shift ? 3 : 1); s++)
        for (int f = 0; f < (flip ? 2 : 1); f++)
            views[n++] =
                (tr_view){.weight = (shift ? (s == 0 ? 0.5 : 0.25) : 1.0) / (flip ? 2.0 : 1.0),
                          .flips = f == 1,
                          .shift = shifts[s]};
    return n;
}

/* The pixel of an axis of n that comes to `at`; beyond the rim its neighbours again. */
static int64_t source(int64_t at, int64_t n, int shift)
{
    const int64_t from = at - shift;
    if (n == 1)
        return 0;
    return from < 0 ? -from : from >= n ? 2 * (n - 1) - from : from;
}

void tr_view_make(const tr_view *view, int64_t n, const int64_t shape[3], const float *src,
                  float *dst)
{
    const int64_t h = shape[0], w = shape[1], c = shape[2];
    for (int64_t i = 0; i < n; i++, src += h * w * c)
        for (int64_t y = 0; y < h; y++) {
            const float *row = src + source(y, h, view->shift) * w * c;
            for (int64_t x = 0; x < w; x++, dst += c) {
                const int64_t from = source(x, w, view->shift);
                memcpy(dst, row + (view->flips ? w - 1 - from : from) * c, (size_t)c * sizeof *dst);
            }
        }
}
