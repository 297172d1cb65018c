/* test_kl_divergence.c -- classes and rows, zeros among them: golden values of Keras, slopes,
 * padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(kl_divergence, from_probabilities)
{
    test_loss_all("kl_divergence", TEST_PROBABILITIES);
}
