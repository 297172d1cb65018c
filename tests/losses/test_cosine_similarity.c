/* test_cosine_similarity.c -- directions, and vectors shorter than epsilon: golden values of Keras,
 * slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(cosine_similarity, values)
{
    test_loss_all("cosine_similarity", TEST_VALUES);
}
