/* test_adafactor.c -- Keras's own steps, with the slots that have other shapes than the weights. */
#include <criterion/criterion.h>

#include "tensor_trace.h"
#include "trace.h"

Test(adafactor, follows_keras)
{
    test_tensor_traces("adafactor_", 5);
}

Test(adafactor, epsilon_must_not_vanish_in_float32)
{
    test_optimizer_refuses("adafactor", "epsilon_1 = 1e-40\n", 1, "epsilon_1");
}
