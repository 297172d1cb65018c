/* test_rmsprop.c -- Keras's own steps, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(rmsprop, follows_keras)
{
    test_optimizer_trace("rmsprop", "rmsprop", "learning_rate = 0.01\n");
}

Test(rmsprop, follows_keras_with_momentum_and_center)
{
    test_optimizer_trace("rmsprop_mom_centered", "rmsprop",
                         "learning_rate = 0.01\nmomentum = 0.9\ncentered = true\n");
}

Test(rmsprop, any_split_gives_the_same_bits)
{
    test_optimizer_split("rmsprop", "");
    test_optimizer_split("rmsprop", "momentum = 0.9\n");
    test_optimizer_split("rmsprop", "centered = true\n");
    test_optimizer_split("rmsprop", "momentum = 0.9\ncentered = true\n");
}
