/* quadrants.c -- see quadrants.h. */
#include "quadrants.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_read.h"
#include "h5.h"
#include "mem.h"
#include "net.h"
#include "rng.h"

enum { SIDE = TEST_QUADRANTS_SIDE, N_TRAIN = TEST_QUADRANTS_TRAIN, N_TEST = TEST_QUADRANTS_TEST };

static void fill(uint8_t *x, uint8_t *y, int n, uint32_t part)
{
    for (int i = 0; i < n; i++) {
        y[i] = (uint8_t)tr_random_below(4, 9, TR_PURPOSE_INIT, part, (uint64_t)i);
        for (int p = 0; p < SIDE * SIDE; p++) {
            const int quadrant = (p / SIDE >= SIDE / 2) * 2 + (p % SIDE >= SIDE / 2);
            const uint64_t noise =
                tr_random_below(60, 9, TR_PURPOSE_SHUFFLE, part, (uint64_t)(i * SIDE * SIDE + p));
            x[i * SIDE * SIDE + p] = (uint8_t)(noise + (quadrant == y[i] ? 100 : 0));
        }
    }
}

static void write_array(hid_t file, const char *name, int rank, const hsize_t *dims,
                        const void *values)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t set =
        H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
}

const char *test_quadrants_data(void)
{
    static char path[512];
    static uint8_t x[N_TRAIN * SIDE * SIDE], y[N_TRAIN];
    snprintf(path, sizeof path, "%s/quadrants.h5", test_folder());
    if (access(path, F_OK) == 0)
        return path;
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t dims[3] = {N_TRAIN, SIDE, SIDE};
    fill(x, y, N_TRAIN, 1);
    write_array(file, "x_train", 3, dims, x);
    write_array(file, "y_train", 1, dims, y);
    dims[0] = N_TEST;
    fill(x, y, N_TEST, 2);
    write_array(file, "x_test", 3, dims, x);
    write_array(file, "y_test", 1, dims, y);
    H5Fclose(file);
    return path;
}

static const char body[] =
    "validation_split = 0.2\n[model]\ninput_shape = 8, 8, 1\n"
    "[layer.c]\ntype = conv2d\nfilters = 8\nkernel_size = 3\nactivation = relu\n"
    "[layer.p]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n"
    "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"
    "[fit]\nbatch_size = 50\nepochs = 3\n[evaluate]\nbatch_size = 30\n";

tr_status test_quadrants_make(test_quadrants *made, const char *const *overrides,
                              size_t n_overrides, tr_error *err)
{
    const char *all[16];
    char file[600];
    snprintf(file, sizeof file, "data.file=%s", test_quadrants_data());
    all[0] = file;
    for (size_t i = 0; i < n_overrides; i++)
        all[i + 1] = overrides[i];
    memset(made, 0, sizeof *made);
    made->config = test_config(body, all, n_overrides + 1);
    TR_TRY(tr_model_parse(&made->model, made->config, err));
    TR_TRY(tr_config_check(made->config, err));
    TR_TRY(tr_model_build(made->model, err));
    TR_TRY(tr_dataset_open(&made->dataset, made->config, tr_model_targets(made->model), err));
    TR_TRY(tr_run_new(&made->run, made->config, made->model, made->dataset, err));
    char *names = NULL; /* an earlier run of the same test may be there */
    const tr_status status = tr_run_overwrite(made->run, &names, err);
    tr_free(names);
    return status;
}

void test_quadrants_discard(test_quadrants *made)
{
    tr_run_free(made->run);
    tr_dataset_free(made->dataset);
    tr_model_free(made->model);
    tr_config_free(made->config);
}

/* ---- lives ---- */

enum { MOST = 12 }; /* overrides */

static tr_control control;
static int64_t steps_left;

static void stop_after(void *user, const tr_step_event *event)
{
    (void)user, (void)event;
    if (--steps_left == 0)
        control.stop = SIGINT;
}

/* Up to `steps` further steps of the run; `resumed` tells where it went on. */
tr_status test_quadrants_live(const char *const *overrides, size_t n, const char *output,
                              int64_t steps, tr_resumed *resumed, tr_error *err)
{
    char folder[512], path[600];
    const char *all[MOST];
    test_quadrants made;
    const tr_listener listener = {.on_step = stop_after};
    snprintf(folder, sizeof folder, "output.directory=%s/%s", test_folder(), output);
    snprintf(path, sizeof path, "%s/%s/last.h5", test_folder(), output);
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
    all[n] = folder;
    steps_left = steps;
    control = (tr_control){0};
    tr_status status = test_quadrants_make(&made, all, n + 1, err);
    if (status == TR_OK && resumed != NULL)
        status = tr_run_resume(made.run, path, resumed, err);
    if (status == TR_OK)
        status = tr_run_fit(made.run, &listener, &control, err);
    test_quadrants_discard(&made);
    return status;
}

tr_snapshot *test_quadrants_load(const char *const *overrides, size_t n, const char *output,
                                 test_quadrants *made)
{
    tr_error err = {0};
    tr_snapshot *snapshot;
    char path[600];
    snprintf(path, sizeof path, "%s/%s/last.h5", test_folder(), output);
    const char *all[MOST];
    char folder[512];
    snprintf(folder, sizeof folder, "output.directory=%s/load_%s", test_folder(), output);
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
    all[n] = folder;
    cr_assert_eq(test_quadrants_make(made, all, n + 1, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read(&snapshot, made->model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    return snapshot;
}

/* ---- comparing ---- */

static void same_floats(const float *a, const float *b, int64_t n, const char *what)
{
    cr_assert_eq(a == NULL, b == NULL, "%s", what);
    cr_assert(a == NULL || memcmp(a, b, (size_t)n * sizeof *a) == 0, "%s: other bits", what);
}

static void same_history(const tr_snapshot *a, const tr_snapshot *b, const char *what)
{
    cr_assert_eq(a->n_epochs, b->n_epochs, "%s", what);
    for (int64_t i = 0; i < a->n_epochs; i++) {
        const tr_epoch *x = &a->epochs[i], *y = &b->epochs[i];
        cr_assert_eq(memcmp(&x->train, &y->train, sizeof x->train), 0, "%s", what);
        cr_assert_eq(memcmp(&x->validation, &y->validation, sizeof x->validation), 0, "%s", what);
        cr_assert_eq(x->learning_rate, y->learning_rate, "%s", what);
    }
}

void test_quadrants_same_ends(const char *const *overrides, size_t n, const char *one,
                              const char *other, const char *what)
{
    test_quadrants made[2];
    tr_snapshot *a = test_quadrants_load(overrides, n, one, &made[0]),
                *b = test_quadrants_load(overrides, n, other, &made[1]);
    same_floats(a->weights, b->weights, a->n_values, what);
    same_floats(a->training_weights, b->training_weights, a->n_values, what);
    same_floats(a->best_weights, b->best_weights, a->n_values, what);
    cr_assert_eq(a->best_weights_epoch, b->best_weights_epoch, "%s", what);
    for (int i = 0; i < a->n_slots; i++)
        same_floats(a->slots[i], b->slots[i], a->n_slot_values, what);
    same_history(a, b, what);
    cr_assert_eq(a->progress.iterations, b->progress.iterations, "%s", what);
    cr_assert_eq(a->progress.best_epoch, b->progress.best_epoch, "%s", what);
    cr_assert_eq(a->progress.best_value, b->progress.best_value, "%s", what);
    tr_snapshot_free(a);
    tr_snapshot_free(b);
    test_quadrants_discard(&made[0]);
    test_quadrants_discard(&made[1]);
}

char *test_quadrants_path(const char *name)
{
    return tr_format("%s/run/%s", test_folder(), name);
}
