/* test_sgd.c -- Keras's own steps for all three forms, with each way of clipping and with a moving
 * average; independence of ranges. */
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

Test(sgd, follows_keras_with_clipping)
{
    test_optimizer_trace("sgd_clipnorm", "sgd", "learning_rate = 0.05\nclipnorm = 0.5\n");
    test_optimizer_trace("sgd_global_clipnorm", "sgd",
                         "learning_rate = 0.05\nglobal_clipnorm = 0.5\n");
    test_optimizer_trace("sgd_clipvalue", "sgd", "learning_rate = 0.05\nclipvalue = 0.3\n");
}

Test(sgd, follows_keras_with_a_moving_average)
{
    test_optimizer_trace("sgd_ema", "sgd",
                         "learning_rate = 0.05\nuse_ema = true\nema_momentum = 0.9\n"
                         "ema_overwrite_frequency = 3\n");
}

Test(sgd, refuses_nesterov_without_momentum)
{
    test_optimizer_refuses("sgd", "nesterov = true\n", 1, "no effect without momentum");
}

Test(sgd, any_split_gives_the_same_bits)
{
    test_optimizer_split("sgd", "");
    test_optimizer_split("sgd", "momentum = 0.9\n");
    test_optimizer_split("sgd", "momentum = 0.9\nnesterov = true\n");
}
