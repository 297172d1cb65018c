/* twister.c -- MT19937 and NumPy's shuffle; see twister.h.
 *
 * Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998).
 */
#include "twister.h"

enum { SHIFT = 397 };

void tr_twister_seed(tr_twister *twister, uint32_t seed)
{
    twister->word[0] = seed;
    for (uint32_t i = 1; i < TR_TWISTER_WORDS; i++) {
        const uint32_t before = twister->word[i - 1];
        twister->word[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    twister->next = TR_TWISTER_WORDS;
}

static void turn(tr_twister *twister)
{
    uint32_t *word = twister->word;
    for (int i = 0; i < TR_TWISTER_WORDS; i++) {
        const uint32_t mixed =
            (word[i] & 0x80000000u) | (word[(i + 1) % TR_TWISTER_WORDS] & 0x7fffffffu);
        word[i] = word[(i + SHIFT) % TR_TWISTER_WORDS] ^ mixed >> 1 ^ (mixed & 1 ? 0x9908b0dfu : 0);
    }
    twister->next = 0;
}

static uint32_t draw(tr_twister *twister)
{
    if (twister->next == TR_TWISTER_WORDS)
        turn(twister);
    uint32_t bits = twister->word[twister->next++];
    bits ^= bits >> 11;
    bits ^= bits << 7 & 0x9d2c5680u;
    bits ^= bits << 15 & 0xefc60000u;
    return bits ^ bits >> 18;
}

/* Uniform in 0..max: draws under the smallest mask 2^k - 1 >= max, as NumPy does. A modulo would
 * be faster and would be another permutation. */
static uint32_t up_to(tr_twister *twister, uint32_t max)
{
    uint32_t mask = max;
    for (int shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    uint32_t value;
    do
        value = draw(twister) & mask;
    while (value > max);
    return value;
}

void tr_twister_shuffle(tr_twister *twister, uint32_t *numbers, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const uint32_t j = up_to(twister, (uint32_t)i);
        const uint32_t moved = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = moved;
    }
}

void tr_twister_permutation(tr_twister *twister, uint32_t *numbers, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)i;
    tr_twister_shuffle(twister, numbers, n);
}
