/* peak.c -- register-only multiply-add loops; see peak.h.
 *
 * Twelve independent chains: two units with a latency of four cycles (or five) keep eight (ten) in
 * flight, and AVX2 has 16 registers for them and two constants. The empty asm makes the constant
 * opaque in each turn, so that no compiler folds the loop.
 */
#include "peak.h"

#include "clock.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

enum { CHAINS = 12, TURNS = 20000 };

#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#define DECLARE_512(i) __m512 a##i = _mm512_set1_ps((float)i);
#define FMA_512(i) a##i = _mm512_fmadd_ps(a##i, b, c);
#define DOT_512(i) a##i = _mm512_dpbf16_ps(a##i, (__m512bh)b, (__m512bh)c);
#define ADD(i) sum += a##i;

__attribute__((target("avx512f"))) static float fma_avx512(void)
{
    __m512 b = _mm512_set1_ps(0.5f), c = _mm512_set1_ps(1.0f), sum = _mm512_setzero_ps();
    TWELVE(DECLARE_512)
    for (int k = 0; k < TURNS; k++) {
        TWELVE(FMA_512)
        __asm__ volatile("" : "+v"(b));
    }
    TWELVE(ADD)
    return _mm512_reduce_add_ps(sum);
}

__attribute__((target("avx512f,avx512bf16"))) static float dot_avx512_bf16(void)
{
    __m512 b = _mm512_setzero_ps(), c = _mm512_setzero_ps(), sum = _mm512_setzero_ps();
    TWELVE(DECLARE_512)
    for (int k = 0; k < TURNS; k++) {
        TWELVE(DOT_512)
        __asm__ volatile("" : "+v"(b));
    }
    TWELVE(ADD)
    return _mm512_reduce_add_ps(sum);
}

#define DECLARE_256(i) __m256 a##i = _mm256_set1_ps((float)i);
#define FMA_256(i) a##i = _mm256_fmadd_ps(a##i, b, c);

__attribute__((target("avx2,fma"))) static float fma_avx2(void)
{
    __m256 b = _mm256_set1_ps(0.5f), c = _mm256_set1_ps(1.0f), sum = _mm256_setzero_ps();
    TWELVE(DECLARE_256)
    for (int k = 0; k < TURNS; k++) {
        TWELVE(FMA_256)
        __asm__ volatile("" : "+x"(b));
    }
    TWELVE(ADD)
    return sum[0] + sum[7];
}

double tr_peak_gflops(tr_isa isa, tr_precision precision, double ms)
{
    float (*loop)(void) = fma_avx2;
    double flops = 2.0 * 8.0 * CHAINS * TURNS;
    if (isa == TR_ISA_AUTO || !__builtin_cpu_supports("fma"))
        return 0.0;
    if (isa == TR_ISA_AVX512) {
        loop = precision == TR_BFLOAT16 ? dot_avx512_bf16 : fma_avx512;
        flops *= precision == TR_BFLOAT16 ? 4.0 : 2.0;
    }
    volatile float sink = loop(); /* to full clock speed; and the result must be wanted */
    const int64_t begin = tr_clock_ns();
    int64_t now = begin;
    double done = 0.0;
    while (now - begin < (int64_t)(ms * 1e6)) {
        sink = loop();
        done += flops;
        now = tr_clock_ns();
    }
    (void)sink;
    return done / (double)(now - begin);
}

#else

double tr_peak_gflops(tr_isa isa, tr_precision precision, double ms)
{
    (void)isa;
    (void)precision;
    (void)ms;
    return 0.0;
}

#endif
