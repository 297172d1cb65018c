/* peak.c -- register-only multiply-add loops; see peak.h.
 *
 * Independent chains, as many as the units have in flight: on x86 two with a latency of four cycles
 * (or five), so eight (ten) of the twelve for which AVX2 has registers beside two constants; on ARM
 * up to four units, so sixteen; of AMX's eight tiles six are sums, whose latency of 52 cycles is
 * less than six products of 16. The empty asm makes the constant opaque in each turn, so that no
 * compiler folds the loop.
 */
#include "peak.h"

#include <stddef.h>

#include "clock.h"

enum { TURNS = 20000 };

#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define SIXTEEN(X) TWELVE(X) X(12) X(13) X(14) X(15)
#define ADD(i) sum += a##i;

/* A function that keeps the units busy, and the operations that it takes. */
typedef struct peak_loop {
    float (*run)(void);
    double flops;
} peak_loop;

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DECLARE_512(i) __m512 a##i = _mm512_set1_ps((float)i);
#define FMA_512(i) a##i = _mm512_fmadd_ps(a##i, b, c);
#define DOT_512(i) a##i = _mm512_dpbf16_ps(a##i, (__m512bh)b, (__m512bh)c);

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

/* What ldtilecfg reads. */
typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

#define ALL_TILES(n)                                                                               \
    {                                                                                              \
        n, n, n, n, n, n, n, n                                                                     \
    }

/* The configuration that was there comes back: oneDNN need not look whether its own still is. The
 * intrinsics name the first bytes of a configuration only, so it is not to be in registers. */
__attribute__((target("amx-tile,amx-bf16"))) static float dot_amx(void)
{
    static const _Alignas(64)
        tile_config own = {.palette = 1, .row_bytes = ALL_TILES(64), .rows = ALL_TILES(16)};
    _Alignas(64) tile_config before;
    _tile_storeconfig(&before);
    __asm__ volatile("" : : "r"(&before) : "memory");
    _tile_loadconfig(&own);
    _tile_zero(6);
    _tile_zero(7);
    for (int k = 0; k < TURNS; k++) {
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    if (before.palette != 0)
        _tile_loadconfig(&before);
    else
        _tile_release();
    return 0.0f;
}

/* Linux lets a process use tiles that has asked: ARCH_REQ_XCOMP_PERM for XTILEDATA. oneDNN does so
 * too; once more is no harm. */
static bool may_use_tiles(void)
{
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

static peak_loop best_loop(tr_isa isa, bool tiles, tr_precision precision)
{
    if (isa == TR_ISA_AUTO || !__builtin_cpu_supports("fma"))
        return (peak_loop){0};
    if (isa == TR_ISA_AVX2)
        return (peak_loop){fma_avx2, 2.0 * 8.0 * 12.0 * TURNS};
    if (precision == TR_BFLOAT16 && tiles && may_use_tiles())
        return (peak_loop){dot_amx, 2.0 * 16.0 * 16.0 * 32.0 * 6.0 * TURNS};
    if (precision == TR_BFLOAT16)
        return (peak_loop){dot_avx512_bf16, 2.0 * 32.0 * 12.0 * TURNS};
    return (peak_loop){fma_avx512, 2.0 * 16.0 * 12.0 * TURNS};
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define DECLARE_NEON(i) float32x4_t a##i = vdupq_n_f32((float)i);
#define FMA_NEON(i) a##i = vfmaq_f32(c, a##i, b);

static float fma_neon(void)
{
    float32x4_t b = vdupq_n_f32(0.5f), c = vdupq_n_f32(1.0f), sum = vdupq_n_f32(0.0f);
    SIXTEEN(DECLARE_NEON)
    for (int k = 0; k < TURNS; k++) {
        SIXTEEN(FMA_NEON)
        __asm__ volatile("" : "+w"(b));
    }
    SIXTEEN(ADD)
    return vaddvq_f32(sum);
}

static peak_loop best_loop(tr_isa isa, bool tiles, tr_precision precision)
{
    (void)tiles, (void)precision;
    return isa == TR_ISA_NEON ? (peak_loop){fma_neon, 2.0 * 4.0 * 16.0 * TURNS} : (peak_loop){0};
}

#else

static peak_loop best_loop(tr_isa isa, bool tiles, tr_precision precision)
{
    (void)isa, (void)tiles, (void)precision;
    return (peak_loop){0};
}

#endif

double tr_peak_gflops(tr_isa isa, bool tiles, tr_precision precision, double ms)
{
    const peak_loop loop = best_loop(isa, tiles, precision);
    if (loop.run == NULL)
        return 0.0;
    volatile float sink = loop.run(); /* to full clock speed; and the result must be wanted */
    const int64_t begin = tr_clock_ns();
    int64_t now = begin;
    double done = 0.0;
    while (now - begin < (int64_t)(ms * 1e6)) {
        sink = loop.run();
        done += loop.flops;
        now = tr_clock_ns();
    }
    (void)sink;
    return done / (double)(now - begin);
}
