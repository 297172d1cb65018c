/* test_keras_limits.c -- which Keras a model is for, and the form that Keras 2 wants. What
 * Keras 2.15, tf_keras 2.21, Keras 3.3 and 3.15 make of such files, tests/keras/run.sh shows. */
#include <criterion/criterion.h>
#include <string.h>

#include "keras_json.h"
#include "keras_limits.h"
#include "mem.h"
#include "net.h"
#include "optimizer.h"

typedef struct made_model {
    tr_config *config;
    tr_model *model;
} made_model;

static made_model make(const char *activation, const char *compile)
{
    made_model made = {0};
    tr_error err = {0};
    tr_optimizer *optimizer = NULL;
    char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n[layer.h]\n"
                           "type = dense\nunits = 3\nactivation = %s\n[layer.o]\ntype = dense\n"
                           "units = 7\nactivation = softmax\n[compile]\nloss = "
                           "sparse_categorical_crossentropy\nmetrics = accuracy\n%s",
                           activation, compile);
    made.config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK);
    cr_assert_eq(tr_optimizer_make(&optimizer, made.config, &err), TR_OK);
    cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
    tr_free(optimizer);
    tr_free(body);
    return made;
}

static void release(made_model *made)
{
    tr_model_free(made->model);
    tr_config_free(made->config);
}

/* `expected`: "": nothing is said. */
static void expect(char *text, const char *expected, const char *of)
{
    cr_assert_not_null(text);
    if (expected[0] == '\0')
        cr_expect_str_eq(text, "", "%s", of);
    cr_expect_not_null(strstr(text, expected), "%s: %s", of, text);
    tr_free(text);
}

Test(keras_limits, what_a_keras_lacks_is_said)
{
    static const struct {
        const char *activation, *compile, *h5, *keras3, *keras2;
    } cases[] = {
        {"relu", "optimizer = adam\n[optimizer]\nclipnorm = 1\n", "", "", ""},
        {"relu", "optimizer = adam\n[optimizer]\nuse_ema = no\n", "", "", ""},
        {"hard_sigmoid", "optimizer = adam\n", "hard_sigmoid of layer h", "", ""},
        {"hard_swish", "optimizer = adam\n", "no activation hard_swish (layer h)", "", ""},
        {"celu", "optimizer = adam\n", "no activation celu (layer h)", "no activation celu", ""},
        {"relu", "optimizer = adamw\n", "Keras 2 has no AdamW", "", ""},
        {"relu", "optimizer = lion\n", "Keras 2 has no Lion", "", ""},
        {"relu", "optimizer = sgd\n[optimizer]\nweight_decay = 0.1\n", "no weight_decay", "", ""},
        {"relu", "optimizer = sgd\n[optimizer]\nuse_ema = yes\n", "no use_ema", "", ""},
        {"relu", "optimizer = sgd\n[optimizer]\ngradient_accumulation_steps = 2\n",
         "no gradient_accumulation_steps", "", "no gradient_accumulation_steps"},
        {"relu", "optimizer = nadam\n", "", "Keras 3.10 and newer", "product of Nadam"},
        {"linear\n[layer.b]\ntype = batch_normalization\nvirtual_batch_size = 4",
         "optimizer = adam\n", "layer b: virtual_batch_size is not in",
         "layer b: virtual_batch_size is not in", "layer b: virtual_batch_size is not in"},
        {"linear\n[layer.b]\ntype = batch_normalization\nvirtual_batch_size = 0",
         "optimizer = adam\n", "", "", ""},
        {"linear\n[layer.s]\ntype = layer_scale\nprojection_dim = 3", "optimizer = adam\n",
         "layer s: Keras 2 finds no LayerScale", "", "layer s: Keras 2 finds no LayerScale"},
        {"relu", "optimizer = lamb\n", "Keras finds no Lamb", "3.7 has Lamb", "no Lamb"},
        {"relu", "optimizer = sgd\n[optimizer]\nuse_ema = on\ngradient_accumulation_steps = 2\n",
         "no gradient_accumulation_steps", "order of Keras 3.15", "no gradient_accumulation_steps"},
        {"relu", "optimizer = adafactor\n", "Keras 2 has no Adafactor", "", ""},
        {"relu", "optimizer = muon\n", "3.15 has Muon", "3.15 has Muon", "no Muon"},
        {"relu", "optimizer = muon\n[optimizer]\nconvolutions = matrices\n",
         "no convolutions = matrices", "no convolutions = matrices", "no Muon"},
        {"relu", "optimizer = schedule_free_adamw\n", "moved already", "moved already",
         "no ScheduleFreeAdamW"},
        {"relu", "optimizer = adam\n[optimizer.x]\nlayers = h\nlearning_rate = 1\n",
         "3.15 has MultiOptimizer", "3.15 has MultiOptimizer", "no MultiOptimizer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_model made = make(cases[i].activation, cases[i].compile);
        expect(tr_keras_h5_limits(made.model), cases[i].h5, cases[i].compile);
        expect(tr_keras3_limits(made.model, true), cases[i].keras3, cases[i].compile);
        expect(tr_keras2_limits(made.model, true), cases[i].keras2, cases[i].compile);
        release(&made);
    }
}

/* Nadam's product is part of its state only. */
Test(keras_limits, without_the_state_nothing_of_it_is_said)
{
    made_model made = make("relu", "optimizer = nadam\n");
    expect(tr_keras3_limits(made.model, false), "", "nadam");
    expect(tr_keras2_limits(made.model, false), "", "nadam");
    release(&made);
}

Test(keras_limits, keras2_computes_no_hard_sigmoid_of_keras3)
{
    tr_error err = {0};
    made_model made = make("hard_sigmoid", "optimizer = adam\n");
    cr_expect_eq(tr_keras2_check(made.model, &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "layer h: activation = hard_sigmoid"), "%s", err.text);
    release(&made);
    made = make("celu", "optimizer = adam\n");
    cr_expect_eq(tr_keras2_check(made.model, &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "layer h: activation = celu"), "%s", err.text);
    release(&made);
    made = make("swish", "optimizer = adam\n");
    cr_expect_eq(tr_keras2_check(made.model, &err), TR_OK);
    release(&made);
}

/* 3.3 wants more than 0 where none and 0 are two things. */
Test(keras_limits, keras33_pads_no_output_by_0)
{
    static const struct {
        const char *padding, *expected;
    } cases[] = {{"output_padding = 0", "layer t: the first versions of Keras 3"},
                 {"output_padding = 1, 0", "refuse output_padding = 0"},
                 {"output_padding = 1", ""},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_model made = {0};
        tr_error err = {0};
        char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.t]\ntype = "
                               "conv2d_transpose\nfilters = 2\nkernel_size = 3\nstrides = 2\n"
                               "%s\n[layer.f]\ntype = flatten\n[layer.o]\ntype = dense\n"
                               "units = 7\nactivation = softmax\n[compile]\nloss = "
                               "sparse_categorical_crossentropy\noptimizer = adam\n",
                               cases[i].padding);
        made.config = test_config(body, NULL, 0);
        cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK);
        cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
        expect(tr_keras3_limits(made.model, false), cases[i].expected, cases[i].padding);
        release(&made);
        tr_free(body);
    }
}

/* Of layers that change images. */
Test(keras_limits, young_layers_are_said)
{
    static const struct {
        const char *layer, *h5, *keras3, *keras2;
    } cases[] = {
        {"random_flip", "", "", ""},
        {"random_contrast\nfactor = 0.1", "", "", ""},
        {"random_contrast\nfactor = 0.1\nvalue_range = 0, 255", "", "", ""},
        {"random_contrast\nfactor = 0.1\nvalue_range = 0, 1",
         "have no value_range of RandomContrast (layer t) and do not load these files",
         "have no value_range of RandomContrast (layer t) and do not load this file",
         "layer t: Keras 2 has no value_range of RandomContrast"},
        {"random_brightness\nfactor = 0.1\nvalue_range = 0, 1", "", "", ""},
        {"random_erasing", "have no RandomErasing (layer t)", "have no RandomErasing (layer t)",
         "layer t: Keras 2 has no RandomErasing"},
        {"random_crop\nheight = 4\nwidth = 3", "layer t: Keras 3.15 leaves images",
         "layer t: ", ""},
        {"normalization\nadapt = yes", "layer t: the first versions of Keras 3, 3.3 among them, do",
         "", ""},
        {"normalization\nmean = 1\nvariance = 2", "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_model made = {0};
        tr_error err = {0};
        char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.t]\ntype = %s\n[layer.f]\n"
                               "type = flatten\n[layer.o]\ntype = dense\nunits = 7\n"
                               "activation = softmax\n[compile]\nloss = "
                               "sparse_categorical_crossentropy\noptimizer = adam\n",
                               cases[i].layer);
        made.config = test_config(body, NULL, 0);
        cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK);
        cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
        expect(tr_keras_h5_limits(made.model), cases[i].h5, cases[i].layer);
        expect(tr_keras3_limits(made.model, false), cases[i].keras3, cases[i].layer);
        cr_expect_eq(tr_keras2_check(made.model, &err),
                     cases[i].keras2[0] == '\0' ? TR_OK : TR_ERR_CONFIG, "%s", cases[i].layer);
        cr_expect_not_null(strstr(err.text, cases[i].keras2), "%s", err.text);
        release(&made);
        tr_free(body);
    }
}

/* Keras 2.15's own form: its new optimizers, by their registered names. */
Test(keras_limits, keras2_gets_its_own_optimizer)
{
    made_model made = make("relu", "optimizer = adamw\n[optimizer]\nuse_ema = yes\n");
    char *text = tr_keras2_training_config(made.model);
    cr_expect_str_eq(
        text,
        "{\"loss\":\"sparse_categorical_crossentropy\",\"metrics\":[{\"class_name\":"
        "\"SparseCategoricalAccuracy\",\"config\":{\"name\":\"accuracy\",\"dtype\":\"float32\"}}],"
        "\"weighted_metrics\":null,\"loss_weights\":null,\"optimizer_config\":{\"class_name\":"
        "\"Custom>AdamW\",\"config\":{\"name\":\"AdamW\",\"learning_rate\":0.001,\"beta_1\":0.9,"
        "\"beta_2\":0.999,\"epsilon\":1e-7,\"amsgrad\":false,\"weight_decay\":0.004,"
        "\"use_ema\":true,\"jit_compile\":false,\"is_legacy_optimizer\":false,"
        "\"ema_overwrite_frequency\":null}}}");
    tr_free(text);
    release(&made);
}

/* Objects that were carried from a file of Keras 3 lose the module that Keras 2 may not know. */
Test(keras_limits, carried_objects_are_those_of_both)
{
    static const char carried[] =
        "{\"input\":{\"name\":\"theirs\"},\"model\":{\"name\":\"m\"},\"layers\":{\"h\":{\"name\":"
        "\"my layer\",\"kernel_regularizer\":{\"module\":\"keras.regularizers\",\"class_name\":"
        "\"L2\",\"config\":{\"l2\":0.5},\"registered_name\":null},\"bias_regularizer\":{\"module\":"
        "\"mine\",\"class_name\":\"Odd\",\"config\":{},\"registered_name\":\"mine>Odd\"}}}}";
    const tr_keras_source source = {carried, true};
    made_model made = make("relu", "optimizer = adam\n");
    char *text = tr_keras_model_config(made.model, &source);
    cr_expect_not_null(
        strstr(text, "\"kernel_regularizer\":{\"class_name\":\"L2\",\"config\":{\"l2\":0.5}}"),
        "%s", text);
    cr_expect_not_null(strstr(text, "\"registered_name\":\"mine>Odd\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"name\":\"my layer\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"name\":\"theirs\""), "%s", text);
    tr_free(text);
    text = tr_keras3_config(made.model, &source);
    cr_expect_not_null(strstr(text, "\"module\":\"mine\""), "%s", text);
    tr_free(text);
    release(&made);
}
