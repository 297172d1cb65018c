/* repeating.h -- tensors that are repeated along axes of 1, where others have more, as NumPy and
 * Keras do it: for merging.c.
 *
 * All of them lie alike, in Keras's order or in blocks of channels, which are those of every one.
 */
#ifndef TR_REPEATING_H
#define TR_REPEATING_H

#include "program_internal.h"

/* In the order of memory: samples, runs of channels, height, width, channels of a run (pixels.h).
 */
enum { TR_MEMORY_AXES = 5 };

/* A small tensor as a large one reads it. */
typedef struct tr_repetition {
    bool repeats;                  /* else they are of one size */
    int64_t whole[TR_MEMORY_AXES]; /* of the large one */
    int64_t steps[TR_MEMORY_AXES]; /* in the small one, along those; 0 where it is repeated */
    int64_t part;                  /* numbers of one sample of the small one */
} tr_repetition;
tr_repetition tr_repetition_of(tr_layout part, tr_layout whole);

/* n numbers of the large tensor, from number `at` on, as float32 in `room`, which is returned. */
const float *tr_repetition_read(const tr_repetition *by, const void *part, tr_precision type,
                                int64_t at, int64_t n, float *room);

/* Whether some of the values are smaller than others; then *whole is the layout of what they become
 * together, and that of value k is tr_repeated_part(). NULL: out of memory. */
bool tr_repeated_whole(const tr_program *program, const tr_value *values, int n, tr_precision type,
                       tr_layout *whole);
tr_layout tr_repeated_part(const tr_program *program, tr_value value, tr_layout whole);

/* *diff, of the large tensor's size, made the gradient of a source: summed over what was repeated.
 */
tr_status tr_add_repeated(tr_program *program, tr_value src, tr_value *diff, tr_error *err);

#endif
