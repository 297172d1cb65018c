/* newton_schulz.h -- a matrix made nearly orthogonal by a quintic iteration, in passes and parts.
 *
 *     Y = X / (|X| + 1e-7);   steps times:   A = Y'Y,  B = b A + c A A,  Y = a Y + Y B
 *
 * Y is tall: a wide X is transposed as it is put in and taken out, which changes no product. All is
 * float32. A sum of products goes in blocks of so many terms, in each from the first to the last,
 * then over the blocks: its order follows from the sizes alone. Of n x m, m the smaller, a step
 * takes n m (1.5 m) + m m (0.5 m) multiply-adds.
 */
#ifndef TR_NEWTON_SCHULZ_H
#define TR_NEWTON_SCHULZ_H

#include <stddef.h>

typedef struct tr_newton_schulz {
    size_t rows, columns; /* of X, row-major */
    double a, b, c;
    int steps;
} tr_newton_schulz;

size_t tr_newton_schulz_room(const tr_newton_schulz *self); /* bytes */
int tr_newton_schulz_passes(const tr_newton_schulz *self);
size_t tr_newton_schulz_parts(const tr_newton_schulz *self, int pass);

/* Part of a pass (optimizer.h). The first pass takes X out of `x`, the last one writes `factor`
 * times the result there. */
void tr_newton_schulz_run(const tr_newton_schulz *self, float *x, float factor, void *room,
                          int pass, size_t part);

/* The elements of X that a part of the first and of the last pass sees: `count` rows of `length`,
 * `stride` apart. For who computes X as it is put in. */
typedef struct tr_stripe {
    size_t first, count, length, stride;
} tr_stripe;
tr_stripe tr_newton_schulz_stripe(const tr_newton_schulz *self, size_t part);

#endif
