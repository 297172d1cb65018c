/* test_adam.c -- Keras's own steps, the meaning of each key, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(adam, follows_keras)
{
    test_optimizer_trace("adam", "adam", "learning_rate = 0.01\n");
}

Test(adam, any_split_gives_the_same_bits)
{
    test_optimizer_split("adam", "");
}
