/* test_random_translation.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_translation, golden_forward)
{
    test_golden_layer("random_translation_");
}
