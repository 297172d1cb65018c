/* test_binary_focal_crossentropy.c -- every setting: golden values of Keras, slopes, padding, NaN.
 */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(binary_focal_crossentropy, taken_over)
{
    test_loss_all("binary_focal_crossentropy", TEST_TAKEN_OVER);
}

Test(binary_focal_crossentropy, from_logits)
{
    test_loss_all("binary_focal_crossentropy", TEST_FROM_LOGITS);
}

Test(binary_focal_crossentropy, from_probabilities)
{
    test_loss_all("binary_focal_crossentropy", TEST_PROBABILITIES);
}
