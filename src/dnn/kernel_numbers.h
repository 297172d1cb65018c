/* kernel_numbers.h -- the numbers that kernel_check.c lets an operation compute with. */
#ifndef TR_KERNEL_NUMBERS_H
#define TR_KERNEL_NUMBERS_H

#include "program_internal.h"

/* Either whole numbers up to `largest` in size, a share of them 0, or any from low to high. */
typedef struct tr_recipe {
    uint64_t state;
    int largest; /* 0: any */
    double density;
    bool both_signs;
    float low, high;
} tr_recipe;

uint64_t tr_noise_bits(uint64_t *state);
float tr_recipe_next(void *recipe); /* for tr_layout_fill() */

/* Fills what a source of an operation reads. Numbers that would be impossible there are not: a
 * variance is positive, sums are those of 8 pixels with a variance, and the channels of a block's
 * padding have factors 0 (normalization.h), which keeps that padding 0. */
tr_status tr_recipe_fill(tr_recipe *recipe, const tr_program *program, const tr_op *op,
                         const tr_arg *arg, void *memory, tr_error *err);

/* Of convolutions and inner products, which multiply by weights. */
bool tr_is_weighted(const tr_op *op);
double tr_count_terms(const tr_program *program, const tr_op *op); /* of their longest sum */

/* Any numbers, of such a size that sums of many terms keep an activation in its bend. */
tr_recipe tr_noise(const tr_program *program, const tr_op *op);

/* Whole numbers whose sums are exact. Copies: what a bfloat16 can hold. Products: below 2^24 in
 * float32, below 2^8 in bfloat16. Up to 3 where no sum of such products leaves half of that range;
 * else 1, and so many of them 0 that sums of one sign stay around 9/16 of the range, and others
 * within a tenth (one standard deviation): what lies beyond is nine standard deviations away. */
tr_recipe tr_whole_numbers(const tr_program *program, const tr_op *op, bool both_signs);

#endif
