/* test_nadam.c -- Keras's own steps; the product that follows from the step; ranges. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "trace.h"

Test(nadam, follows_keras)
{
    test_optimizer_trace("nadam", "nadam", "learning_rate = 0.01\n");
}

/* One update of fresh state at `iterations`, after those in `before`. */
static float updated(const int64_t *before, int64_t iterations)
{
    float w = 1.0f, g = 0.5f, m = 0.25f, v = 0.125f;
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("nadam", "", &config);
    const tr_update range = {.weights = &w, .gradients = &g, .slots = {&m, &v}, .n = 1};
    for (; *before >= 0; before++)
        tr_optimizer_begin(optimizer, *before);
    tr_optimizer_begin(optimizer, iterations);
    optimizer->ops->update(optimizer, &range);
    tr_free(optimizer);
    tr_config_free(config);
    return w;
}

/* Whatever was done before: a run may be resumed at any step. */
Test(nadam, product_follows_from_the_step_alone)
{
    const int64_t none[] = {-1}, in_turn[] = {0, 1, 2, 3, -1}, ahead[] = {9, 2000, -1};
    const float expected = updated(none, 4);
    cr_assert_eq(updated(in_turn, 4), expected);
    cr_assert_eq(updated(ahead, 4), expected);
    cr_assert_neq(updated(none, 5), expected);
    cr_assert_neq(updated(none, INT64_C(1) << 40), 1.0f, "far steps are reached at once");
}

Test(nadam, any_split_gives_the_same_bits)
{
    test_optimizer_split("nadam", "");
}
