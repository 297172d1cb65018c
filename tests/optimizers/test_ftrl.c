/* test_ftrl.c -- Keras's own steps; where its formula would divide by 0; ranges. */
#include <criterion/criterion.h>
#include <math.h>

#include "mem.h"
#include "trace.h"

#define RECORDED                                                                                   \
    "learning_rate = 0.05\nl1_regularization_strength = 0.01\n"                                    \
    "l2_regularization_strength = 0.02\nl2_shrinkage_regularization_strength = 0.03\nbeta = 0.1\n"

Test(ftrl, follows_keras)
{
    test_optimizer_trace("ftrl", "ftrl", RECORDED);
}

static float updated(const char *keys, float w, float g, float n)
{
    float z = 0.0f;
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("ftrl", keys, &config);
    const tr_update range = {.weights = &w, .gradients = &g, .slots = {&n, &z}, .n = 1};
    tr_optimizer_begin(optimizer, 0);
    optimizer->ops->update(optimizer, &range);
    tr_free(optimizer);
    tr_config_free(config);
    return w;
}

/* Another power than the root goes another way: -0.5000001 must come out as -0.5. */
Test(ftrl, any_power)
{
    const float root = updated("learning_rate = 0.05\n", 0.5f, 0.25f, 0.1f);
    const float near =
        updated("learning_rate = 0.05\nlearning_rate_power = -0.5000001\n", 0.5f, 0.25f, 0.1f);
    cr_assert_float_eq(near, root, 1e-6, "%g, %g", (double)near, (double)root);
    /* A power of 0: n^0 = 1, so w = -(g - 0) lr. */
    const float constant =
        updated("learning_rate = 0.05\nlearning_rate_power = 0\n", 0.5f, 0.25f, 0.1f);
    cr_assert_float_eq(constant, -0.25f * 0.05f, 1e-8);
}

Test(ftrl, divides_by_zero_nowhere)
{
    cr_assert_eq(updated("", 0.0f, 0.0f, 0.0f), 0.0f, "padding, a dead pixel");
    cr_assert_eq(updated("learning_rate = 0\n", 0.5f, 0.25f, 0.1f), 0.5f);
    cr_assert(isnan(updated("", 0.5f, NAN, 0.1f)), "what is not a number must be seen");
}

Test(ftrl, any_split_gives_the_same_bits)
{
    test_optimizer_split("ftrl", RECORDED);
    test_optimizer_split("ftrl", "learning_rate_power = -0.7\n");
}
