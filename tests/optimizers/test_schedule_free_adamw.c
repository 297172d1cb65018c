/* test_schedule_free_adamw.c -- Keras's own steps; independence of ranges. */
#include <criterion/criterion.h>

#include "tensor_trace.h"
#include "trace.h"

Test(schedule_free_adamw, follows_keras)
{
    test_tensor_traces("schedule_free_adamw_", 4);
}

Test(schedule_free_adamw, any_split_gives_the_same_bits)
{
    test_optimizer_split("schedule_free_adamw", "warmup_steps = 5\n");
}

Test(schedule_free_adamw, beta_1_divides)
{
    test_optimizer_refuses("schedule_free_adamw", "beta_1 = 0\n", 1, "above 0");
}
