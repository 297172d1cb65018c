/* test_keras_names.c -- names as Keras derives them; expected ones from Keras's own files. */
#include "keras_names.h"

#include <criterion/criterion.h>

Test(keras_names, snake_case_is_keras_s)
{
    static const char *const expected[][2] = {
        {"Conv2D", "conv2d"},
        {"MaxPooling2D", "max_pooling2d"},
        {"GlobalAveragePooling2D", "global_average_pooling2d"},
        {"BatchNormalization", "batch_normalization"},
        {"DepthwiseConv2D", "depthwise_conv2d"},
        {"Conv2DTranspose", "conv2d_transpose"},
        {"ReLU", "re_lu"},
        {"LeakyReLU", "leaky_re_lu"},
        {"PReLU", "p_re_lu"},
        {"ELU", "elu"},
        {"Dense", "dense"},
        {"RMSprop", "rm_sprop"},
        {"AdamW", "adam_w"},
        {"SGD", "sgd"},
    };
    char name[64];
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        tr_keras_snake_case(name, sizeof name, expected[i][0]);
        cr_expect_str_eq(name, expected[i][1]);
    }
    tr_keras_snake_case(name, 6, "MaxPooling2D");
    cr_expect_eq(name[5], '\0');
}
