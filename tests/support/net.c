/* net.c -- see net.h. */
#include "net.h"

#include "checkpoint_write.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "replica_internal.h"
#include "rng.h"

/* ---- configurations ---- */

const char *test_folder(void)
{
    static char folder[256];
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/trainer-test-XXXXXX", base ? base : "/tmp");
        cr_assert_not_null(mkdtemp(folder));
    }
    return folder;
}

const char *test_file(const char *name, const char *text)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

tr_config *test_config(const char *body, const char *const *overrides, size_t n_overrides)
{
    /* A body with a [compile] of its own says it all. */
    char *text = tr_format(
        "[data]\nfile = none.h5\nscale = 1/255\n%s\n%s[output]\ndirectory = %s/run\n", body,
        strstr(body, "[compile]") != NULL ? ""
                                          : "[compile]\nloss = sparse_categorical_crossentropy\n"
                                            "optimizer = adam\nmetrics = accuracy\n",
        test_folder());
    tr_config *config = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_config_load(&config, test_file("net.ini", text), overrides, n_overrides, &err),
                 TR_OK, "%s", err.text);
    tr_free(text);
    return config;
}

/* ---- a network ---- */

test_net *test_net_new(const char *layers, const int64_t shape[3], int64_t n)
{
    return test_net_new_with(layers, shape, n, NULL, 0);
}

test_net *test_net_new_with(const char *layers, const int64_t shape[3], int64_t n,
                            const char *const *overrides, size_t n_overrides)
{
    test_net *net = tr_alloc(1, sizeof *net);
    tr_error err = {0};
    char *body = tr_format("[model]\ninput_shape = %lld, %lld, %lld\n%s\n"
                           "[layer.test_flatten]\ntype = flatten\n[engine]\nmicro_batch = %lld\n"
                           "[compile]\nloss = mean_squared_error\noptimizer = adam\n",
                           (long long)shape[0], (long long)shape[1], (long long)shape[2], layers,
                           (long long)n);
    net->config = test_config(body, overrides, n_overrides);
    tr_free(body);
    net->n = n;
    cr_assert_eq(tr_model_parse(&net->model, net->config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(net->config, &err), TR_OK, "%s\n%s", err.text, layers);
    net->model->training.wants_diff_input = true;
    cr_assert_eq(tr_model_build(net->model, &err), TR_OK, "%s\n%s", err.text, layers);
    cr_assert_eq(
        tr_replica_new(&net->replica, net->model->training.program, net->model->params, &err),
        TR_OK, "%s", err.text);
    cr_assert_eq(tr_replica_bind_own(net->replica), TR_OK); /* images may cross a cut */
    net->gradients = tr_alloc(net->model->n_floats, sizeof(float));
    cr_assert_eq(tr_replica_set_gradients(net->replica, net->gradients), TR_OK);
    return net;
}

void test_net_free(test_net *net)
{
    tr_replica_free(net->replica);
    tr_free(net->gradients);
    tr_model_free(net->model);
    tr_config_free(net->config);
    tr_free(net);
}

tr_status test_save(const tr_model *model, const char *path, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    TR_TRY(tr_snapshot_new(&snapshot, model, true, err));
    tr_status status = tr_snapshot_take_weights(snapshot, err);
    if (status == TR_OK)
        status = tr_checkpoint_write(snapshot, path, err);
    tr_snapshot_free(snapshot);
    return status;
}

int64_t test_net_outputs(const test_net *net)
{
    return tr_model_n_classes(net->model);
}

static int64_t image_elements(const test_net *net)
{
    const int64_t *s = net->config->input_shape;
    return s[0] * s[1] * s[2];
}

void test_net_forward(test_net *net, const float *src, float *dst)
{
    const tr_plan *plan = &net->model->training;
    memcpy(tr_replica_data(net->replica, plan->input), src,
           (size_t)(net->n * image_elements(net)) * sizeof *src);
    cr_assert_eq(tr_replica_run(net->replica, TR_PREPARE), TR_OK);
    cr_assert_eq(tr_replica_run(net->replica, TR_FORWARD), TR_OK);
    memcpy(dst, tr_replica_data(net->replica, plan->output),
           (size_t)(net->n * test_net_outputs(net)) * sizeof *dst);
}

void test_net_backward(test_net *net, const float *diff_dst, float *diff_src)
{
    const tr_plan *plan = &net->model->training;
    const int64_t *s = net->config->input_shape;
    tr_error err = {0};
    memcpy(tr_replica_data(net->replica, plan->diff_output), diff_dst,
           (size_t)(net->n * test_net_outputs(net)) * sizeof *diff_dst);
    cr_assert_eq(tr_replica_run(net->replica, TR_BACKWARD), TR_OK);
    cr_assert_eq(tr_layout_copy(tr_program_layout(plan->program, plan->diff_input),
                                tr_replica_data(net->replica, plan->diff_input),
                                tr_layout_nhwc(net->model->dnn, net->n, s[0], s[1], s[2]), diff_src,
                                &err),
                 TR_OK, "%s", err.text);
}

void test_net_gradient(const test_net *net, int i, float *values)
{
    const tr_param *param = tr_model_param(net->model, i);
    tr_error err = {0};
    cr_assert_eq(
        tr_layout_copy(param->packed, net->gradients + param->offset, param->plain, values, &err),
        TR_OK, "%s", err.text);
}

/* ---- golden files ---- */

hid_t test_golden_open(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TR_GOLDEN, name);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(file >= 0, "%s", path);
    return file;
}

bool test_golden_has(hid_t file, const char *path)
{
    return H5Lexists(file, path, H5P_DEFAULT) > 0;
}

float *test_golden_floats(hid_t file, const char *path, size_t *n)
{
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    cr_assert(dataset >= 0, "%s", path);
    const hid_t space = H5Dget_space(dataset);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    float *values = tr_alloc(*n, sizeof *values);
    cr_assert(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
}

char *test_golden_text(hid_t object, const char *attribute)
{
    const hid_t id = H5Aopen(object, attribute, H5P_DEFAULT);
    cr_assert(id >= 0, "%s", attribute);
    const hid_t type = H5Aget_type(id);
    char *text = NULL;
    cr_assert(H5Tis_variable_str(type) > 0);
    cr_assert(H5Aread(id, type, &text) >= 0);
    char *copy = tr_strdup(text);
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(id);
    return copy;
}

static void read_ints(hid_t object, const char *attribute, int *values, size_t *n)
{
    const hid_t id = H5Aopen(object, attribute, H5P_DEFAULT);
    cr_assert(id >= 0, "%s", attribute);
    const hid_t space = H5Aget_space(id);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    cr_assert_leq(*n, 4);
    cr_assert(H5Aread(id, H5T_NATIVE_INT, values) >= 0);
    H5Sclose(space);
    H5Aclose(id);
}

void test_close(const char *what, const float *a, const float *b, size_t n, double absolute,
                double relative)
{
    size_t bad = 0, worst = 0;
    double worst_excess = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double excess = fabs((double)a[i] - (double)b[i]) - relative * fabs((double)b[i]);
        if (!(excess <= absolute)) {
            bad++;
            if (!(excess <= worst_excess)) {
                worst_excess = excess;
                worst = i;
            }
        }
    }
    cr_assert_eq(bad, 0, "%s: %zu of %zu differ, worst at %zu: %.9g, expected %.9g", what, bad, n,
                 worst, (double)a[worst], (double)b[worst]);
}

const char *test_problems_of(const char *body)
{
    static tr_error err;
    tr_model *model = NULL;
    tr_config *config = test_config(body, NULL, 0);
    memset(&err, 0, sizeof err);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    (void)tr_config_check(config, &err);
    tr_model_free(model);
    tr_config_free(config);
    return err.text;
}

void test_refused(const char *body, const char *expected)
{
    const char *text = test_problems_of(body);
    cr_assert_not_null(strstr(text, expected), "expected \"%s\" in:\n%s\nof\n%s", expected, text,
                       body);
}

void test_fill(float *values, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        values[i] = 2.0f * tr_random_uniform(seed, TR_PURPOSE_INIT, 99, i) - 1.0f;
}

tr_samples test_samples(int64_t n, const int64_t shape[3], int classes)
{
    const int64_t pixels = shape[0] * shape[1] * shape[2];
    uint8_t *x = tr_alloc((size_t)n, (size_t)pixels);
    int32_t *y = tr_alloc((size_t)n, sizeof *y);
    for (int64_t i = 0; i < n * pixels; i++)
        x[i] = (uint8_t)tr_random_below(256, 5, TR_PURPOSE_SHUFFLE, 1, (uint64_t)i);
    for (int64_t i = 0; i < n; i++)
        y[i] = (int32_t)tr_random_below((uint64_t)classes, 5, TR_PURPOSE_SHUFFLE, 2, (uint64_t)i);
    return (tr_samples){
        .n = n, .h = shape[0], .w = shape[1], .c = shape[2], .pixel = TR_PIXEL_U8, .x = x, .y = y};
}

/* ---- golden layers ---- */

enum { MAX_NAME = 128 };

/* The longest sums have a few hundred terms of size 1; rounding each addition of such a sum errs by
 * at most 2^-24 of its size, so 200 * 6e-8 = 1.2e-5 in the worst order of addition. */
static const test_golden_way float32 = {.absolute = 2e-5, .relative = 2e-5};

static void compare(hid_t file, const char *group, const char *dataset, const float *values,
                    const test_golden_way *way)
{
    char path[MAX_NAME + 32];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    float *golden = test_golden_floats(file, path, &n);
    test_close(path, values, golden, n, way->absolute, way->relative);
    tr_free(golden);
}

static float *load(hid_t file, const char *group, const char *dataset, size_t *n)
{
    char path[MAX_NAME + 32];
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    return test_golden_floats(file, path, n);
}

static bool has(hid_t file, const char *group, const char *dataset)
{
    char path[MAX_NAME + 32];
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    return test_golden_has(file, path);
}

static void check_gradients(test_net *net, hid_t file, const char *group, size_t n_src,
                            const test_golden_way *way)
{
    size_t n;
    float *diff_dst = load(file, group, "diff_dst", &n);
    float *diff_src = tr_alloc(n_src, sizeof *diff_src);
    test_net_backward(net, diff_dst, diff_src);
    compare(file, group, "diff_src", diff_src, way);
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        char name[32];
        float *gradient = tr_alloc((size_t)info.n, sizeof *gradient);
        test_net_gradient(net, i, gradient);
        snprintf(name, sizeof name, "diff_%s", info.name);
        if (has(file, group, name)) /* a constant has none */
            compare(file, group, name, gradient, way);
        tr_free(gradient);
    }
    tr_free(diff_dst);
    tr_free(diff_src);
}

/* A flat case enters as a 1 x 1 image and is flattened: the same numbers in the same order. */
test_net *test_net_golden(hid_t file, const char *group, const char *const *overrides,
                          size_t n_overrides)
{
    int shape[4];
    size_t n_shape, n_src, n_weight;
    tr_error err = {0};
    const hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
    char *ini = test_golden_text(object, "ini");
    read_ints(object, "input_shape", shape, &n_shape);
    tr_free(load(file, group, "src", &n_src));
    const bool flat = n_shape == 1;
    const int64_t full[3] = {flat ? 1 : shape[0], flat ? 1 : shape[1], flat ? shape[0] : shape[2]};
    char *layers =
        tr_format("%s[layer.tested]\n%s\n", flat ? "[layer.in]\ntype = flatten\n" : "", ini);
    test_net *net = test_net_new_with(layers, full, (int64_t)n_src / (full[0] * full[1] * full[2]),
                                      overrides, n_overrides);
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        float *values = load(file, group, info.name, &n_weight);
        cr_assert_eq(n_weight, (size_t)info.n);
        cr_assert_eq(tr_model_set_weight(net->model, i, values, &err), TR_OK, "%s", err.text);
        tr_free(values);
    }
    tr_free(layers);
    tr_free(ini);
    H5Gclose(object);
    return net;
}

static void run_case(hid_t file, const char *group, const test_golden_way *way)
{
    int forward_only[4];
    size_t one, n_src;
    const hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
    read_ints(object, "forward_only", forward_only, &one);
    H5Gclose(object);
    float *src = load(file, group, "src", &n_src);
    test_net *net = test_net_golden(file, group, way->overrides, way->n_overrides);
    float *dst = tr_alloc((size_t)(net->n * test_net_outputs(net)), sizeof *dst);
    test_net_forward(net, src, dst);
    compare(file, group, "dst", dst, way);
    if (!forward_only[0]) {
        cr_assert(has(file, group, "diff_dst"));
        check_gradients(net, file, group, n_src, way);
    }
    tr_free(dst);
    tr_free(src);
    test_net_free(net);
}

void test_golden_layer(const char *prefix)
{
    test_golden_layer_with(prefix, &float32);
}

/* Whether the layer's activation has a kink. */
static bool has_kink(hid_t file, const char *group)
{
    const hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
    char *ini = test_golden_text(object, "ini");
    static const char *const kinked[] = {"= relu", "= leaky_relu", "= selu", "= hard_", "= re_lu"};
    bool has = false;
    for (size_t i = 0; i < sizeof kinked / sizeof *kinked; i++)
        has = has || strstr(ini, kinked[i]) != NULL;
    tr_free(ini);
    H5Gclose(object);
    return has;
}

/* The cases of one file; how many there were. */
static size_t run_cases_of(const char *name, const char *prefix, const test_golden_way *way)
{
    const hid_t file = test_golden_open(name);
    H5G_info_t info;
    size_t cases = 0;
    cr_assert(H5Gget_info(file, &info) >= 0);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char group[MAX_NAME];
        cr_assert(H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, group, sizeof group,
                                     H5P_DEFAULT) >= 0);
        if (strncmp(group, prefix, strlen(prefix)) != 0 || (way->smooth && has_kink(file, group)))
            continue;
        run_case(file, group, way);
        cases++;
    }
    H5Fclose(file);
    return cases;
}

static void run_cases(const char *prefix, const test_golden_way *way)
{
    glob_t files;
    size_t cases = 0;
    cr_assert_eq(glob(TR_GOLDEN "/layers*.h5", 0, NULL, &files), 0);
    if (way->file != NULL)
        cases = run_cases_of(way->file, prefix, way);
    for (size_t i = 0; way->file == NULL && i < files.gl_pathc; i++)
        cases += run_cases_of(strrchr(files.gl_pathv[i], '/') + 1, prefix, way);
    globfree(&files);
    cr_assert_gt(cases, 0, "no golden case %s*", prefix);
}

void test_golden_layer_with(const char *prefix, const test_golden_way *way)
{
    static const char *const own[] = {"engine.kernels=portable"};
    test_golden_way portable = *way;
    run_cases(prefix, way);
    if (way->n_overrides > 0 || tr_kernels_best(TR_N_SETS - 1) == NULL)
        return;
    portable.overrides = own;
    portable.n_overrides = 1;
    run_cases(prefix, &portable);
}
