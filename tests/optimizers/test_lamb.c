/* test_lamb.c -- Keras's own steps; the length of a step, and tensors without one. */
#include <criterion/criterion.h>

#include "mem.h"
#include "trace.h"

Test(lamb, follows_keras)
{
    test_optimizer_trace("lamb", "lamb", "learning_rate = 0.01\n");
}

/* Of one element of `direction`, in its last pass. */
static float last_pass(const tr_optimizer *optimizer, float direction, double weights_norm,
                       double direction_norm)
{
    const tr_weight_tensor tensor = {.n = 1};
    double square = direction_norm * direction_norm;
    const tr_tensor_step step = {
        .tensor = &tensor, .gradients = &direction, .room = &square, .weights_norm = weights_norm};
    tr_optimizer_whole(optimizer, &tensor)->run(optimizer, &step, 1, 0);
    return direction;
}

/* A step is as long as the weights, times the learning rate; where the weights are 0 (a fresh bias)
 * it is the direction itself. */
Test(lamb, steps_are_as_long_as_the_weights)
{
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("lamb", "learning_rate = 0.125\n", &config);
    tr_optimizer_begin(optimizer, 0);
    cr_assert_eq(last_pass(optimizer, 4.0f, 3.0, 6.0), 0.5f * 0.125f * 4.0f);
    cr_assert_eq(last_pass(optimizer, 4.0f, 0.0, 6.0), 0.125f * 4.0f);
    cr_assert_eq(last_pass(optimizer, 4.0f, 3.0, 0.0), 0.125f * 4.0f);
    tr_free(optimizer);
    tr_config_free(config);
}
