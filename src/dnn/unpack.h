/* unpack.h -- reading a tensor out of any blocked layout in plain C.
 *
 * tr_layout_copy() is oneDNN's own reorder; verify.c must not trust one kernel to check another.
 * Here an element's place is computed from the definition of the layout. Slow, and only for checks.
 */
#ifndef TR_UNPACK_H
#define TR_UNPACK_H

#include "dnn.h"

/* Product of the dimensions. */
int64_t tr_layout_elements(tr_layout layout);

/* values [product of the dimensions] in logical order, the last dimension fastest. *n_dirty:
 * elements of the layout's padding that are not zero. False: the layout is opaque. */
bool tr_layout_unpack(tr_layout layout, const void *memory, double *values, int64_t *n_dirty);

/* The bfloat16 next to `value`, ties to even. */
double tr_bfloat16_of(double value);

#endif
