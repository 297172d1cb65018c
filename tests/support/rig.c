/* rig.c -- see rig.h. */
#include "rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "mem.h"

const char test_reference_layers[] =
    "[model]\ninput_shape = 28, 28, 1\n"
    "[layer.conv1]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
    "activation = relu\n[layer.pool1]\ntype = max_pooling2d\n"
    "[layer.conv2]\ntype = conv2d\nfilters = 64\nkernel_size = 3\npadding = same\n"
    "activation = relu\n[layer.pool2]\ntype = max_pooling2d\n"
    "[layer.flatten]\ntype = flatten\n"
    "[layer.output]\ntype = dense\nunits = 10\nactivation = softmax\n";

const char test_odd_layers[] =
    "[model]\ninput_shape = 9, 7, 3\n"
    "[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 4, 2\npadding = same\n"
    "activation = relu\n[layer.b]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"
    "padding = same\n[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nstrides = 2, 1\n"
    "activation = tanh\nuse_bias = false\n[layer.d]\ntype = activation\nactivation = sigmoid\n"
    "[layer.e]\ntype = flatten\n[layer.f]\ntype = dense\nunits = 11\nactivation = relu\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n";

const char test_more_layers[] =
    "[model]\ninput_shape = 9, 7, 3\n"
    "[layer.i]\ntype = dropout\nrate = 0.1\n[layer.z]\ntype = zero_padding2d\npadding = 1, 2\n"
    "[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\nactivation = gelu\n"
    "[layer.b]\ntype = average_pooling2d\npool_size = 3\nstrides = 2\npadding = same\n"
    "[layer.x]\ntype = dropout\nrate = 0.3\n"
    "[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nactivation = softplus\n"
    "use_bias = false\n[layer.d]\ntype = activation\nactivation = hard_sigmoid\n"
    "[layer.e]\ntype = global_average_pooling2d\n[layer.f]\ntype = dense\nunits = 11\n"
    "activation = selu\n[layer.y]\ntype = dropout\nrate = 0.5\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n";

test_rig test_rig_new(const char *body, const char *optimizer, int threads, int64_t max_batch,
                      const char *const *overrides, size_t n_overrides)
{
    test_rig rig = {0};
    tr_error err = {0};
    rig.config = test_config(body, overrides, n_overrides);
    rig.config->compile.optimizer = optimizer;
    cr_assert_eq(tr_model_parse(&rig.model, rig.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(rig.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(rig.model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_engine_new(&rig.engine, rig.model, tr_model_optimizers(rig.model), threads,
                               max_batch, max_batch, &err),
                 TR_OK, "%s", err.text);
    return rig;
}

void test_rig_free(test_rig *rig)
{
    tr_engine_free(rig->engine);
    tr_model_free(rig->model);
    tr_config_free(rig->config);
}

tr_sums test_rig_step(test_rig *rig, const tr_samples *samples, int64_t n, uint32_t step)
{
    uint32_t index[256];
    tr_sums sums;
    tr_error err = {0};
    cr_assert_leq(n, 256);
    test_index(index, n, samples->n, step);
    cr_assert_eq(tr_engine_step(rig->engine, samples, index, n, &sums, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(sums.n, n);
    cr_assert(isfinite(sums.loss));
    return sums;
}

void test_index(uint32_t *index, int64_t n, int64_t of, uint32_t step)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)((i * 7 + step * 13) % of);
}

float *test_rig_weight(const test_rig *rig, int w)
{
    tr_error err = {0};
    float *values = tr_alloc((size_t)tr_model_weight(rig->model, w).n, sizeof *values);
    cr_assert_eq(tr_model_get_weight(rig->model, w, values, &err), TR_OK, "%s", err.text);
    return values;
}

float *test_rig_gradient(const test_rig *rig, int w)
{
    tr_error err = {0};
    const tr_param *param = tr_model_param(rig->model, w);
    float *packed = tr_alloc(rig->model->n_floats, sizeof *packed);
    float *gradient = tr_alloc((size_t)tr_model_weight(rig->model, w).n, sizeof *gradient);
    tr_engine_gradient(rig->engine, packed);
    cr_assert_eq(
        tr_layout_copy(param->packed, packed + param->offset, param->plain, gradient, &err), TR_OK);
    tr_free(packed);
    return gradient;
}

void test_rig_load_weights(test_rig *rig, hid_t file, const char *folder)
{
    tr_error err = {0};
    for (int i = 0; i < tr_model_n_weights(rig->model); i++) {
        const tr_weight_info info = tr_model_weight(rig->model, i);
        char path[256];
        size_t n;
        snprintf(path, sizeof path, "%s/%s/%s", folder, info.layer, info.name);
        float *values = test_golden_floats(file, path, &n);
        cr_assert_eq(n, (size_t)info.n);
        cr_assert_eq(tr_model_set_weight(rig->model, i, values, &err), TR_OK);
        tr_free(values);
    }
}

void test_rig_compare_gradient(const test_rig *rig, hid_t file, const char *folder, double absolute,
                               double relative)
{
    for (int w = 0; w < tr_model_n_weights(rig->model); w++) {
        const tr_weight_info info = tr_model_weight(rig->model, w);
        char path[256];
        size_t n;
        snprintf(path, sizeof path, "%s/%s/%s", folder, info.layer, info.name);
        float *golden = test_golden_floats(file, path, &n);
        float *gradient = test_rig_gradient(rig, w);
        test_close(path, gradient, golden, n, absolute, relative);
        tr_free(golden);
        tr_free(gradient);
    }
}

void test_rig_digest_of(const char *body, const char *optimizer, const tr_samples *samples,
                        int threads, const char *const *overrides, size_t n_overrides,
                        char text[33])
{
    tr_error err = {0};
    test_rig rig = test_rig_new(body, optimizer, threads, 77, overrides, n_overrides);
    /* Full batches, a short one, one of a single sample. */
    static const int64_t sizes[] = {77, 77, 19, 1, 64};
    for (uint32_t step = 0; step < 5; step++)
        test_rig_step(&rig, samples, sizes[step], step);
    cr_assert_eq(tr_engine_iterations(rig.engine), 5);
    cr_assert_eq(tr_model_digest(rig.model, text, &err), TR_OK);
    test_rig_free(&rig);
}

void test_rig_digest(const char *body, const char *optimizer, const int64_t shape[3], int classes,
                     int threads, const char *const *overrides, size_t n_overrides, char text[33])
{
    tr_samples samples = test_samples(151, shape, classes);
    test_rig_digest_of(body, optimizer, &samples, threads, overrides, n_overrides, text);
    test_samples_free(&samples);
}

void test_samples_set_values(tr_samples *samples, int64_t width)
{
    const size_t n = (size_t)(samples->n * width);
    float *values = tr_alloc(n, sizeof *values);
    test_fill(values, n, 31);
    for (size_t i = 0; i < n; i++)
        values[i] = 0.5f + 0.5f * values[i];
    tr_free((void *)samples->y);
    samples->y = NULL;
    samples->values = values;
    samples->width = width;
}

void test_samples_free(tr_samples *samples)
{
    tr_free((void *)samples->x);
    tr_free((void *)samples->y);
    tr_free((void *)samples->values);
}

double test_distance(const float *a, const float *b, size_t n)
{
    double difference = 0.0, size = 0.0;
    for (size_t i = 0; i < n; i++) {
        difference += pow((double)a[i] - (double)b[i], 2.0);
        size += pow((double)b[i], 2.0);
    }
    return sqrt(difference) / sqrt(size);
}

bool test_has_bfloat16(void)
{
    tr_dnn *dnn = NULL;
    tr_error err;
    const bool has = tr_dnn_new(&dnn, &(tr_engine_config){.precision = TR_BFLOAT16}, &err) == TR_OK;
    tr_dnn_free(dnn);
    return has;
}

bool test_has_avx2(void)
{
    return tr_kernels_of(TR_SET_AVX2) != NULL;
}

/* By what is known of oneDNN, not by asking for it: else all would be skipped if it were lost. */
void test_skip_without_winograd(void)
{
    char version[64];
    tr_dnn_version(version, sizeof version);
    if (tr_dnn_isa() != TR_ISA_AVX512)
        cr_skip_test("oneDNN's Winograd wants AVX-512, in use is %s", tr_dnn_isa_name());
    if (strstr(version, "oneDNN 2.") == NULL)
        cr_skip_test("%s has no Winograd any more", version);
}

/* ---- golden layers in other ways ---- */

void test_golden_layer_with_avx2(const char *prefix, const test_golden_way *way)
{
    static const char *const avx2[] = {"engine.isa=avx2"};
    test_golden_way own = *way;
    own.overrides = avx2;
    own.n_overrides = 1;
    if (test_has_avx2())
        test_golden_layer_with(prefix, &own);
}

void test_golden_layer_in_bfloat16(const char *prefix, const test_golden_way *way, double allowed)
{
    static const char *const bfloat16[] = {"engine.precision=bfloat16"};
    test_golden_way own = *way;
    own.overrides = bfloat16;
    own.n_overrides = 1;
    own.absolute = own.relative = allowed;
    own.smooth = true;
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    test_golden_layer_with(prefix, &own);
}
