/* unpack.h -- reading, filling and copying tensors of any blocked layout in plain C.
 *
 * Nothing here asks oneDNN for a copy: verify.c must not trust one kernel to check another, and
 * releases of oneDNN have had reorders that lose numbers. An element's place is computed from the
 * definition of the layout (places.h). Slower than oneDNN's reorders; not for every micro-batch.
 */
#ifndef TR_UNPACK_H
#define TR_UNPACK_H

#include "dnn.h"

/* Product of the dimensions. */
int64_t tr_layout_elements(tr_layout layout);

/* values [product of the dimensions] in logical order, the last dimension fastest. *n_dirty:
 * elements of the layout's padding that are not zero. */
tr_status tr_layout_unpack(tr_layout layout, const void *memory, double *values, int64_t *n_dirty,
                           tr_error *err);

/* The same with dimension `dim` summed over, `together` neighbours each, which divide its length:
 * the sum of factors [together] times the elements. Where `sizes` is no NULL, it gets the sums of
 * the absolute values. */
tr_status tr_layout_contract(tr_layout layout, const void *memory, int dim, int64_t together,
                             const double *factors, double *values, double *sizes, int64_t *n_dirty,
                             tr_error *err);

/* Multiplies each element by the factor of its position along `dim`. */
tr_status tr_layout_scale(tr_layout layout, void *memory, int dim, const double *factors,
                          tr_error *err);

/* Fills it with the numbers that `next` gives, in logical order, and the padding with 0. */
tr_status tr_layout_fill(tr_layout layout, void *memory, float (*next)(void *state), void *state,
                         tr_error *err);

/* The bfloat16 next to `value`, ties to even. */
double tr_bfloat16_of(double value);

#endif
