/* test_zero_padding2d.c -- zeros on each side, as many as asked for. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"

Test(zero_padding2d, golden_forward_and_gradients)
{
    test_golden_layer("zero_padding2d");
}

Test(zero_padding2d, other_numbers_of_sides_are_refused)
{
    static const char *const wrong[] = {"1, 2, 3", "1, 1, 1, 1, 1", "-1", "1.5", "1, -2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *body = tr_format("[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = zero_padding2d\n"
                               "padding = %s\n[layer.f]\ntype = flatten\n",
                               wrong[i]);
        tr_config *config = test_config(body, NULL, 0);
        tr_model *model = NULL;
        tr_error err = {0};
        cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
        cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG, "%s", wrong[i]);
        cr_assert_not_null(strstr(err.text, "must be 1, 2 or 4 integers from 0"), "%s", err.text);
        tr_model_free(model);
        tr_config_free(config);
        tr_free(body);
    }
}
