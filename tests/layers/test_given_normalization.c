/* test_given_normalization.c -- Keras's Normalization: numbers of keys, and weights. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"

Test(normalization, golden_forward_and_gradients)
{
    test_golden_layer("normalization_");
}

Test(normalization, one_of_two_is_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = normalization\nmean = 1\n"
                 "[layer.f]\ntype = flatten\n",
                 "give both, or none of them");
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = normalization\nmean = 1\n"
                 "variance = 1, 2\n[layer.f]\ntype = flatten\n",
                 "variance has 2 numbers for 4 channels");
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = normalization\nmean = 1\n"
                 "variance = -1\n[layer.f]\ntype = flatten\n",
                 "from 0 to");
}

/* Keras's names, order, shapes and initial values; none is trained. */
Test(normalization, has_keras_weights)
{
    static const int64_t shape[3] = {2, 3, 5};
    static const char *const names[] = {"mean", "variance", "count"};
    static const float initial[] = {0.0f, 1.0f, 0.0f};
    tr_error err = {0};
    test_net *net = test_net_new("[layer.n]\ntype = normalization\n", shape, 2);
    cr_assert_eq(tr_model_n_weights(net->model), 3);
    for (int i = 0; i < 3; i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        float values[5];
        cr_expect_str_eq(info.name, names[i]);
        cr_expect_eq(info.n_dims, i < 2);
        cr_expect_eq(info.n, i < 2 ? 5 : 1);
        cr_expect_eq(info.counts, i == 2);
        cr_expect_not(info.trained);
        cr_assert_eq(tr_model_get_weight(net->model, i, values, &err), TR_OK, "%s", err.text);
        cr_expect_eq(values[0], initial[i]);
    }
    char *summary = tr_model_summary(net->model);
    cr_expect_not_null(strstr(summary, "Non-trainable params: 11\n"), "%s", summary);
    tr_free(summary);
    test_net_free(net);
}
