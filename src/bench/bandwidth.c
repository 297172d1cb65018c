/* bandwidth.c -- loops that compute next to nothing; see bandwidth.h.
 *
 * Four places of the memory at a time, so that loads do not wait for each other; integers, because
 * a sum of floats is a chain that no compiler may widen; adding 1 so that no loop becomes a call of
 * memcpy(), which leaves the caches aside where it holds that to be better.
 */
#include "bandwidth.h"

#include <stdint.h>
#include <stdlib.h>

#include "clock.h"
#include "simd.h"

enum { LEAST = 5, MOST = 64 }; /* measurements */

typedef uint32_t (*pass)(uint32_t *memory, size_t n, uint32_t number);

TR_SIMD_CLONES static uint32_t read_all(uint32_t *memory, size_t n, uint32_t number)
{
    const size_t quarter = n / 4;
    const uint32_t *a = memory, *b = a + quarter, *c = b + quarter, *d = c + quarter;
    uint32_t x = number, y = number, z = number, w = number;
    for (size_t i = 0; i < quarter; i++) {
        x |= a[i];
        y |= b[i];
        z |= c[i];
        w |= d[i];
    }
    return x | y | z | w;
}

TR_SIMD_CLONES static uint32_t fill_all(uint32_t *memory, size_t n, uint32_t number)
{
    for (size_t i = 0; i < n; i++)
        memory[i] = number;
    return memory[n / 2];
}

TR_SIMD_CLONES static uint32_t copy_half(uint32_t *memory, size_t n, uint32_t number)
{
    const uint32_t *restrict src = memory;
    uint32_t *restrict dst = memory + n / 2;
    for (size_t i = 0; i < n / 2; i++)
        dst[i] = src[i] + 1;
    return dst[n / 4] + number;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of many short measurements the median: one of them, in which the thread lost its core, does not
 * count. */
static double rate(pass run, uint32_t *memory, size_t bytes, double ms)
{
    const size_t n = bytes / sizeof *memory;
    const int passes = (int)(1 + (1u << 20) / bytes); /* far longer than reading the clock */
    volatile uint32_t sink = run(memory, n, 1);       /* memory is there, and in its cache */
    const int64_t end = tr_clock_ns() + (int64_t)(ms * 1e6);
    int64_t ns[MOST], last = tr_clock_ns();
    int count = 0;
    while (count < LEAST || (count < MOST && last < end)) {
        for (int i = 0; i < passes; i++)
            sink = run(memory, n, (uint32_t)i);
        const int64_t now = tr_clock_ns();
        ns[count++] = now - last;
        last = now;
    }
    (void)sink;
    qsort(ns, (size_t)count, sizeof *ns, by_size);
    const int64_t median = ns[count / 2] > 0 ? ns[count / 2] : 1;
    return (double)passes * (double)bytes / (double)median;
}

tr_bandwidth tr_bandwidth_of(void *memory, size_t bytes, double ms)
{
    return (tr_bandwidth){.read = rate(read_all, memory, bytes, ms),
                          .fill = rate(fill_all, memory, bytes, ms),
                          .copy = rate(copy_half, memory, bytes, ms)};
}

double tr_bandwidth_us(const tr_bandwidth *of, double read_bytes, double written_bytes)
{
    if (of->copy <= 0.0)
        return 0.0;
    const double least = read_bytes < written_bytes ? read_bytes : written_bytes;
    return 1e-3 * (2.0 * least / of->copy + (read_bytes - least) / of->read +
                   (written_bytes - least) / of->fill);
}
