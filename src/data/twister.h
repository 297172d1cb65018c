/* twister.h -- numpy.random.RandomState(seed), as far as scikit-learn's splits draw from it.
 *
 * NumPy froze that stream for good (NEP 19): MT19937 seeded by Knuth's recurrence, and a
 * Fisher-Yates shuffle from the end whose bounded numbers are masked 32-bit draws, redrawn while
 * they are too large. The only stateful generator of the project; all else uses base/rng.h.
 */
#ifndef TR_TWISTER_H
#define TR_TWISTER_H

#include <stdint.h>

enum { TR_TWISTER_WORDS = 624 };

typedef struct tr_twister {
    uint32_t word[TR_TWISTER_WORDS];
    int next;
} tr_twister;

void tr_twister_seed(tr_twister *twister, uint32_t seed);

/* RandomState.shuffle(numbers); n at most 2^32. */
void tr_twister_shuffle(tr_twister *twister, uint32_t *numbers, int64_t n);

/* numbers[n] = RandomState.permutation(n). */
void tr_twister_permutation(tr_twister *twister, uint32_t *numbers, int64_t n);

#endif
