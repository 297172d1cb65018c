/* test_checkpoint_look.c -- the order of layers and weights, from a file that Keras wrote. */
#include "checkpoint_look.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(checkpoint_look, keeps_keras_order)
{
    static const char *const expected[][2] = {{"conv2d", "sequential/conv2d/kernel"},
                                              {"conv2d", "sequential/conv2d/bias"},
                                              {"max_pooling2d", ""},
                                              {"conv2d_1", "sequential/conv2d_1/kernel"},
                                              {"conv2d_1", "sequential/conv2d_1/bias"},
                                              {"max_pooling2d_1", ""},
                                              {"flatten", ""},
                                              {"dense", "sequential/dense/kernel"},
                                              {"dense", "sequential/dense/bias"}};
    tr_checkpoint_outline *outline;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_look(&outline, TR_GOLDEN "/keras_written.h5", &err), TR_OK, "%s",
                 err.text);
    cr_expect_eq(outline->n_layers, 6);
    cr_assert_eq(outline->n_entries, 9);
    for (int i = 0; i < 9; i++) {
        char path[256];
        cr_expect_str_eq(outline->entries[i].layer, expected[i][0]);
        cr_expect_str_eq(outline->entries[i].weight, expected[i][1]);
        snprintf(path, sizeof path, "model_weights/%s/%s", expected[i][0], expected[i][1]);
        cr_expect_str_eq(outline->entries[i].path, path);
    }
    tr_checkpoint_outline_free(outline);
}

Test(checkpoint_look, a_dataset_has_no_layers)
{
    tr_checkpoint_outline *outline;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_look(&outline, TR_GOLDEN "/split.h5", &err), TR_OK, "%s", err.text);
    cr_expect(outline->n_layers == 0 && outline->n_entries == 0);
    tr_checkpoint_outline_free(outline);
    cr_expect_eq(tr_checkpoint_look(&outline, TR_GOLDEN "/split.py", &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "split.py"));
}
