/* rng.c -- Philox4x32-10; see rng.h. */
#include "rng.h"

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
