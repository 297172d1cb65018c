/* repeating.h -- tensors that are repeated along axes of 1, where others have more, as NumPy and
 * Keras do it: for merging.c.
 *
 * All lie in Keras's order, without padding: n h w c, or n c.
 */
#ifndef TR_REPEATING_H
#define TR_REPEATING_H

#include "program_internal.h"

/* A small tensor as a large one reads it. */
typedef struct tr_repetition {
    bool repeats;     /* else they are of one size */
    int64_t whole[4]; /* n h w c of the large one */
    int64_t steps[4]; /* in the small one, along those; 0 where it is repeated */
} tr_repetition;
tr_repetition tr_repetition_of(tr_layout part, tr_layout whole);

/* n numbers of the large tensor, from number `at` on, as float32 in `room`, which is returned. */
const float *tr_repetition_read(const tr_repetition *by, const void *part, tr_precision type,
                                int64_t at, int64_t n, float *room);

/* Equal in dimensions. */
bool tr_layouts_are_alike(tr_layout a, tr_layout b);

/* Of what n values become together, in Keras's order; NULL: out of memory. */
tr_layout tr_repeated_layout(const tr_program *program, const tr_value *values, int n,
                             tr_precision type);

/* *diff, of the large tensor's size, made the gradient of a source: summed over what was repeated.
 */
tr_status tr_add_repeated(tr_program *program, tr_value src, tr_value *diff, tr_error *err);

#endif
