/* test_adamax.c -- Keras's own steps, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(adamax, follows_keras)
{
    test_optimizer_trace("adamax", "adamax", "learning_rate = 0.01\n");
}

Test(adamax, any_split_gives_the_same_bits)
{
    test_optimizer_split("adamax", "");
}
