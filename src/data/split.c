/* split.c -- scikit-learn's train_test_split, index for index, so that a run here validates on the
 * very samples the same run in Python validates on.
 *
 * sklearn draws RandomState(seed).permutation(n) and gives the first ceil(validation_split * n) to
 * the test part. NumPy froze that stream for good (NEP 19): MT19937 seeded by Knuth's recurrence,
 * and a Fisher-Yates shuffle from the end whose bounded numbers are masked 32-bit draws, redrawn
 * while they are too large. The only stateful generator of the project; all else uses base/rng.h.
 *
 * Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998).
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "trainer/dataset.h"

/* ---- MT19937 ---- */

enum { MT_WORDS = 624, MT_SHIFT = 397 };

struct twister {
    uint32_t word[MT_WORDS];
    int next;
};

static void twister_seed(struct twister *mt, uint32_t seed)
{
    mt->word[0] = seed;
    for (uint32_t i = 1; i < MT_WORDS; i++) {
        const uint32_t before = mt->word[i - 1];
        mt->word[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    mt->next = MT_WORDS;
}

static void twister_turn(struct twister *mt)
{
    for (int i = 0; i < MT_WORDS; i++) {
        const uint32_t mixed =
            (mt->word[i] & 0x80000000u) | (mt->word[(i + 1) % MT_WORDS] & 0x7fffffffu);
        mt->word[i] =
            mt->word[(i + MT_SHIFT) % MT_WORDS] ^ mixed >> 1 ^ (mixed & 1 ? 0x9908b0dfu : 0);
    }
    mt->next = 0;
}

static uint32_t twister_draw(struct twister *mt)
{
    if (mt->next == MT_WORDS)
        twister_turn(mt);
    uint32_t bits = mt->word[mt->next++];
    bits ^= bits >> 11;
    bits ^= bits << 7 & 0x9d2c5680u;
    bits ^= bits << 15 & 0xefc60000u;
    return bits ^ bits >> 18;
}

/* Uniform in 0..max: draws under the smallest mask 2^k - 1 >= max, as NumPy does. A modulo would
 * be faster and would be another permutation. */
static uint32_t twister_up_to(struct twister *mt, uint32_t max)
{
    uint32_t mask = max;
    for (int shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    uint32_t value;
    do
        value = twister_draw(mt) & mask;
    while (value > max);
    return value;
}

/* ---- the split ---- */

static void identity(uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
}

/* permutation[n] = numpy.random.RandomState(seed).permutation(n). */
static void permute(uint32_t *permutation, int64_t n, uint32_t seed)
{
    struct twister mt;
    twister_seed(&mt, seed);
    identity(permutation, n);
    for (int64_t i = n - 1; i > 0; i--) {
        const uint32_t j = twister_up_to(&mt, (uint32_t)i);
        const uint32_t moved = permutation[i];
        permutation[i] = permutation[j];
        permutation[j] = moved;
    }
}

static tr_status check(int64_t n, double validation_split, tr_error *err)
{
    if (n < 1)
        return tr_fail(err, TR_ERR_DATA, "no samples to split: the training set is empty");
    if (n > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%lld samples: at most 4294967295 can be numbered",
                       (long long)n);
    if (!(validation_split >= 0 && validation_split < 1)) /* so that NaN is refused, too */
        return tr_fail(err, TR_ERR_DATA, "validation_split = %g: must be 0 or more and less than 1",
                       validation_split);
    return TR_OK;
}

tr_status tr_split_make(tr_split *out, int64_t n, double validation_split, uint32_t seed,
                        tr_error *err)
{
    TR_TRY(check(n, validation_split, err));
    tr_split split = {0};
    split.n_validation = (int64_t)ceil(validation_split * (double)n);
    split.n_train = n - split.n_validation;
    if (split.n_train < 1)
        return tr_fail(err, TR_ERR_DATA,
                       "validation_split = %g of %lld samples is all of them: none is left to "
                       "train on; make validation_split smaller",
                       validation_split, (long long)n);

    uint32_t *permutation = tr_alloc((size_t)n, sizeof *permutation);
    split.train = tr_alloc((size_t)split.n_train, sizeof *split.train);
    split.validation = tr_alloc((size_t)split.n_validation, sizeof *split.validation);
    if (permutation == NULL || split.train == NULL || split.validation == NULL) {
        tr_free(permutation);
        tr_split_release(&split);
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory for the order of %lld samples",
                       (long long)n);
    }
    if (split.n_validation == 0)
        identity(permutation, n);
    else
        permute(permutation, n, seed);
    memcpy(split.validation, permutation, (size_t)split.n_validation * sizeof *permutation);
    memcpy(split.train, permutation + split.n_validation,
           (size_t)split.n_train * sizeof *permutation);
    tr_free(permutation);
    *out = split;
    return TR_OK;
}

void tr_split_release(tr_split *split)
{
    if (split == NULL)
        return;
    tr_free(split->train);
    tr_free(split->validation);
    *split = (tr_split){0};
}
