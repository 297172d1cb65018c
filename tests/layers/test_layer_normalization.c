/* test_layer_normalization.c -- against Keras's, on every layout. */
#include <criterion/criterion.h>

#include "net.h"
#include "rig.h"

/* Sources may lie 1000 deviations from 0. */
static const test_golden_way keras = {
    .file = "normalization.h5", .absolute = 2e-5, .relative = 2e-5};

Test(layer_normalization, golden_forward_and_gradient)
{
    test_golden_layer_with("layer", &keras);
}

Test(layer_normalization, golden_forward_and_gradient_with_avx2)
{
    static const char *const avx2[] = {"engine.isa=avx2"};
    test_golden_way way = keras;
    way.overrides = avx2;
    way.n_overrides = 1;
    if (__builtin_cpu_supports("avx2"))
        test_golden_layer_with("layer", &way);
}

Test(layer_normalization, golden_forward_and_gradient_in_bfloat16)
{
    static const char *const bfloat16[] = {"engine.precision=bfloat16"};
    test_golden_way way = keras;
    way.overrides = bfloat16;
    way.n_overrides = 1;
    way.absolute = way.relative = 4e-2; /* the source itself is rounded to 2^-9 */
    way.smooth = true;
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    test_golden_layer_with("layer_blocks", &way);
    test_golden_layer_with("layer_flat", &way);
}
