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
        {"SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"},
        {"mean_squared_error", "mean_squared_error"},
    };
    char name[64];
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        tr_keras_snake_case(name, sizeof name, expected[i][0]);
        cr_expect_str_eq(name, expected[i][1]);
    }
    tr_keras_snake_case(name, 6, "MaxPooling2D");
    cr_expect_eq(name[5], '\0');
}

Test(keras_names, names_become_acceptable)
{
    static const char *const cases[][2] = {
        {"conv2d_1", "conv2d_1"},
        {"block1/conv", "block1_conv"},
        {"1st", "layer_1st"},
        {"_in", "layer__in"},
        {"a.b c-d", "a_b_c_d"},
        {"", "layer_"},
        {"\xc3\xa4", "layer___"},
        {"a]\n[data", "a___data"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
         "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        tr_keras_clean_name(cases[i][0], 42, text);
        cr_expect_str_eq(text, cases[i][1]);
    }
    cr_expect_str_eq(tr_keras_bare_name("Custom>Adam"), "Adam");
    cr_expect_str_eq(tr_keras_bare_name("Adam"), "Adam");
}
