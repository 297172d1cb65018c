/* order.c -- the seeded order of an epoch; see order.h.
 *
 * Fisher-Yates from the end. The number that decides position i is addressed by (seed, epoch, i)
 * and not drawn from a stream: epoch 7 needs no epochs 0 to 6 before it, so a resumed run has
 * nothing to replay and a checkpoint no generator state to hold.
 */
#include "order.h"

#include <string.h>

#include "rng.h"

void tr_order_shuffled(uint32_t *order, const uint32_t *samples, int64_t n, uint64_t seed,
                       uint32_t epoch)
{
    if (n <= 0)
        return;
    memcpy(order, samples, (size_t)n * sizeof *order);
    for (int64_t i = n - 1; i > 0; i--) {
        const uint64_t j =
            tr_random_below((uint64_t)i + 1, seed, TR_PURPOSE_SHUFFLE, epoch, (uint64_t)i);
        const uint32_t moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
}
