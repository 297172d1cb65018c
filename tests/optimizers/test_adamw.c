/* test_adamw.c -- Keras's own steps, with the weight decay it has by default. */
#include <criterion/criterion.h>

#include "trace.h"

Test(adamw, follows_keras)
{
    test_optimizer_trace("adamw", "adamw", "learning_rate = 0.01\n");
}

Test(adamw, any_split_gives_the_same_bits)
{
    test_optimizer_split("adamw", "amsgrad = true\n");
}
