/* test_peak.c -- the peak is a number wherever its instructions are; how large is no test's matter.
 */
#include "peak.h"

#include <criterion/criterion.h>
#include <math.h>

#include "dnn.h"
#include "rig.h"

static void assert_rate(tr_isa isa, bool tiles, tr_precision precision)
{
    const double gflops = tr_peak_gflops(isa, tiles, precision, 2.0);
    cr_assert(isfinite(gflops) && gflops > 0.0, "%g", gflops);
}

Test(peak, of_the_instructions_in_effect)
{
    if (tr_dnn_isa() == TR_ISA_AUTO)
        cr_skip_test("neither AVX2 nor AVX-512 nor NEON");
    assert_rate(tr_dnn_isa(), tr_dnn_tiles(), TR_FLOAT32);
}

Test(peak, of_avx2)
{
    if (!test_has_avx2())
        cr_skip_test("no AVX2");
    assert_rate(TR_ISA_AVX2, false, TR_FLOAT32);
}

Test(peak, of_bfloat16)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has neither AVX512_BF16 nor AMX");
    assert_rate(TR_ISA_AVX512, false, TR_BFLOAT16);
    assert_rate(TR_ISA_AVX512, tr_dnn_tiles(), TR_BFLOAT16);
}

Test(peak, unknown_without_wide_vectors)
{
    cr_assert_eq(tr_peak_gflops(TR_ISA_AUTO, false, TR_FLOAT32, 2.0), 0.0);
    cr_assert_eq(tr_peak_gflops(TR_ISA_AUTO, false, TR_BFLOAT16, 2.0), 0.0);
}
