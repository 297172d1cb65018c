/* test_sgd.c -- Keras's own steps for all three forms, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(sgd, follows_keras)
{
    test_optimizer_trace("sgd", "sgd", "learning_rate = 0.05\n");
}

Test(sgd, follows_keras_with_momentum)
{
    test_optimizer_trace("sgd_momentum", "sgd", "learning_rate = 0.05\nmomentum = 0.9\n");
}

Test(sgd, follows_keras_with_nesterov)
{
    test_optimizer_trace("sgd_nesterov", "sgd",
                         "learning_rate = 0.05\nmomentum = 0.9\nnesterov = true\n");
}

Test(sgd, any_split_gives_the_same_bits)
{
    test_optimizer_split("sgd", "");
    test_optimizer_split("sgd", "momentum = 0.9\n");
    test_optimizer_split("sgd", "momentum = 0.9\nnesterov = true\n");
}
