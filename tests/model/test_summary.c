/* test_summary.c -- the table: names, shapes, counts and work of the tutorial's network. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "net.h"

Test(summary, shows_what_keras_shows)
{
    tr_model *model = NULL;
    tr_error err = {0};
    tr_config *config = test_config("[model]\ninput_shape = 28, 28, 1\n[layer.conv]\n"
                                    "type = conv2d\nfilters = 32\nkernel_size = 3\n"
                                    "padding = same\n[layer.flat]\ntype = flatten\n"
                                    "[layer.out]\ntype = dense\nunits = 10\nactivation = softmax\n",
                                    NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_model_summary(model);
    static const char *const expected[] = {"conv (Conv2D)",
                                           "(None, 28, 28, 32)",
                                           "320",
                                           "(None, 25088)",
                                           "250,890",
                                           "Total params: 251,210 (981.29 KB)",
                                           "Non-trainable params: 0"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert_not_null(strstr(text, expected[i]), "%s not in\n%s", expected[i], text);
    cr_assert_null(strstr(text, "Kernels"));
    cr_assert_null(strstr(text, "Trainable\n"));
    free(text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK);
    text = tr_model_summary(model);
    cr_assert_not_null(strstr(text, "Kernels"));
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}

/* As Keras counts: frozen weights and measured statistics are not trainable. */
Test(summary, tells_what_is_frozen)
{
    tr_model *model = NULL;
    tr_error err = {0};
    tr_config *config = test_config("[model]\ninput_shape = 28, 28, 1\n[layer.conv]\n"
                                    "type = conv2d\nfilters = 32\nkernel_size = 3\n"
                                    "padding = same\ntrainable = false\n[layer.norm]\n"
                                    "type = batch_normalization\n[layer.flat]\ntype = flatten\n"
                                    "[layer.out]\ntype = dense\nunits = 10\nactivation = softmax\n",
                                    NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_model_summary(model);
    static const char *const expected[] = {
        "MFLOP/image   Trainable\n",
        "320          0.452           N\n",
        "128          0.000           Y\n",
        "0          0.000           -\n",
        "250,890          0.502           Y\n",
        "Total params: 251,338",
        "\nTrainable params: 250,954\n", /* all of out, gamma and beta */
        "Non-trainable params: 384\n",   /* 320 + moving mean and variance */
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect_not_null(strstr(text, expected[i]), "%s not in\n%s", expected[i], text);
    tr_free(text);
    tr_model_free(model);
    tr_config_free(config);
}

static char *summary_of(const char *layers)
{
    tr_model *model = NULL;
    tr_error err = {0};
    char *body = tr_format("[model]\ninput_shape = 8, 8, 3\n%s[layer.f]\ntype = flatten\n", layers);
    tr_config *config = test_config(body, (const char *const[]){"compile.loss=mse"}, 1);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_model_summary(model);
    tr_model_free(model);
    tr_config_free(config);
    tr_free(body);
    return text;
}

Test(summary, says_what_a_layer_is_connected_to)
{
    char *text = summary_of("[layer.a]\ntype = conv2d\nfilters = 3\nkernel_size = 1\n"
                            "[layer.sum]\ntype = add\ninputs = input, a\n[layer.many]\n"
                            "type = concatenate\ninputs = a, sum, input, a, sum, input, a, a, a\n");
    static const char *const expected[] = {
        " Connected to\n",
        "0.001  input\n",
        "0.000  input, a\n",
        "0.000  a, sum, input, a, sum, input,\n",
        "\n                                             "
        "                                                 a, a, a\n",
        "0.000  many\n"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect_not_null(strstr(text, expected[i]), "%s not in\n%s", expected[i], text);
    free(text);
    text = summary_of("[layer.a]\ntype = conv2d\nfilters = 3\nkernel_size = 1\n");
    cr_expect_null(strstr(text, "Connected to"), "%s", text);
    free(text);
}
