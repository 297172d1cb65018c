/* test_activation.c -- the table of activations, and why some do not move behind a pooling. */
#include <criterion/criterion.h>
#include <math.h>

#include "primitives.h"

Test(activation, names_are_keras_and_complete)
{
    for (int i = 0; i < TR_N_ACTIVATIONS; i++)
        cr_assert_not_null(tr_activation_names[i]);
    cr_assert_null(tr_activation_names[TR_N_ACTIVATIONS]);
    cr_assert_str_eq(tr_activation_names[TR_RELU], "relu");
    cr_assert_str_eq(tr_activation_names[TR_LINEAR], "linear");
}

Test(activation, only_relu_commutes_with_max)
{
    cr_assert(tr_activation_commutes_with_max(TR_RELU));
    cr_assert_not(tr_activation_commutes_with_max(TR_LINEAR)); /* nothing to move */
    cr_assert_not(tr_activation_commutes_with_max(TR_SIGMOID));
    cr_assert_not(tr_activation_commutes_with_max(TR_TANH));
    cr_assert_not(tr_activation_commutes_with_max(TR_SOFTMAX));
    /* The reason: two inputs, one value; the pooling would choose another winner. */
    cr_assert_eq(1.0f / (1.0f + expf(-17.5f)), 1.0f / (1.0f + expf(-18.0f)));
}

Test(activation, softmax_is_never_fused)
{
    cr_assert(tr_activation_fuses(TR_RELU) && tr_activation_fuses(TR_SIGMOID) &&
              tr_activation_fuses(TR_TANH));
    cr_assert_not(tr_activation_fuses(TR_SOFTMAX));
}
