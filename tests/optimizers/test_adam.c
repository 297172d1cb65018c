/* test_adam.c -- Keras's own steps, alone and with each setting of all optimizers that its traces
 * have; independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

#define RATE "learning_rate = 0.01\n"

Test(adam, follows_keras)
{
    test_optimizer_trace("adam", "adam", RATE);
}

Test(adam, follows_keras_with_amsgrad)
{
    test_optimizer_trace("adam_amsgrad", "adam", RATE "amsgrad = true\n");
}

Test(adam, follows_keras_with_weight_decay)
{
    test_optimizer_trace("adam_wd", "adam", RATE "weight_decay = 0.1\n");
}

Test(adam, follows_keras_with_accumulated_gradients)
{
    test_optimizer_trace("adam_accum2", "adam", RATE "gradient_accumulation_steps = 2\n");
}

Test(adam, any_split_gives_the_same_bits)
{
    test_optimizer_split("adam", "");
    test_optimizer_split("adam", "amsgrad = true\n");
}
