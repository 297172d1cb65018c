/* rng.h -- addressed randomness: Philox4x32-10.
 *
 * A value is a pure function of (seed, purpose, four coordinates): nothing is drawn from a stream,
 * so no result can depend on which thread asks, in what order, or whether a run was resumed.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
 * Only data/split.c uses another generator (MT19937), because scikit-learn does.
 */
#ifndef TR_RNG_H
#define TR_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* What the number is for; part of the address, so that two uses never share numbers.
 * The values are part of the meaning of a seed: append, never renumber. */
typedef enum tr_purpose {
    TR_PURPOSE_INIT = 1,    /* initial weights: (parameter, element) */
    TR_PURPOSE_SHUFFLE = 2, /* order of an epoch: (epoch, position) */
    TR_PURPOSE_DROPOUT = 3, /* (layer, update, sample, element), see below */
    TR_PURPOSE_NOISE = 4,   /* likewise */
    TR_PURPOSE_AUGMENT = 5  /* (layer, update, sample, which of the sample's numbers) */
} tr_purpose;

/* The Philox4x32-10 block function: out = 4 words from a 4-word counter and a 2-word key. */
void tr_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* 64 random bits at the address (seed, purpose, a, b); a < 2^32. */
uint64_t tr_random_bits(uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b);

/* Uniform in [0, 1) with 24 bits, the precision of a float. */
float tr_random_uniform(uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b);

/* Uniform integer in [0, n), n >= 1: the high word of bits * n. Its bias is below n / 2^64. */
uint64_t tr_random_below(uint64_t n, uint64_t seed, tr_purpose purpose, uint32_t a, uint64_t b);

/* ---- masks ---- */

/* Whose mask; `layer` < 2^24. */
typedef struct tr_mask_address {
    uint64_t seed;
    uint32_t layer, update, sample;
} tr_mask_address;

enum { TR_MASK_BLOCK = 512 };

/* keep[i] = 1 with probability `keep_of_65536` / 65536, else 0, for elements i = 0 .. n-1; writes
 * up to the next multiple of TR_MASK_BLOCK. An element is a 16-bit half of a word of Philox's;
 * which one: tr_random_keeps(), the same for one element, and slow. */
void tr_random_mask(const tr_mask_address *address, uint32_t keep_of_65536, int64_t n,
                    uint8_t *keep);
bool tr_random_keeps(const tr_mask_address *address, uint32_t keep_of_65536, int64_t element);

/* chances[i]: uniform in [0, 1) with 24 bits, the i-th number of augmentation that a layer has for
 * this sample and update: word i % 4 of Philox's counter i / 4. */
void tr_random_chances(const tr_mask_address *address, int n, float *chances);

/* normals[i]: standard normal, of element first + i, whose word of Philox's is number i % 4 of
 * counter i / 4; first is a multiple of 4. */
void tr_random_normals(const tr_mask_address *address, int64_t first, int64_t n, float *normals);

#endif
