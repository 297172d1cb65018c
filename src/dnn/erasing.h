/* erasing.h -- what erasing.c and its plain definition share; for src/dnn only. */
#ifndef TR_ERASING_H
#define TR_ERASING_H

#include "augmenting.h"

/* Of sample i of a micro-batch. */
tr_rectangle tr_erasing_rectangle(const tr_erasing *how, const tr_draw *draw, int64_t i);

static inline bool tr_rectangle_has(const tr_rectangle *of, int64_t y, int64_t x)
{
    return (float)y >= of->y0 && (float)y < of->y1 && (float)x >= of->x0 && (float)x < of->x1;
}

/* A row's filling, [w * c], with the numbers of its elements from number `first` of sample i on. */
void tr_erasing_fill(const tr_erasing *how, const tr_draw *draw, int64_t i, int64_t first,
                     int64_t n, int64_t c, float *to);

#endif
