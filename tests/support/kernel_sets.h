/* kernel_sets.h -- our kernels under test: every instruction set of this machine, and a wide one
 * that any machine can run; all of them give the same bits.
 */
#ifndef KERNEL_SETS_H
#define KERNEL_SETS_H

#include "kernels.h"

/* The i-th set, NULL behind the last; the scalar one is the first. */
const tr_kernels *kernel_set(int i);

/* New floats, for free(): numbers in [-1, 1) that depend on the seed alone, or, with seed 0, NaNs,
 * for results that are to be written in full. */
float *new_floats(int64_t count, uint64_t seed);

/* The same bits, where a NaN is a NaN: which one, no instruction set promises. */
bool same_floats(const float *a, const float *b, int64_t count);

#endif
