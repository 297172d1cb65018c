/* test_summary.c -- the table: names, shapes, counts and work of the tutorial's network. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

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
    free(text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK);
    text = tr_model_summary(model);
    cr_assert_not_null(strstr(text, "Kernels"));
    free(text);
    tr_model_free(model);
    tr_config_free(config);
}
