/* kernel_sets.c -- see kernel_sets.h. */
#include "kernel_sets.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

extern const tr_kernels tr_kernels_wide;

const tr_kernels *kernel_set(int i)
{
    for (int set = 0; set < TR_N_SETS; set++)
        if (tr_kernels_of((tr_instruction_set)set) != NULL && i-- == 0)
            return tr_kernels_of((tr_instruction_set)set);
    return i == 0 ? &tr_kernels_wide : NULL;
}

float *new_floats(int64_t count, uint64_t seed)
{
    const size_t bytes = (size_t)count * sizeof(float);
    float *values = malloc(bytes); /* to the byte, for AddressSanitizer */
    cr_assert(values != NULL || bytes == 0);
    if (seed == 0)
        memset(values, 0xff, bytes);
    for (int64_t i = 0; seed != 0 && i < count; i++)
        values[i] = 2.0f * tr_random_uniform(seed, TR_PURPOSE_INIT, 0, (uint64_t)i) - 1.0f;
    return values;
}

bool same_floats(const float *a, const float *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}
