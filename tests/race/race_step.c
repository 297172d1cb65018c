/* race_step.c -- the step under ThreadSanitizer: a plain program, because Criterion aborts there.
 *
 * Built by the preset `tsan` with clang and its own OpenMP runtime, which ThreadSanitizer can see
 * into. oneDNN's kernels are not instrumented, so dnn/tsan_marks.h says what they touch. What is
 * looked at is the sharing: micro-batches handed out, slots, the barriers, the ranges of the update
 * and, with LAMB and clipping, norms over what other threads computed; stages, with what is kept
 * and joined between them; waves. It also checks that 1 and 4
 * threads end with the same bits.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "mem.h"
#include "trainer/config.h"

enum { N = 120, SIDE = 12, STEPS = 12 };

#define HEAD "[data]\nfile = none.h5\nscale = 1/255\n[model]\ninput_shape = 12, 12, 1\n"
#define END                                                                                        \
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n"        \
    "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = adam\n"                        \
    "[engine]\nmicro_batch = 3\n[output]\ndirectory = none\n"

static const char one_stage[] = HEAD
    "[layer.c]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\nactivation = relu\n"
    "[layer.p]\ntype = max_pooling2d\n" END;

/* Two layers that measure the batch, and one that measures micro-batches; a shortcut. */
static const char five_stages[] =
    HEAD "[layer.c]\ntype = conv2d\nfilters = 8\nkernel_size = 3\npadding = same\n"
         "[layer.a]\ntype = batch_normalization\n[layer.r]\ntype = activation\nactivation = relu\n"
         "[layer.e]\ntype = conv2d\nfilters = 8\nkernel_size = 3\npadding = same\n"
         "[layer.b]\ntype = batch_normalization\n[layer.s]\ntype = add\ninputs = b, r\n"
         "[layer.v]\ntype = batch_normalization\nvirtual_batch_size = 3\n" END;

static uint8_t x[N * SIDE * SIDE];
static int32_t y[N];

static void must(tr_status status, const tr_error *err)
{
    if (status == TR_OK)
        return;
    fprintf(stderr, "race_step: %s\n", err->text);
    exit(1);
}

static void train(const char *path, int threads, const char *const *overrides, size_t n_overrides,
                  char digest[33])
{
    tr_error err = {0};
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_engine *engine = NULL;
    const tr_samples samples = {.n = N, .h = SIDE, .w = SIDE, .c = 1, .x = x, .y = y};
    must(tr_config_load(&config, path, overrides, n_overrides, &err), &err);
    must(tr_model_parse(&model, config, &err), &err);
    must(tr_config_check(config, &err), &err);
    must(tr_model_build(model, &err), &err);
    must(tr_engine_new(&engine, model, tr_model_optimizers(model), threads, 40, 40, &err), &err);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t index[40];
        tr_sums sums;
        for (uint32_t i = 0; i < 40; i++)
            index[i] = (i * 7 + step * 11) % N;
        must(tr_engine_step(engine, &samples, index, step % 3 == 2 ? 17 : 40, &sums, &err), &err);
        must(tr_engine_evaluate(engine, &samples, index, 40, NULL, &sums, &err), &err);
    }
    must(tr_model_digest(model, digest, &err), &err);
    tr_engine_free(engine);
    tr_model_free(model);
    tr_config_free(config);
}

/* Whether 1 and 4 threads end with the same bits. */
static bool is_equal(const char *text, const char *const *overrides, size_t n_overrides)
{
    char path[] = "/tmp/race_step.XXXXXX", one[33], four[33];
    const int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return false;
    fputs(text, file);
    fclose(file);
    train(path, 1, overrides, n_overrides, one);
    train(path, 4, overrides, n_overrides, four);
    printf("1 thread %s, 4 threads %s\n", one, four);
    remove(path);
    return strcmp(one, four) == 0;
}

int main(void)
{
    for (int i = 0; i < N * SIDE * SIDE; i++)
        x[i] = (uint8_t)((unsigned)i * 2654435761u >> 24);
    for (int i = 0; i < N; i++)
        y[i] = i % 5;
    static const char *const in_passes[] = {
        "compile.optimizer=lamb", "optimizer.global_clipnorm=0.1",
        "optimizer.gradient_accumulation_steps=2", "optimizer.use_ema=true"};
    static const char *const in_waves[] = {"engine.gradient_slots=4"};
    static const char *const by_our_own[] = {"engine.kernels=portable"};
    bool equal = is_equal(one_stage, NULL, 0);
    equal = is_equal(one_stage, in_passes, 4) && equal;
    equal = is_equal(five_stages, NULL, 0) && equal;
    equal = is_equal(five_stages, in_passes, 4) && equal;
    equal = is_equal(five_stages, in_waves, 1) && equal;
    equal = is_equal(one_stage, by_our_own, 1) && equal;
    equal = is_equal(five_stages, by_our_own, 1) && equal;
    return equal ? 0 : 1;
}
