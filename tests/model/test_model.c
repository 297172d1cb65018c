/* test_model.c -- sequences of layers: what fits, what is refused and at which line. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"

#define HEAD "[model]\ninput_shape = 8, 8, 3\n"
#define CONV "[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
#define FLAT "[layer.f]\ntype = flatten\n"
#define DENSE "[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n"

Test(model, accepts_what_fits)
{
    cr_assert_str_eq(test_problems_of(HEAD CONV FLAT DENSE), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT DENSE), "");
    cr_assert_str_eq(test_problems_of(HEAD "[layer.n]\ntype = batch_normalization\n"
                                           "virtual_batch_size = 24\n" FLAT DENSE),
                     "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT "[loss]\nfrom_logits = true\n"),
                     ""); /* no weight at all is a network too */
}

Test(model, refuses_at_the_line_of_the_layer)
{
    /* [data] file scale come first: HEAD begins in line 4, CONV in 6. */
    test_refused(HEAD CONV DENSE, ":10: [layer.d] the last layer gives an image of 6 x 6 x 5");
    test_refused(HEAD FLAT CONV, ":8: [layer.c] needs an image");
    test_refused(HEAD CONV, ":6: [layer.c] the last layer gives an image of 6 x 6 x 4");
    test_refused(HEAD "[layer.p]\ntype = max_pooling2d\npool_size = 9\n" FLAT,
                 ":6: [layer.p] a window of 9 does not fit the height of 8");
    test_refused(
        HEAD "[layer.n]\ntype = batch_normalization\nvirtual_batch_size = 6\n" FLAT,
        ":6: [layer.n] virtual_batch_size = 6 neither divides [engine] micro_batch = 8 nor is "
        "a multiple of it");
    test_refused(HEAD "[layer.n]\ntype = group_normalization\n" FLAT,
                 ":6: [layer.n] groups = 32 does not divide the 3 channels");
    test_refused(HEAD "[layer.n]\ntype = group_normalization\ngroups = 0\n" FLAT,
                 ":6: [layer.n] groups = 0 does not divide the 3 channels");
    test_refused(HEAD "[layer.c]\ntype = conv2\n" FLAT,
                 ":7: [layer.c] type = conv2: unknown layer; did "
                 "you mean conv2d?");
    test_refused(HEAD "[layer.c]\nfilters = 2\n" FLAT, ":6: [layer.c] type is missing");
    test_refused(HEAD "[layer.c]\ntype = conv2d\nkernel_size = 3\n" FLAT, "filters");
    test_refused(HEAD
                 "[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 3\nactivaton = relu\n" FLAT,
                 "did you mean activation?");
    test_refused(HEAD "[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 3, 3, 3\n" FLAT,
                 ":9: [layer.c] kernel_size");
    test_refused(HEAD "[layer.c]\ntype = dense\nunits = 3\nactivation = rellu\n" FLAT,
                 "did you mean relu?");
}

/* Keras takes the key in every layer; here it would change nothing. */
Test(model, a_layer_without_weights_cannot_be_frozen)
{
    static const char expected[] =
        ":8: [layer.f] trainable = yes: a flatten layer has no weights that could be trained or "
        "not; remove the key";
    const char *text = test_problems_of(HEAD FLAT "trainable = yes\nunits = 3\n" DENSE);
    cr_expect_not_null(strstr(text, expected), "%s", text);
    cr_expect_not_null(strstr(text, ":9: [layer.f] units: unknown key; allowed: type"), "%s", text);
    cr_expect_null(strstr(text, "trainable: unknown key"), "%s", text);
    cr_assert_str_eq(test_problems_of(HEAD CONV "trainable = false\n" FLAT DENSE), "");
}

/* ---- training them ---- */

/* The error text of a training of it, in a static buffer; "" when it is fine. */
static const char *trains(const char *body)
{
    static tr_error err;
    tr_model *model = NULL;
    tr_config *config = test_config(body, NULL, 0);
    memset(&err, 0, sizeof err);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    const tr_status status = tr_model_check_trainable(model, &err);
    cr_assert_eq(status, err.text[0] == '\0' ? TR_OK : TR_ERR_CONFIG);
    tr_model_free(model);
    tr_config_free(config);
    return err.text;
}

Test(model, something_has_to_learn)
{
    const char frozen[] = HEAD CONV "trainable = false\n" FLAT DENSE "trainable = no\n";
    cr_expect_str_eq(trains(HEAD CONV FLAT DENSE), "");
    cr_expect_str_eq(trains(HEAD CONV "trainable = false\n" FLAT DENSE), "");
    cr_expect_str_eq(trains(HEAD CONV FLAT DENSE "trainable = false\n"), "");
    const char *text = trains(frozen);
    cr_expect_not_null(strstr(text, ":13: there is nothing to train: no layer has weights that "
                                    "learn, and [layer.d] has trainable = false; take that away"),
                       "%s", text);
    text = trains(HEAD FLAT "[layer.n]\ntype = activation\nactivation = softmax\n");
    cr_expect_not_null(strstr(text, "nothing to train: no layer has weights that learn; add a "),
                       "%s", text);
}

Test(model, reports_everything_in_one_run)
{
    const char *text =
        test_problems_of(HEAD "[layer.a]\ntype = conv2d\nfilters = 0\nkernel_size = x\n"
                              "[layer.b]\ntype = densee\n[layer.c]\ntype = flatten\n"
                              "units = 3\n");
    cr_assert_not_null(strstr(text, "filters = 0"), "%s", text);
    cr_assert_not_null(strstr(text, "kernel_size = x"), "%s", text);
    cr_assert_not_null(strstr(text, "densee"), "%s", text);
    cr_assert_not_null(strstr(text, "units: unknown key"), "%s", text);
}

Test(model, refuses_tensors_of_2_to_the_31)
{
    test_refused("[model]\ninput_shape = 65536, 65536, 65536\n" FLAT,
                 "[model] input_shape: a micro-batch");
    test_refused("[model]\ninput_shape = 1000, 1000, 100\n" FLAT
                 "[layer.d]\ntype = dense\nunits = 100000\n",
                 "[layer.d] needs a tensor of 2^31");
    test_refused("[model]\ninput_shape = 100, 100, 100\n[engine]\nmicro_batch = 4096\n" FLAT,
                 "micro-batch of 4096");
}

Test(model, unknown_loss_is_named)
{
    const char *const overrides[] = {"compile.loss=sparse_categorical_crossentropie"};
    tr_error err = {0};
    tr_model *model = NULL;
    tr_config *config = test_config(HEAD FLAT, overrides, 1);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "did you mean sparse_categorical_crossentropy"), "%s",
                       err.text);
    tr_model_free(model);
    tr_config_free(config);
}

/* What the first of two sections lacks may stand, wrong, in the second. */
Test(model, a_section_that_stands_twice)
{
    test_refused(HEAD FLAT "[compile]\nloss = mse\n[compile]\noptimizer = ize\n",
                 "is already at line");
    test_refused(HEAD FLAT "[compile]\noptimizer = sgd\n[compile]\nloss = ize\n",
                 "is already at line");
}

/* ---- the loss against the network ---- */

#define OUT(units, activation)                                                                     \
    "[layer.o]\ntype = dense\nunits = " #units "\nactivation = " #activation "\n"
#define COMPILE(loss) "[compile]\nloss = " #loss "\noptimizer = adam\n"
#define MSE COMPILE(mean_squared_error)
#define BINARY COMPILE(binary_crossentropy)
#define CATEGORICAL COMPILE(categorical_crossentropy)

Test(model, loss_goes_with_the_outputs)
{
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(1, sigmoid) BINARY), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(3, sigmoid) BINARY), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(3, softmax) BINARY), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(3, sigmoid) CATEGORICAL), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(3, linear) CATEGORICAL
                                      "[loss]\nfrom_logits = true\nlabel_smoothing = 1\n"),
                     "");
    cr_assert_str_eq(
        test_problems_of(HEAD FLAT OUT(1, linear) BINARY "[loss]\nfrom_logits = yes\n"), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(1, linear) MSE), "");
    cr_assert_str_eq(test_problems_of(HEAD FLAT OUT(10, softmax) MSE), "");
}

/* HEAD, FLAT and the layer of 4 lines end with line 11; [compile] loss is in line 13. */
Test(model, loss_that_does_not_go_with_the_outputs)
{
    test_refused(
        HEAD FLAT OUT(1, softmax) BINARY,
        ":13: [compile] loss = binary_crossentropy with a last activation of softmax: softmax "
        "over one unit is always 1; for two classes use activation = sigmoid");
    test_refused(HEAD FLAT OUT(1, softmax) MSE, "softmax over one unit is always 1");
    test_refused(
        HEAD FLAT OUT(1, sigmoid) CATEGORICAL,
        ":13: [compile] loss = categorical_crossentropy with a last activation of sigmoid: the "
        "last layer has one unit, but this loss wants one per class");
    test_refused(
        HEAD FLAT OUT(3, linear) CATEGORICAL,
        ":13: [compile] loss = categorical_crossentropy with a last activation of linear: its "
        "outputs are no probabilities; use activation = softmax (classes) or sigmoid, or "
        "[loss] from_logits = true");
    test_refused(HEAD FLAT OUT(1, linear) BINARY, "its outputs are no probabilities");
    test_refused(HEAD FLAT OUT(3, relu) CATEGORICAL, "its outputs are no probabilities");
    test_refused(HEAD FLAT OUT(3, tanh) BINARY, "its outputs are no probabilities");
    test_refused(HEAD FLAT OUT(3, softmax) CATEGORICAL "[loss]\nfrom_logits = true\n",
                 "they are probabilities already; remove one of the two");
    test_refused(HEAD FLAT OUT(1, sigmoid) BINARY "[loss]\nfrom_logits = true\n",
                 "they are probabilities already; remove one of the two");
}

/* What a metric would mean cannot be said before: one mistake, one line. */
Test(model, metrics_of_a_loss_that_does_not_fit_are_no_second_mistake)
{
    const char *text = test_problems_of(
        HEAD FLAT OUT(1, sigmoid) COMPILE(sparse_categorical_crossentropy) "metrics = accuracy\n");
    cr_assert_not_null(strstr(text, "the last layer has one unit"), "%s", text);
    cr_assert_null(strchr(text, '\n'), "%s", text);
}

Test(model, settings_of_the_loss)
{
    test_refused(HEAD FLAT OUT(3, linear) MSE "[loss]\nfrom_logits = true\n",
                 ":15: [loss]: mean_squared_error has no settings; remove the section");
    test_refused(HEAD FLAT OUT(3, linear) MSE "[loss]\n", ":15: [loss]: mean_squared_error has no");
    test_refused(
        HEAD FLAT OUT(3, linear) CATEGORICAL "[loss]\nfrom_logit = true\n",
        ":16: [loss] from_logit: unknown key; did you mean from_logits? allowed: from_logits, "
        "label_smoothing");
    test_refused(HEAD FLAT OUT(3, softmax) "[loss]\nlabel_smoothing = 0.1\n",
                 "[loss] label_smoothing: unknown key");
    test_refused(HEAD FLAT OUT(3, softmax) CATEGORICAL "[loss]\nlabel_smoothing = 1.01\n",
                 ":16: [loss] label_smoothing = 1.01");
    test_refused(HEAD FLAT OUT(3, softmax) CATEGORICAL "[loss]\nlabel_smoothing = -0.1\n",
                 ":16: [loss] label_smoothing = -0.1");
}

/* ---- warnings ---- */

static void warns(const char *body, const char *expected)
{
    tr_error err = {0};
    tr_model *model = NULL;
    tr_config *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    char *text = tr_model_warnings(model);
    if (expected[0] == '\0')
        cr_assert_str_eq(text, "");
    else
        cr_assert_not_null(strstr(text, expected), "expected \"%s\" in:\n%s", expected, text);
    tr_free(text);
    tr_model_free(model);
    tr_config_free(config);
}

Test(model, warns_of_metrics_that_flatter)
{
    warns(HEAD FLAT OUT(10, softmax) CATEGORICAL "metrics = binary_accuracy\n",
          "binary_accuracy judges each of the 10 outputs by itself: a network that always says no "
          "is right on 9 of 10");
    warns(HEAD FLAT OUT(1, linear) BINARY "metrics = accuracy\n[loss]\nfrom_logits = true\n",
          "compares outputs with 0.5");
    warns(HEAD FLAT OUT(2, sigmoid) BINARY "metrics = binary_accuracy\n", "");
    warns(HEAD FLAT OUT(1, sigmoid) BINARY "metrics = accuracy\n", "");
    warns(HEAD FLAT OUT(10, softmax) CATEGORICAL "metrics = accuracy\n", "");
    warns(HEAD FLAT OUT(10, linear) CATEGORICAL "metrics = accuracy\n[loss]\nfrom_logits = true\n",
          "");
}

/* Parsing and building survive a failing allocation anywhere: an error, no crash, no leak (the
 * sanitizer build looks for leaks). */
Test(model, survives_lack_of_memory)
{
    for (int k = 0;; k++) {
        tr_model *model = NULL;
        tr_error err = {0};
        tr_config *config = test_config(HEAD CONV FLAT DENSE, NULL, 0);
        tr_alloc_fail_after(k);
        tr_status status = tr_model_parse(&model, config, &err);
        if (status == TR_OK && tr_config_check(config, &err) == TR_OK)
            status = tr_model_build(model, &err);
        tr_alloc_fail_after(-1);
        cr_assert(status == TR_OK || status == TR_ERR_INTERNAL, "k = %d: %s", k, err.text);
        const bool done = status == TR_OK && model != NULL && model->params != NULL;
        tr_model_free(model);
        tr_config_free(config);
        if (done)
            break;
        cr_assert_lt(k, 10000);
    }
}
