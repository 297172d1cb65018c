/* test_lion.c -- Keras's own steps; the sign of what has none; independence of ranges. */
#include <criterion/criterion.h>
#include <math.h>

#include "mem.h"
#include "trace.h"

Test(lion, follows_keras)
{
    test_optimizer_trace("lion", "lion", "learning_rate = 0.01\nweight_decay = 0.01\n");
}

Test(lion, sign_of_zero_and_of_what_is_not_a_number)
{
    float w[2] = {1.0f, 1.0f}, g[2] = {0.0f, NAN}, m[2] = {0.0f, 0.0f};
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("lion", "", &config);
    const tr_update range = {.weights = w, .gradients = g, .slots = {m}, .n = 2};
    tr_optimizer_begin(optimizer, 0);
    optimizer->ops->update(optimizer, &range);
    cr_assert_eq(w[0], 1.0f);
    cr_assert(isnan(w[1]));
    tr_free(optimizer);
    tr_config_free(config);
}

Test(lion, any_split_gives_the_same_bits)
{
    test_optimizer_split("lion", "");
}
