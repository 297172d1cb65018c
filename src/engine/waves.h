/* waves.h -- memory for gradients: a slot for each micro-batch at work, and sums of finished waves.
 *
 * A batch of a thousand micro-batches would need a thousand slots, each as long as the trained
 * parameters. So micro-batches are taken in waves of k, a power of two: aligned subtrees of
 * reduce.h's tree. A finished wave is folded into the partial sums of those before it, as a binary
 * counter carries: two subtrees of equal size become one. What is added to what is the tree's
 * decision alone, so the bits are the same for every k. With k slots for all there is one wave, and
 * the slots themselves are what the update sums.
 */
#ifndef TR_WAVES_H
#define TR_WAVES_H

#include "program.h"
#include "update.h"

typedef struct tr_waves tr_waves;

/* For batches of up to n micro-batches. `slots`: k, a power of two; 0: as many as fit into
 * TR_GRADIENT_BYTES, but one for each thread. */
enum { TR_GRADIENT_BYTES = 128 << 20 };
tr_status tr_waves_new(tr_waves **out, const tr_program *program, size_t n_trained, int64_t n,
                       int64_t slots, int threads, tr_error *err);
void tr_waves_free(tr_waves *waves);

/* Micro-batches of a wave, where a batch has n of them and the stage writes gradients. */
int64_t tr_waves_size(const tr_waves *waves, int64_t n, int stage);

/* The gradient of micro-batch m of a batch of n. */
float *tr_waves_slot(const tr_waves *waves, int64_t n, int64_t m);

/* Adds the finished wave that begins with micro-batch `begin` and has `count` to those before it;
 * the last one makes the sum of all. Part `part` of `parts`, which all threads do together; not
 * where there is only one wave. */
void tr_waves_fold(const tr_waves *waves, int64_t n, int64_t begin, int64_t count, int stage,
                   int part, int parts);

/* What the update has to sum, when all stages of a batch of n are done. */
tr_leaves tr_waves_leaves(const tr_waves *waves, int64_t n);

size_t tr_waves_bytes(const tr_waves *waves);

#endif
