/* vector.h -- a vector of floats, and all that kernels do with one. The only place that knows an
 * instruction set, and the only one with intrinsics.
 *
 * Each operation is exact IEEE arithmetic in every lane, so a lane computes what a scalar would.
 * VL is the width; `_n` functions work on the first n lanes, 0 <= n <= VL: reading leaves the others
 * 0 and touches no memory behind, writing leaves memory behind alone.
 */
#ifndef TR_VECTOR_H
#define TR_VECTOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TR_INLINE static inline __attribute__((always_inline))
/* Unrolls a loop whose count is a constant, so that its arrays of vectors become registers. */
#if defined(__clang__) && !defined(TR_FOR_WIDE)
#define TR_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__clang__)
#define TR_UNROLL _Pragma("clang loop unroll(disable)")
#elif defined(TR_FOR_WIDE) /* it has no such registers, and a compiler would take minutes */
#define TR_UNROLL _Pragma("GCC unroll 1")
#else
#define TR_UNROLL _Pragma("GCC unroll 16")
#endif

/* Vectors that fit into registers. */
#if defined(TR_FOR_AVX512) || defined(TR_FOR_NEON)
#define TR_REGISTERS 32
#else
#define TR_REGISTERS 16
#endif

/* The line of memory that holds p is wanted soon; it may lie outside of what is allocated. */
TR_INLINE void v_fetch_to_write(const float *p)
{
    __builtin_prefetch(p, 1);
}

/* clang-format off */
#if defined(TR_FOR_AVX512)
#include <immintrin.h>
enum { VL = 16 };
typedef __m512 vec;
typedef __m512i veci;
typedef __mmask16 vmask;
TR_INLINE vec v_load(const float *p) { return _mm512_loadu_ps(p); }
TR_INLINE void v_store(float *p, vec a) { _mm512_storeu_ps(p, a); }
TR_INLINE __mmask16 v_first_(int64_t n) { return (__mmask16)((1u << (unsigned)n) - 1u); }
TR_INLINE vec v_load_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(v_first_(n), p); }
TR_INLINE void v_store_n(float *p, vec a, int64_t n) { _mm512_mask_storeu_ps(p, v_first_(n), a); }
TR_INLINE vec v_set(float a) { return _mm512_set1_ps(a); }
TR_INLINE vec v_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
TR_INLINE vec v_fnma(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
TR_INLINE vec v_add(vec a, vec b) { return _mm512_add_ps(a, b); }
TR_INLINE vec v_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
TR_INLINE vec v_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
TR_INLINE vec v_div(vec a, vec b) { return _mm512_div_ps(a, b); }
TR_INLINE vec v_sqrt(vec a) { return _mm512_sqrt_ps(a); }
TR_INLINE vec v_max(vec a, vec b) { return _mm512_max_ps(a, b); } /* a > b ? a : b */
TR_INLINE vec v_min(vec a, vec b) { return _mm512_min_ps(a, b); } /* a < b ? a : b */
TR_INLINE vmask v_gt(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
TR_INLINE vmask v_is_nan(vec a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
TR_INLINE vec v_select(vmask m, vec a, vec b) { return _mm512_mask_blend_ps(m, b, a); }
TR_INLINE veci v_bits(vec a) { return _mm512_castps_si512(a); }
TR_INLINE vec v_of_bits(veci a) { return _mm512_castsi512_ps(a); }
TR_INLINE veci vi_set(int32_t a) { return _mm512_set1_epi32(a); }
TR_INLINE veci vi_add(veci a, veci b) { return _mm512_add_epi32(a, b); }
TR_INLINE veci vi_sub(veci a, veci b) { return _mm512_sub_epi32(a, b); }
TR_INLINE veci vi_and(veci a, veci b) { return _mm512_and_si512(a, b); }
TR_INLINE veci vi_or(veci a, veci b) { return _mm512_or_si512(a, b); }
#define vi_shift_left(a, n) _mm512_slli_epi32(a, n)
#define vi_shift_right(a, n) _mm512_srai_epi32(a, n) /* arithmetic */
TR_INLINE vec v_of_int(veci a) { return _mm512_cvtepi32_ps(a); }
TR_INLINE vmask vi_eq(veci a, veci b) { return _mm512_cmpeq_epi32_mask(a, b); }
TR_INLINE veci vi_select(vmask m, veci a, veci b) { return _mm512_mask_blend_epi32(m, b, a); }
/* VL numbers of 0 to 255, as bytes. */
TR_INLINE void vi_store_bytes(uint8_t *p, veci a)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}
TR_INLINE veci vi_load_bytes(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

#elif defined(TR_FOR_AVX2)
#include <immintrin.h>
enum { VL = 8 };
typedef __m256 vec;
typedef __m256i veci;
typedef __m256 vmask;
TR_INLINE vec v_load(const float *p) { return _mm256_loadu_ps(p); }
TR_INLINE void v_store(float *p, vec a) { _mm256_storeu_ps(p, a); }
TR_INLINE __m256i v_first_(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
TR_INLINE vec v_load_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, v_first_(n)); }
TR_INLINE void v_store_n(float *p, vec a, int64_t n) /* a masked store is slow on AMD's */
{
    __m128 part = _mm256_castps256_ps128(a);
    if ((n & 8) != 0)
        _mm256_storeu_ps(p, a);
    if ((n & 4) != 0) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if ((n & 2) != 0) {
        _mm_storel_pi((__m64 *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if ((n & 1) != 0)
        _mm_store_ss(p, part);
}
TR_INLINE vec v_set(float a) { return _mm256_set1_ps(a); }
TR_INLINE vec v_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
TR_INLINE vec v_fnma(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
TR_INLINE vec v_add(vec a, vec b) { return _mm256_add_ps(a, b); }
TR_INLINE vec v_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
TR_INLINE vec v_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
TR_INLINE vec v_div(vec a, vec b) { return _mm256_div_ps(a, b); }
TR_INLINE vec v_sqrt(vec a) { return _mm256_sqrt_ps(a); }
TR_INLINE vec v_max(vec a, vec b) { return _mm256_max_ps(a, b); } /* a > b ? a : b */
TR_INLINE vec v_min(vec a, vec b) { return _mm256_min_ps(a, b); } /* a < b ? a : b */
TR_INLINE vmask v_gt(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
TR_INLINE vmask v_is_nan(vec a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
TR_INLINE vec v_select(vmask m, vec a, vec b) { return _mm256_blendv_ps(b, a, m); }
TR_INLINE veci v_bits(vec a) { return _mm256_castps_si256(a); }
TR_INLINE vec v_of_bits(veci a) { return _mm256_castsi256_ps(a); }
TR_INLINE veci vi_set(int32_t a) { return _mm256_set1_epi32(a); }
TR_INLINE veci vi_add(veci a, veci b) { return _mm256_add_epi32(a, b); }
TR_INLINE veci vi_sub(veci a, veci b) { return _mm256_sub_epi32(a, b); }
TR_INLINE veci vi_and(veci a, veci b) { return _mm256_and_si256(a, b); }
TR_INLINE veci vi_or(veci a, veci b) { return _mm256_or_si256(a, b); }
#define vi_shift_left(a, n) _mm256_slli_epi32(a, n)
#define vi_shift_right(a, n) _mm256_srai_epi32(a, n)
TR_INLINE vec v_of_int(veci a) { return _mm256_cvtepi32_ps(a); }
TR_INLINE vmask vi_eq(veci a, veci b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
TR_INLINE veci vi_select(vmask m, veci a, veci b)
{
    return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m));
}
TR_INLINE void vi_store_bytes(uint8_t *p, veci a)
{
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
}
TR_INLINE veci vi_load_bytes(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

#elif defined(TR_FOR_NEON)
#include <arm_neon.h>
enum { VL = 4 };
typedef float32x4_t vec;
typedef int32x4_t veci;
typedef uint32x4_t vmask;
TR_INLINE vec v_load(const float *p) { return vld1q_f32(p); }
TR_INLINE void v_store(float *p, vec a) { vst1q_f32(p, a); }
TR_INLINE vec v_load_n(const float *p, int64_t n)
{
    float four[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    memcpy(four, p, (size_t)n * sizeof *four);
    return vld1q_f32(four);
}
TR_INLINE void v_store_n(float *p, vec a, int64_t n)
{
    float four[4];
    vst1q_f32(four, a);
    memcpy(p, four, (size_t)n * sizeof *four);
}
TR_INLINE vec v_set(float a) { return vdupq_n_f32(a); }
TR_INLINE vec v_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
TR_INLINE vec v_fnma(vec a, vec b, vec c) { return vfmsq_f32(c, a, b); }
TR_INLINE vec v_add(vec a, vec b) { return vaddq_f32(a, b); }
TR_INLINE vec v_sub(vec a, vec b) { return vsubq_f32(a, b); }
TR_INLINE vec v_mul(vec a, vec b) { return vmulq_f32(a, b); }
TR_INLINE vec v_div(vec a, vec b) { return vdivq_f32(a, b); }
TR_INLINE vec v_sqrt(vec a) { return vsqrtq_f32(a); }
TR_INLINE vmask v_gt(vec a, vec b) { return vcgtq_f32(a, b); }
TR_INLINE vmask v_is_nan(vec a) { return vmvnq_u32(vceqq_f32(a, a)); }
TR_INLINE vec v_select(vmask m, vec a, vec b) { return vbslq_f32(m, a, b); }
TR_INLINE vec v_max(vec a, vec b) { return v_select(v_gt(a, b), a, b); }
TR_INLINE vec v_min(vec a, vec b) { return v_select(v_gt(b, a), a, b); }
TR_INLINE veci v_bits(vec a) { return vreinterpretq_s32_f32(a); }
TR_INLINE vec v_of_bits(veci a) { return vreinterpretq_f32_s32(a); }
TR_INLINE veci vi_set(int32_t a) { return vdupq_n_s32(a); }
TR_INLINE veci vi_add(veci a, veci b) { return vaddq_s32(a, b); }
TR_INLINE veci vi_sub(veci a, veci b) { return vsubq_s32(a, b); }
TR_INLINE veci vi_and(veci a, veci b) { return vandq_s32(a, b); }
TR_INLINE veci vi_or(veci a, veci b) { return vorrq_s32(a, b); }
#define vi_shift_left(a, n) vshlq_n_s32(a, n)
#define vi_shift_right(a, n) vshrq_n_s32(a, n)
TR_INLINE vec v_of_int(veci a) { return vcvtq_f32_s32(a); }
TR_INLINE vmask vi_eq(veci a, veci b) { return vceqq_s32(a, b); }
TR_INLINE veci vi_select(vmask m, veci a, veci b) { return vbslq_s32(m, a, b); }
TR_INLINE void vi_store_bytes(uint8_t *p, veci a)
{
    int32_t four[4];
    vst1q_s32(four, a);
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)four[i];
}
TR_INLINE veci vi_load_bytes(const uint8_t *p)
{
    const int32_t four[4] = {p[0], p[1], p[2], p[3]};
    return vld1q_s32(four);
}

#elif defined(TR_FOR_WIDE)
/* As wide as AVX-512, on any CPU: for tests, on machines that do not have it. */
enum { VL = 16 };
typedef float vec __attribute__((vector_size(64)));
typedef int32_t veci __attribute__((vector_size(64)));
typedef veci vmask;
TR_INLINE vec v_load(const float *p)
{
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}
TR_INLINE void v_store(float *p, vec a) { memcpy(p, &a, sizeof a); }
TR_INLINE vec v_load_n(const float *p, int64_t n)
{
    vec a = {0.0f};
    memcpy(&a, p, (size_t)n * sizeof *p);
    return a;
}
TR_INLINE void v_store_n(float *p, vec a, int64_t n) { memcpy(p, &a, (size_t)n * sizeof *p); }
TR_INLINE vec v_set(float a) { return a - (vec){0.0f}; }
/* Sixteen operations each, that are many in unrolled loops: called, lest compilers take minutes. */
static __attribute__((noinline, unused)) void v_fma_(const float *a, const float *b, float *c)
{
    for (int i = 0; i < VL; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
}
TR_INLINE vec v_fma(vec a, vec b, vec c)
{
    v_fma_((const float *)&a, (const float *)&b, (float *)&c);
    return c;
}
TR_INLINE vec v_fnma(vec a, vec b, vec c) { return v_fma(-a, b, c); }
TR_INLINE vec v_add(vec a, vec b) { return a + b; }
TR_INLINE vec v_sub(vec a, vec b) { return a - b; }
TR_INLINE vec v_mul(vec a, vec b) { return a * b; }
TR_INLINE vec v_div(vec a, vec b) { return a / b; }
TR_INLINE vec v_sqrt(vec a)
{
    vec root;
    for (int i = 0; i < VL; i++)
        root[i] = __builtin_sqrtf(a[i]);
    return root;
}
TR_INLINE veci v_bits(vec a) { return (veci)a; }
TR_INLINE vec v_of_bits(veci a) { return (vec)a; }
TR_INLINE vmask v_gt(vec a, vec b) { return a > b; }
TR_INLINE vmask v_is_nan(vec a) { return a != a; }
TR_INLINE veci vi_select(vmask m, veci a, veci b) { return (a & m) | (b & ~m); }
TR_INLINE vec v_select(vmask m, vec a, vec b) { return (vec)vi_select(m, (veci)a, (veci)b); }
TR_INLINE vec v_max(vec a, vec b) { return v_select(v_gt(a, b), a, b); }
TR_INLINE vec v_min(vec a, vec b) { return v_select(v_gt(b, a), a, b); }
TR_INLINE veci vi_set(int32_t a) { return a - (veci){0}; }
TR_INLINE veci vi_add(veci a, veci b) { return (veci)((veci)a + (veci)b); }
TR_INLINE veci vi_sub(veci a, veci b) { return a - b; }
TR_INLINE veci vi_and(veci a, veci b) { return a & b; }
TR_INLINE veci vi_or(veci a, veci b) { return a | b; }
#define vi_shift_left(a, n) ((a) << (n))
#define vi_shift_right(a, n) ((a) >> (n))
TR_INLINE vec v_of_int(veci a) { return __builtin_convertvector(a, vec); }
TR_INLINE vmask vi_eq(veci a, veci b) { return a == b; }
TR_INLINE void vi_store_bytes(uint8_t *p, veci a)
{
    for (int i = 0; i < VL; i++)
        p[i] = (uint8_t)a[i];
}
TR_INLINE veci vi_load_bytes(const uint8_t *p)
{
    veci a;
    for (int i = 0; i < VL; i++)
        a[i] = p[i];
    return a;
}

#else /* scalar */
enum { VL = 1 };
typedef float vec;
typedef int32_t veci;
typedef bool vmask;
TR_INLINE vec v_load(const float *p) { return *p; }
TR_INLINE void v_store(float *p, vec a) { *p = a; }
TR_INLINE vec v_load_n(const float *p, int64_t n) { return n > 0 ? *p : 0.0f; }
TR_INLINE void v_store_n(float *p, vec a, int64_t n)
{
    if (n > 0)
        *p = a;
}
TR_INLINE vec v_set(float a) { return a; }
TR_INLINE vec v_fma(vec a, vec b, vec c) { return __builtin_fmaf(a, b, c); }
TR_INLINE vec v_fnma(vec a, vec b, vec c) { return __builtin_fmaf(-a, b, c); }
TR_INLINE vec v_add(vec a, vec b) { return a + b; }
TR_INLINE vec v_sub(vec a, vec b) { return a - b; }
TR_INLINE vec v_mul(vec a, vec b) { return a * b; }
TR_INLINE vec v_div(vec a, vec b) { return a / b; }
TR_INLINE vec v_sqrt(vec a) { return __builtin_sqrtf(a); }
TR_INLINE vmask v_gt(vec a, vec b) { return a > b; }
TR_INLINE vmask v_is_nan(vec a) { return a != a; }
TR_INLINE vec v_select(vmask m, vec a, vec b) { return m ? a : b; }
TR_INLINE vec v_max(vec a, vec b) { return v_select(v_gt(a, b), a, b); }
TR_INLINE vec v_min(vec a, vec b) { return v_select(v_gt(b, a), a, b); }
TR_INLINE veci v_bits(vec a)
{
    veci bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
TR_INLINE vec v_of_bits(veci a)
{
    vec value;
    memcpy(&value, &a, sizeof value);
    return value;
}
TR_INLINE veci vi_set(int32_t a) { return a; }
TR_INLINE veci vi_add(veci a, veci b) { return (veci)((uint32_t)a + (uint32_t)b); }
TR_INLINE veci vi_sub(veci a, veci b) { return (veci)((uint32_t)a - (uint32_t)b); }
TR_INLINE veci vi_and(veci a, veci b) { return a & b; }
TR_INLINE veci vi_or(veci a, veci b) { return a | b; }
#define vi_shift_left(a, n) ((veci)((uint32_t)(a) << (n)))
#define vi_shift_right(a, n) ((a) >> (n))
TR_INLINE vec v_of_int(veci a) { return (float)a; }
TR_INLINE vmask vi_eq(veci a, veci b) { return a == b; }
TR_INLINE veci vi_select(vmask m, veci a, veci b) { return m ? a : b; }
TR_INLINE void vi_store_bytes(uint8_t *p, veci a) { *p = (uint8_t)a; }
TR_INLINE veci vi_load_bytes(const uint8_t *p) { return *p; }
#endif

/* The sum of 16 numbers as a tree: i and i + 8, then i and i + 4 ... */
#if defined(TR_FOR_AVX512) || defined(TR_FOR_AVX2)
TR_INLINE float v_sum_of_16(const float *p)
{
    const __m256 eight = _mm256_add_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
#else
TR_INLINE float v_sum_of_16(const float *p)
{
    float sum[8];
    for (int i = 0; i < 8; i++)
        sum[i] = p[i] + p[i + 8];
    for (int half = 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}
#endif
/* clang-format on */

#endif
