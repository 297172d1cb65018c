/* tinting.h -- what tinting.c and its plain definition share; for src/dnn only. */
#ifndef TR_TINTING_H
#define TR_TINTING_H

#include "augmenting.h"

/* Red, green, blue: what Keras and TensorFlow make grey of. */
extern const double tr_grey_shares[3];

/* One image's base, [h, w, c] as src; each sum in double. */
void tr_tint_base_of(tr_tint_base base, const float *src, int64_t h, int64_t w, int64_t c,
                     float *to);

/* Whether the result follows its source, neither low nor high. */
static inline bool tr_tint_passes(const tr_tinting *how, tr_tint tint, float x, float base)
{
    const float y = (x - base) * tint.factor + base + tint.shift;
    return y >= (float)how->low && y <= (float)how->high;
}

#endif
