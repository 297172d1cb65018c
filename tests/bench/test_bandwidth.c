/* test_bandwidth.c -- rates are numbers wherever memory lies; what follows from them is arithmetic.
 */
#include "bandwidth.h"

#include <criterion/criterion.h>
#include <math.h>

#include "mem.h"

Test(bandwidth, of_any_size)
{
    static const size_t sizes[] = {256, 1 << 14, 3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *memory = tr_alloc(sizes[i], 1);
        cr_assert_not_null(memory);
        const tr_bandwidth of = tr_bandwidth_of(memory, sizes[i], 0.2);
        tr_free(memory);
        cr_assert(isfinite(of.read) && of.read > 0.0, "%g", of.read);
        cr_assert(isfinite(of.fill) && of.fill > 0.0, "%g", of.fill);
        cr_assert(isfinite(of.copy) && of.copy > 0.0, "%g", of.copy);
    }
}

/* A byte a nanosecond is a GB/s. */
Test(bandwidth, least_time)
{
    const tr_bandwidth of = {.read = 50.0, .fill = 25.0, .copy = 40.0};
    const tr_bandwidth none = {0};
    cr_assert_float_eq(tr_bandwidth_us(&of, 1e6, 1e6), 50.0, 1e-9);
    cr_assert_float_eq(tr_bandwidth_us(&of, 3e6, 1e6), 50.0 + 40.0, 1e-9);
    cr_assert_float_eq(tr_bandwidth_us(&of, 1e6, 2e6), 50.0 + 40.0, 1e-9);
    cr_assert_float_eq(tr_bandwidth_us(&of, 1e6, 0.0), 20.0, 1e-9);
    cr_assert_eq(tr_bandwidth_us(&none, 1e6, 1e6), 0.0);
}
