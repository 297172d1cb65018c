/* rng.c -- Philox4x32-10; see rng.h. */
#include "rng.h"

#include "elementary_math.h"
#include "simd.h"

void tr_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        const uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u; /* Weyl sequence: golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t tr_random_bits(uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b)
{
    const uint32_t counter[4] = {(uint32_t)b, (uint32_t)(b >> 32), a, (uint32_t)purpose};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    tr_philox(counter, key, words);
    return (uint64_t)words[1] << 32 | words[0];
}

float tr_random_uniform(uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b)
{
    return (float)(tr_random_bits(seed, purpose, a, b) >> 40) * 0x1p-24f;
}

uint64_t tr_random_below(uint64_t n, uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b)
{
    const uint64_t bits = tr_random_bits(seed, purpose, a, b);
    return (uint64_t)((unsigned __int128)bits * n >> 64);
}

/* ---- masks ---- */

/* Counters side by side, so that a vector register holds the same word of many of them: a block's
 * element e is half e / 256 of word e / 64 % 4 of counter e % 64. */
enum { LANES = 64 };
_Static_assert(8 * LANES == TR_MASK_BLOCK, "eight halves of words per counter");

static void mask_counter(const tr_mask_address *at, uint32_t first, uint32_t counter[4])
{
    counter[0] = first;
    counter[1] = at->sample;
    counter[2] = at->update;
    counter[3] = (uint32_t)TR_PURPOSE_DROPOUT | at->layer << 8;
}

/* tr_philox() of the counters {c[0] + i, c[1], c[2], c[3]}, compared with `limit`. */
TR_SIMD_CLONES
static void mask_block(const uint32_t c[4], const uint32_t key[2], uint32_t limit,
                       uint8_t *restrict keep)
{
    uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < LANES; i++) {
        c0[i] = c[0] + (uint32_t)i;
        c1[i] = c[1];
        c2[i] = c[2];
        c3[i] = c[3];
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < LANES; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[i];
            const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = (uint32_t)p1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const uint32_t *const words[4] = {c0, c1, c2, c3};
    for (int word = 0; word < 4; word++)
        for (int i = 0; i < LANES; i++) {
            keep[word * LANES + i] = (words[word][i] & 0xffffu) < limit;
            keep[(4 + word) * LANES + i] = words[word][i] >> 16 < limit;
        }
}

void tr_random_mask(const tr_mask_address *address, uint32_t keep_of_65536, int64_t n,
                    uint8_t *keep)
{
    const uint32_t key[2] = {(uint32_t)address->seed, (uint32_t)(address->seed >> 32)};
    uint32_t counter[4];
    for (int64_t i = 0; i < n; i += TR_MASK_BLOCK) {
        mask_counter(address, (uint32_t)(i / TR_MASK_BLOCK * LANES), counter);
        mask_block(counter, key, keep_of_65536, keep + i);
    }
}

bool tr_random_keeps(const tr_mask_address *address, uint32_t keep_of_65536, int64_t element)
{
    const uint32_t key[2] = {(uint32_t)address->seed, (uint32_t)(address->seed >> 32)};
    const int64_t block = element / TR_MASK_BLOCK, at = element % TR_MASK_BLOCK;
    uint32_t counter[4], words[4];
    mask_counter(address, (uint32_t)(block * LANES + at % LANES), counter);
    tr_philox(counter, key, words);
    const uint32_t word = words[at / LANES % 4];
    return (at < 4 * LANES ? word & 0xffffu : word >> 16) < keep_of_65536;
}

/* ---- noise ---- */

void tr_random_normals(const tr_mask_address *address, int64_t first, int64_t n, float *normals)
{
    const uint32_t key[2] = {(uint32_t)address->seed, (uint32_t)(address->seed >> 32)};
    for (int64_t i = 0; i < n; i += 4) {
        const uint32_t counter[4] = {(uint32_t)((first + i) / 4), address->sample, address->update,
                                     (uint32_t)TR_PURPOSE_NOISE | address->layer << 8};
        uint32_t words[4];
        tr_philox(counter, key, words);
        for (int64_t k = 0; k < 4 && i + k < n; k++)
            normals[i + k] = (float)tr_normal_quantile(((double)words[k] + 0.5) * 0x1p-32);
    }
}

/* ---- augmentation ---- */

void tr_random_chances(const tr_mask_address *address, int n, float *chances)
{
    const uint32_t key[2] = {(uint32_t)address->seed, (uint32_t)(address->seed >> 32)};
    for (int i = 0; i < n; i += 4) {
        const uint32_t counter[4] = {(uint32_t)i / 4, address->sample, address->update,
                                     (uint32_t)TR_PURPOSE_AUGMENT | address->layer << 8};
        uint32_t words[4];
        tr_philox(counter, key, words);
        for (int k = 0; k < 4 && i + k < n; k++)
            chances[i + k] = (float)(words[k] >> 8) * 0x1p-24f;
    }
}
