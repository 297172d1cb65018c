/* test_lamb.c -- Keras's own steps; the length of a step, and tensors without one. */
#include <criterion/criterion.h>

#include "mem.h"
#include "trace.h"

Test(lamb, follows_keras)
{
    test_optimizer_trace("lamb", "lamb", "learning_rate = 0.01\n");
}

/* A step is as long as the weights, times the learning rate; where the weights are 0 (a fresh bias)
 * it is the direction itself. */
Test(lamb, steps_are_as_long_as_the_weights)
{
    float w = 1.0f, d = 4.0f;
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("lamb", "learning_rate = 0.125\n", &config);
    const tr_update range = {.weights = &w, .gradients = &d, .n = 1};
    tr_optimizer_begin(optimizer, 0);
    optimizer->ops->apply(optimizer, &range, 3.0, 6.0);
    cr_assert_eq(w, 1.0f - 0.5f * 0.125f * 4.0f);
    optimizer->ops->apply(optimizer, &range, 0.0, 6.0);
    cr_assert_eq(w, 0.75f - 0.125f * 4.0f);
    optimizer->ops->apply(optimizer, &range, 3.0, 0.0);
    cr_assert_eq(w, 0.25f - 0.125f * 4.0f);
    tr_free(optimizer);
    tr_config_free(config);
}
