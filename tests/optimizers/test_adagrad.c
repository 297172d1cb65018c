/* test_adagrad.c -- Keras's own steps, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(adagrad, follows_keras)
{
    test_optimizer_trace("adagrad", "adagrad", "learning_rate = 0.05\n");
}

Test(adagrad, any_split_gives_the_same_bits)
{
    test_optimizer_split("adagrad", "");
}
