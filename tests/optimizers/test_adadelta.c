/* test_adadelta.c -- Keras's own steps, and independence of ranges. */
#include <criterion/criterion.h>

#include "trace.h"

Test(adadelta, follows_keras)
{
    test_optimizer_trace("adadelta", "adadelta", "learning_rate = 1\n");
}

Test(adadelta, any_split_gives_the_same_bits)
{
    test_optimizer_split("adadelta", "");
}
