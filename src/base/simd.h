/* simd.h -- our own hot loops in the width of the machine at hand, from one portable source.
 *
 * TR_SIMD_CLONES makes the compiler emit the function for AVX-512, AVX2 and plain x86-64; the
 * loader picks one. The results do not differ between them: the project is compiled without
 * floating-point contraction or reassociation, and these loops are elementwise.
 */
#ifndef TR_SIMD_H
#define TR_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(TR_NO_SIMD_CLONES)
#define TR_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TR_SIMD_CLONES
#endif

#endif
