/* test_elementwise.c -- the loops around an update where Keras's traces do not look. */
#include "elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(elementwise, sum_of_squares_of_any_number)
{
    float values[40];
    double sum = 0.0;
    for (size_t n = 0; n < 40; n++) {
        cr_assert_eq(tr_sum_of_squares(values, n), sum, "%zu", n);
        values[n] = (float)n - 20.0f;
        sum += ((double)n - 20.0) * ((double)n - 20.0);
    }
    const float large[] = {1e30f, 1e30f};
    cr_assert_float_eq(tr_sum_of_squares(large, 2), 2e60, 1e54, "float32 would overflow");
}

Test(elementwise, clipping_keeps_what_is_not_a_number)
{
    float g[] = {0.5f, -3.0f, INFINITY, -INFINITY, NAN};
    tr_clip_values(g, 2.0f, 5);
    cr_assert(g[0] == 0.5f && g[1] == -2.0f && g[2] == 2.0f && g[3] == -2.0f && isnan(g[4]));
}
