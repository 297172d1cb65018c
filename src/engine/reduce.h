/* reduce.h -- the only place where gradients are added: "in which order?" has one answer.
 *
 * The leaves are the micro-batches of a batch, in order. Their sum is a fixed binary tree over the
 * micro-batch index: n leaves are split at the largest power of two below n, each side is summed
 * so, and the two are added. The tree depends on n alone, never on who computed a leaf, so the
 * result is the same to the bit for any number of threads.
 */
#ifndef TR_REDUCE_H
#define TR_REDUCE_H

#include <stddef.h>
#include <stdint.h>

enum { TR_REDUCE_CHUNK = 512 }; /* elements summed at a time: two kilobytes stay in L1 */

/* out[i] = tree sum over k < n_leaves of leaves[k * stride + i], i < n <= TR_REDUCE_CHUNK. */
void tr_reduce_leaves(float *out, const float *leaves, size_t stride, int64_t n_leaves, size_t n);

/* out[i] += right[i], i < n: one node of the tree, for who walks it in another way. */
void tr_reduce_add(float *out, const float *right, size_t n);

/* The tree over doubles: a network's sums over a batch. `room` [64 * n] is used. */
enum { TR_REDUCE_ROOM = 64 };
void tr_reduce_doubles(double *out, const double *leaves, size_t stride, int64_t n_leaves, size_t n,
                       double *room);

#endif
