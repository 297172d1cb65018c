/* test_same_job.c -- what may differ between a run and the checkpoint that it resumes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "run_internal.h"

static const char body[] = "[model]\ninput_shape = 4, 4, 1\n"
                           "[layer.a]\ntype = flatten\n"
                           "[layer.b]\ntype = dense\nunits = 3\nactivation = softmax\n"
                           "[fit]\nepochs = 3\n";

/* The configuration as it is saved: with every default of its layers. */
static tr_config *config_of(const char *text, const char *override)
{
    tr_error err = {0};
    tr_model *model;
    tr_config *config = test_config(text, &override, override == NULL ? 0 : 1);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    tr_model_free(model);
    return config;
}

static tr_status compare(const char *text, const char *override, tr_error *err)
{
    tr_config *then = config_of(body, NULL), *now = config_of(text, override);
    char *written = tr_config_text(then);
    const tr_status status = tr_check_same_job(now, written, "old.h5", err);
    tr_free(written);
    tr_config_free(then);
    tr_config_free(now);
    return status;
}

Test(same_job, allows_what_does_not_change_the_numbers)
{
    static const char *const fine[] = {NULL,
                                       "fit.epochs=30",
                                       "engine.threads=1",
                                       "fit.max_seconds=60",
                                       "early_stopping.patience=5",
                                       "output.directory=/elsewhere",
                                       "checkpoint.every_steps=5",
                                       "checkpoint.monitor=loss",
                                       "data.file=/moved/data.h5",
                                       "optimizer.learning_rate=0.0010",
                                       "fit.batch_size=32",
                                       "model.input_shape=4,4 ,  1"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        tr_error err = {0};
        cr_expect_eq(compare(body, fine[i], &err), TR_OK, "%s: %s", fine[i], err.text);
    }
}

/* The same values in other words, of every kind of key, one by one and in both directions. */
Test(same_job, compares_values)
{
    static const char *const pairs[][2] = {
        {"fit.shuffle=true", "fit.shuffle=yes"},
        {"fit.shuffle=off", "fit.shuffle=0"},
        {"data.scale=1/255", "data.scale=1.0/255"},
        {"data.scale=0.5", "data.scale=5e-1"},
        {"layer.c.kernel_size=3", "layer.c.kernel_size=3,3"},
        {"layer.c.strides=1", "layer.c.strides=1 , 01"},
        {"layer.c.padding=valid", NULL},
        {"layer.c.use_bias=yes", NULL},
        {"layer.b.trainable=no", "layer.b.trainable=false"},
        {"layer.c.trainable=on", NULL},
        {"layer.a.inputs=c", NULL},
        {"layer.c.inputs=input", NULL},
        {"compile.loss=mse", "compile.loss=mean_squared_error"},
        {"compile.metrics=mse,mae", "compile.metrics=mse ,  mae"},
        {"optimizer.learning_rate=0.001", "optimizer.learning_rate=1e-3"},
        {"optimizer.use_ema=no", NULL},
        {"fit.seed=7", "fit.seed=+07"},
    };
    static const char text[] = "[model]\ninput_shape = 4, 4, 1\n[layer.c]\ntype = conv2d\n"
                               "filters = 2\nkernel_size = 3\n[layer.a]\ntype = flatten\n"
                               "[layer.b]\ntype = dense\nunits = 3\n[compile]\noptimizer = adam\n"
                               "loss = mse\n";
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int turn = 0; turn < 2; turn++) {
            tr_error err = {0};
            tr_config *then = config_of(text, pairs[i][turn]);
            tr_config *now = config_of(text, pairs[i][1 - turn]);
            char *written = tr_config_text(then);
            cr_expect_eq(tr_check_same_job(now, written, "old.h5", &err), TR_OK, "%s: %s",
                         pairs[i][0], err.text);
            tr_free(written);
            tr_config_free(then);
            tr_config_free(now);
        }
}

/* An older program wrote a configuration without the keys that came later. */
Test(same_job, a_younger_key_was_its_default)
{
    tr_error err = {0};
    static const char older[] =
        "[data]\nfile = d.h5\nscale = 1/255\n[model]\ninput_shape = 4, 4, 1\n[layer.a]\ntype = "
        "flatten\n"
        "[layer.b]\ntype = dense\nunits = 3\nactivation = softmax\n[fit]\nepochs = 3\n"
        "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = adam\nmetrics = accuracy\n"
        "[output]\ndirectory = out\n";
    tr_config *now = config_of(body, NULL), *other = config_of(body, "engine.precision=bfloat16");
    cr_expect_eq(tr_check_same_job(now, older, "old.h5", &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_check_same_job(other, older, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "it was written with float32, now it is bfloat16"), "%s",
                       err.text);
    tr_config_free(now);
    tr_config_free(other);
}

/* Portable kernels know no instruction set; oneDNN's no automatic algorithm. */
Test(same_job, kernels_decide_what_matters)
{
    static const char *const cases[][3] = {
        /* then, now: lines of [engine]; the end of the sentence, NULL: may go on */
        {"kernels = portable", "kernels = portable\nisa = scalar", NULL},
        {"kernels = portable\nisa = avx2", "kernels = portable", NULL},
        {"kernels = fast", "kernels = fast\nisa = scalar", "with auto, now it is scalar"},
        {"kernels = portable", "kernels = fast", "with portable, now it is fast"},
        {"kernels = fast", "kernels = onednn", "with fast, now it is onednn"},
        {"convolution = direct", "convolution = auto", NULL},
        {"convolution = direct", "convolution = winograd", "with direct, now it is winograd"},
        {"kernels = fast\nconvolution = direct", "kernels = fast", "with direct, now it is auto"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tr_error err = {0};
        char then_text[512], now_text[512];
        snprintf(then_text, sizeof then_text, "%s[engine]\n%s\n", body, cases[i][0]);
        snprintf(now_text, sizeof now_text, "%s[engine]\n%s\n", body, cases[i][1]);
        tr_config *then = config_of(then_text, NULL), *now = config_of(now_text, NULL);
        char *written = tr_config_text(then);
        const tr_status status = tr_check_same_job(now, written, "old.h5", &err);
        if (cases[i][2] == NULL)
            cr_expect_eq(status, TR_OK, "%zu: %s", i, err.text);
        else
            cr_expect(status == TR_ERR_CONFIG && strstr(err.text, cases[i][2]), "%zu: %s", i,
                      err.text);
        tr_free(written);
        tr_config_free(then);
        tr_config_free(now);
    }
}

static void refused(const char *text, const char *override, const char *expected)
{
    tr_error err = {0};
    cr_expect_eq(compare(text, override, &err), TR_ERR_CONFIG, "%s", override);
    cr_expect_not_null(strstr(err.text, expected), "expected \"%s\" in: %s", expected, err.text);
    cr_expect_not_null(strstr(err.text, "old.h5"), "%s", err.text);
}

/* A section of defaults alone is still another job than none. */
Test(same_job, compares_sections_that_need_not_be_there)
{
    static const char with[] = "[reduce_lr_on_plateau]\n";
    char *both = tr_format("%s%s", body, with);
    tr_error err = {0};
    tr_config *plain = config_of(body, NULL), *reduced = config_of(both, NULL);
    char *plain_text = tr_config_text(plain), *reduced_text = tr_config_text(reduced);
    cr_expect_eq(tr_check_same_job(reduced, reduced_text, "old.h5", &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_check_same_job(reduced, plain_text, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "[reduce_lr_on_plateau]"), "%s", err.text);
    cr_expect_eq(tr_check_same_job(plain, reduced_text, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "[reduce_lr_on_plateau]"), "%s", err.text);
    tr_free(plain_text);
    tr_free(reduced_text);
    tr_config_free(plain);
    tr_config_free(reduced);
    tr_free(both);
}

Test(same_job, compares_inputs)
{
    static const char graph[] =
        "[model]\ninput_shape = 4, 4, 1\n[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 1\n"
        "[layer.d]\ntype = conv2d\nfilters = 2\nkernel_size = 1\n[layer.s]\ntype = add\n"
        "inputs = c, d\n[layer.a]\ntype = flatten\n[layer.b]\ntype = dense\nunits = 3\n"
        "[compile]\noptimizer = adam\nloss = mse\n";
    tr_error err = {0};
    tr_config *then = config_of(graph, NULL), *same = config_of(graph, "layer.s.inputs=c,  d");
    tr_config *other = config_of(graph, "layer.s.inputs=c, d, d");
    tr_config *apart = config_of(graph, "layer.d.inputs=input");
    char *written = tr_config_text(then);
    cr_expect_eq(tr_check_same_job(same, written, "old.h5", &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_check_same_job(other, written, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "[layer.s] inputs: it was written with c, d, now it is c, "
                                        "d, d"),
                       "%s", err.text);
    cr_expect_eq(tr_check_same_job(apart, written, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "[layer.d] inputs: it was written with c, now it is input"),
                       "%s", err.text);
    tr_free(written);
    tr_config_free(then);
    tr_config_free(same);
    tr_config_free(other);
    tr_config_free(apart);
}

/* Both are the same double. */
Test(same_job, seeds_are_whole_numbers)
{
    static const char with_seed[] = "[model]\ninput_shape = 4, 4, 1\n[layer.a]\ntype = flatten\n"
                                    "[layer.b]\ntype = dense\nunits = 3\nactivation = softmax\n"
                                    "[fit]\nepochs = 3\nseed = 9007199254740992\n";
    tr_error err = {0};
    tr_config *then = config_of(with_seed, NULL);
    tr_config *now = config_of(with_seed, "fit.seed=9007199254740993");
    char *written = tr_config_text(then);
    cr_expect_eq(tr_check_same_job(now, written, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_eq(tr_check_same_job(then, written, "old.h5", &err), TR_OK, "%s", err.text);
    tr_free(written);
    tr_config_free(then);
    tr_config_free(now);
}

/* A section that the checkpoint's configuration has and this one has not. */
Test(same_job, a_schedule_that_is_gone_is_noticed)
{
    tr_error err = {0};
    tr_config *then = config_of("[model]\ninput_shape = 4, 4, 1\n[layer.a]\ntype = flatten\n"
                                "[layer.b]\ntype = dense\nunits = 3\nactivation = softmax\n"
                                "[fit]\nepochs = 3\n[learning_rate]\n"
                                "schedule = polynomial_decay\ninitial_learning_rate = 0.1\n"
                                "decay_steps = 9\n",
                                NULL);
    tr_config *now = config_of(body, NULL);
    char *written = tr_config_text(then);
    cr_expect_eq(tr_check_same_job(now, written, "old.h5", &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "another [learning_rate] "), "%s", err.text);
    tr_free(written);
    tr_config_free(then);
    tr_config_free(now);
}

Test(same_job, refuses_by_name_what_does)
{
    refused(body, "fit.initial_weights=w.h5", "another [fit] initial_weights");
    refused(body, "engine.micro_batch=4", "another [engine] micro_batch: it was written with 8");
    refused(body, "fit.batch_size=64", "another [fit] batch_size");
    refused(body, "fit.seed=1", "another [fit] seed");
    refused(body, "layer.b.trainable=false",
            "another [layer.b] trainable: it was written with true, now it is false");
    refused(body, "fit.shuffle=false", "another [fit] shuffle");
    refused(body, "data.scale=1/254", "another [data] scale");
    refused(body, "data.split_seed=1", "another [data] split_seed");
    refused(body, "evaluate.batch_size=7", "another [evaluate] batch_size");
    refused(body, "layer.b.units=4", "another [layer.b] units: it was written with 3, now it is 4");
    refused(body, "layer.b.activation=linear", "another [layer.b] activation");
    refused(body, "optimizer.learning_rate=0.5", "another [optimizer] learning_rate");
    refused(body, "optimizer.clipvalue=1",
            "another [optimizer] clipvalue: it was written with none");
    refused("[model]\ninput_shape = 4, 4, 1\n[layer.a]\ntype = flatten\n"
            "[layer.c]\ntype = dense\nunits = 3\nactivation = softmax\n[fit]\nepochs = 3\n",
            NULL, "where it has [layer.b], this configuration has [layer.c]");
    refused("[model]\ninput_shape = 4, 4, 1\n[layer.a]\ntype = flatten\n"
            "[layer.b]\ntype = dense\nunits = 3\nactivation = softmax\n"
            "[layer.c]\ntype = activation\nactivation = relu\n[fit]\nepochs = 3\n",
            NULL, "where it has no further layer, this configuration has [layer.c]");
}
