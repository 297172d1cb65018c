/* test_categorical_hinge.c -- classes and rows, maxima that are equal: golden values of Keras,
 * slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(categorical_hinge, values)
{
    test_loss_all("categorical_hinge", TEST_VALUES);
}
