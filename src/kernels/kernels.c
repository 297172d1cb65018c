/* kernels.c -- which instruction sets this CPU has; see kernels.h. */
#include "kernels.h"

#define TR_HAS(set) extern const tr_kernels tr_kernels_##set;
TR_HAS(scalar)
#if defined(__x86_64__)
TR_HAS(avx2)
TR_HAS(avx512)
#elif defined(__aarch64__)
TR_HAS(neon)
#endif
#undef TR_HAS

const tr_kernels *tr_kernels_of(tr_instruction_set set)
{
#if defined(__x86_64__)
    switch (set) {
    case TR_SET_SCALAR:
        return __builtin_cpu_supports("fma") ? &tr_kernels_scalar : NULL;
    case TR_SET_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tr_kernels_avx2
                                                                               : NULL;
    case TR_SET_AVX512:
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                       __builtin_cpu_supports("avx512vl")
                   ? &tr_kernels_avx512
                   : NULL;
    default:
        return NULL;
    }
#elif defined(__aarch64__) /* both belong to the architecture */
    return set == TR_SET_SCALAR ? &tr_kernels_scalar : set == TR_SET_NEON ? &tr_kernels_neon : NULL;
#else
    return set == TR_SET_SCALAR ? &tr_kernels_scalar : NULL;
#endif
}

const tr_kernels *tr_kernels_best(tr_instruction_set limit)
{
    for (int set = (int)limit; set >= 0; set--)
        if (tr_kernels_of((tr_instruction_set)set) != NULL)
            return tr_kernels_of((tr_instruction_set)set);
    return NULL;
}

const tr_kernels *tr_kernels_filled_by(const tr_kernels *kernels, int64_t channels)
{
    const tr_kernels *narrow = tr_kernels_of(TR_SET_AVX2);
    return narrow != NULL && kernels->width == 2 * narrow->width && channels <= narrow->width
               ? narrow
               : kernels;
}
