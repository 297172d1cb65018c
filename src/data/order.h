/* order.h -- which sample comes when: the seeded order of an epoch, addressed by (seed, epoch). */
#ifndef TR_ORDER_H
#define TR_ORDER_H

#include <stdint.h>

/* Writes the order of epoch `epoch` (0-based) into order[n]: `samples` (the split's training
 * indices) permuted by a Fisher-Yates shuffle whose numbers are Philox at (seed, SHUFFLE, epoch,
 * position). A pure function: the same at any thread count and after any resume. */
void tr_order_shuffled(uint32_t *order, const uint32_t *samples, int64_t n, uint64_t seed,
                       uint32_t epoch);

#endif
