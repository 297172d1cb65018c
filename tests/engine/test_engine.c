/* test_engine.c -- life of the engine: threads, sizes, lack of memory. */
#include <criterion/criterion.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "net.h"

static const char body[] =
    "[model]\ninput_shape = 6, 6, 1\n[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\nactivation = softmax\n";

static tr_model *build(tr_config **config)
{
    tr_model *model = NULL;
    tr_error err = {0};
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, *config, &err), TR_OK);
    cr_assert_eq(tr_config_check(*config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    return model;
}

Test(engine, chooses_the_threads_of_the_environment_unless_told)
{
    char why[TR_WHY_MAX];
    tr_config *config;
    setenv("OMP_NUM_THREADS", "1", 1); /* what OpenMP does with it before main() */
    omp_set_num_threads(1);
    tr_model *model = build(&config);
    cr_assert_eq(tr_engine_choose_threads(model, why), 1);
    cr_assert_str_eq(why, "OMP_NUM_THREADS");
    config->engine.threads = 1000; /* more than can run at once are not used */
    cr_assert_leq(tr_engine_choose_threads(model, why), omp_get_num_procs());
    cr_assert(strncmp(why, "engine.threads asks for 1000; ", 30) == 0, "%s", why);
    tr_model_free(model);
    tr_config_free(config);
}

Test(engine, uses_as_many_threads_as_it_is_given)
{
    tr_config *config;
    tr_engine *engine = NULL;
    tr_error err = {0};
    tr_model *model = build(&config);
    cr_assert_eq(tr_engine_new(&engine, model, NULL, 5, 0, 10, &err), TR_OK);
    cr_assert_eq(tr_engine_threads(engine), 5);
    tr_engine_free(engine);
    tr_model_free(model);
    tr_config_free(config);
}

/* In whatever batches, and micro-batches of 8 in them: each sample once. */
Test(engine, evaluates_without_an_optimizer)
{
    static const int64_t batches[] = {1, 5, 8, 12, 20, 21, 32};
    const int64_t shape[3] = {6, 6, 1};
    tr_config *config;
    tr_engine *engine = NULL;
    tr_error err = {0};
    tr_model *model = build(&config);
    tr_samples samples = test_samples(21, shape, 3);
    uint32_t index[21];
    for (uint32_t i = 0; i < 21; i++)
        index[i] = i;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        tr_sums all, one, sum = {0};
        config->evaluate_batch_size = batches[b];
        cr_assert_eq(tr_engine_new(&engine, model, NULL, 2, 0, 21, &err), TR_OK);
        cr_assert_eq(tr_engine_evaluate(engine, &samples, index, 21, NULL, &all, &err), TR_OK);
        for (int i = 0; i < 21; i++) {
            cr_assert_eq(tr_engine_evaluate(engine, &samples, index + i, 1, NULL, &one, &err),
                         TR_OK);
            sum.loss += one.loss;
            sum.metrics[0] += one.metrics[0];
        }
        cr_assert_eq(all.n, 21, "batch %d", (int)batches[b]);
        cr_assert_eq(all.metrics[0], sum.metrics[0], "batch %d", (int)batches[b]);
        /* A sample's place in its micro-batch may choose another edge of oneDNN's gemm (AVX2): the
         * rounding of float32. */
        cr_assert_float_eq(all.loss, sum.loss, 1e-7 * sum.loss, "batch %d", (int)batches[b]);
        tr_engine_free(engine);
    }
    tr_model_free(model);
    tr_config_free(config);
    tr_free((void *)samples.x);
    tr_free((void *)samples.y);
}

Test(engine, survives_lack_of_memory)
{
    tr_config *config;
    tr_error err = {0};
    tr_model *model = build(&config);
    tr_optimizers optimizers = {.n = 1,
                                .items = {tr_optimizer_new(tr_optimizer_find("adam"),
                                                           tr_ini_demand(config->ini, "optimizer"),
                                                           NULL, config->problems)}};
    for (int k = 0;; k++) {
        tr_engine *engine = NULL;
        tr_alloc_fail_after(k);
        const tr_status status = tr_engine_new(&engine, model, &optimizers, 2, 40, 40, &err);
        tr_alloc_fail_after(-1);
        if (status == TR_OK) {
            tr_engine_free(engine);
            break;
        }
        cr_assert_eq(status, TR_ERR_INTERNAL);
        cr_assert_null(engine);
        cr_assert_lt(k, 1000);
    }
    tr_optimizers_release(&optimizers);
    tr_model_free(model);
    tr_config_free(config);
}
