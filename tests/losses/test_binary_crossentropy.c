/* test_binary_crossentropy.c -- one output or several, smoothed or not: golden values, slopes,
 * padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

static const char name[] = "binary_crossentropy";

Test(binary_crossentropy, golden_taken_over)
{
    test_loss_golden(name, TEST_TAKEN_OVER);
}

Test(binary_crossentropy, slopes_taken_over)
{
    test_loss_slopes(name, TEST_TAKEN_OVER);
}

Test(binary_crossentropy, padding_taken_over)
{
    test_loss_padding(name, TEST_TAKEN_OVER);
}

Test(binary_crossentropy, nan_taken_over)
{
    test_loss_nan(name, TEST_TAKEN_OVER);
}

Test(binary_crossentropy, golden_from_logits)
{
    test_loss_golden(name, TEST_FROM_LOGITS);
}

Test(binary_crossentropy, slopes_from_logits)
{
    test_loss_slopes(name, TEST_FROM_LOGITS);
}

Test(binary_crossentropy, padding_from_logits)
{
    test_loss_padding(name, TEST_FROM_LOGITS);
}

Test(binary_crossentropy, nan_from_logits)
{
    test_loss_nan(name, TEST_FROM_LOGITS);
}

Test(binary_crossentropy, golden_from_probabilities)
{
    test_loss_golden(name, TEST_PROBABILITIES);
}

Test(binary_crossentropy, slopes_from_probabilities)
{
    test_loss_slopes(name, TEST_PROBABILITIES);
}

Test(binary_crossentropy, padding_from_probabilities)
{
    test_loss_padding(name, TEST_PROBABILITIES);
}

Test(binary_crossentropy, nan_from_probabilities)
{
    test_loss_nan(name, TEST_PROBABILITIES);
}
