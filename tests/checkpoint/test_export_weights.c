/* test_export_weights.c -- .weights.h5 beside files that Keras 3.3 and 3.9 wrote
 * (tests/golden/keras): the same groups, shapes, types; the values bit for bit.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_read.h"
#include "checkpoint_write.h"
#include "export.h"
#include "h5_attributes.h"
#include "h5_write.h"
#include "mem.h"
#include "net.h"
#include "optimizer_list.h"
#include "trainer/checkpoint.h"

/* ---- a snapshot ---- */

typedef struct subject {
    tr_config *config;
    tr_model *model;
    tr_snapshot *snapshot;
    char path[512];
} subject;

static subject open_subject(tr_config *config, bool training)
{
    subject made = {.config = config};
    tr_error err = {0};
    tr_optimizer *optimizer = NULL;
    cr_assert_eq(tr_model_parse(&made.model, config, &err), TR_OK);
    cr_assert_eq(tr_optimizer_make(&optimizer, config, &err), TR_OK);
    tr_free(optimizer);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(made.model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_new(&made.snapshot, made.model, training, &err), TR_OK);
    cr_assert_eq(tr_snapshot_take_weights(made.snapshot, &err), TR_OK);
    for (int i = 0; i < made.snapshot->n_slots; i++)
        test_fill(made.snapshot->slots[i], (size_t)made.snapshot->n_slot_values, (unsigned)i + 5);
    made.snapshot->progress.iterations = training ? 42 : 0;
    snprintf(made.path, sizeof made.path, "%s/out.h5", test_folder());
    return made;
}

static void close_subject(subject *made)
{
    tr_snapshot_free(made->snapshot);
    tr_model_free(made->model);
    tr_config_free(made->config);
}

static tr_config *tutorial(void)
{
    tr_config *config = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_config_load(&config, TR_SOURCE "/configs/mnist.ini", NULL, 0, &err), TR_OK);
    return config;
}

/* The network of small_v3.9.2.weights.h5 without its batch normalization. */
static tr_config *small(void)
{
    return test_config("[model]\ninput_shape = 12, 10, 3\n"
                       "[layer.a]\ntype = conv2d\nfilters = 4\nkernel_size = 5\nstrides = 2\n"
                       "padding = same\n"
                       "[layer.b]\ntype = activation\nactivation = relu\n"
                       "[layer.c]\ntype = average_pooling2d\npadding = same\n"
                       "[layer.d]\ntype = conv2d\nfilters = 6\nkernel_size = 2, 3\n"
                       "[layer.e]\ntype = flatten\n[layer.f]\ntype = dropout\nrate = 0.25\n"
                       "[layer.g]\ntype = dense\nunits = 7\nactivation = tanh\n"
                       "[layer.h]\ntype = dense\nunits = 3\nactivation = softmax\n"
                       "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = rmsprop\n",
                       NULL, 0);
}

/* ---- two files side by side ---- */

typedef struct outline {
    const char *const *without; /* paths with one of these in them are left out; ends in NULL */
    char text[16384];
    bool with_names;
} outline;

/* " 3 2 float32": a dataset's shape and type. */
static void describe_dataset(hid_t dataset, char *end)
{
    hsize_t dims[8];
    const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    for (int i = 0; i < rank; i++)
        end += snprintf(end, 32, " %d", (int)dims[i]);
    /* Keras's iteration is int32 or int64, by its backend. */
    snprintf(end, 32, "%s\n",
             H5Tequal(type, H5T_IEEE_F32LE) > 0  ? " float32"
             : H5Tget_class(type) == H5T_INTEGER ? " integer"
                                                 : " another type");
    H5Tclose(type);
    H5Sclose(space);
}

static void expect_named(hid_t group, const char *path)
{
    const hid_t attribute = H5Aopen(group, "name", H5P_DEFAULT), type = H5Aget_type(attribute);
    cr_expect(H5Tis_variable_str(type) > 0 && H5Tget_cset(type) == H5T_CSET_UTF8, "%s", path);
    H5Tclose(type);
    H5Aclose(attribute);
}

/* A line for every link. H5Lvisit and its H5L_info_t, used by name alone, compile with every
 * HDF5; H5Ovisit has other arguments in each version. */
static herr_t describe(hid_t file, const char *path, const H5L_info_t *info, void *user)
{
    (void)info;
    outline *out = user;
    char *end = out->text + strlen(out->text);
    const size_t n = sizeof out->text - (size_t)(end - out->text);
    for (const char *const *part = out->without; *part != NULL; part++)
        if (strstr(path, *part) != NULL)
            return 0;
    end += snprintf(end, n, "%s", path);
    const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    if (H5Iget_type(object) == H5I_DATASET) {
        describe_dataset(object, end);
    } else {
        snprintf(end, 2, "\n");
        if (out->with_names && strstr(path, "vars") != NULL)
            expect_named(object, path);
    }
    H5Oclose(object);
    return 0;
}

static void expect_like(const char *golden, const char *path, const char *const *without,
                        bool with_names)
{
    static outline theirs, ours;
    theirs = (outline){.without = without, .with_names = with_names};
    ours = theirs;
    const hid_t a = test_golden_open(golden), b = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Lvisit(a, H5_INDEX_NAME, H5_ITER_INC, describe, &theirs);
    H5Lvisit(b, H5_INDEX_NAME, H5_ITER_INC, describe, &ours);
    cr_expect_str_eq(ours.text, theirs.text);
    H5Fclose(b);
    H5Fclose(a);
}

static void export_subject(const subject *made)
{
    tr_error err = {0};
    cr_assert_eq(tr_export_weights(made->snapshot, made->path, &err), TR_OK, "%s", err.text);
}

/* ---- tests ---- */

Test(export_weights, is_like_keras_3_3)
{
    static const char *const left_out[] = {"optimizer", NULL};
    subject made = open_subject(tutorial(), false);
    export_subject(&made);
    expect_like("keras/tutorial_untrained_v3.3.3.weights.h5", made.path, left_out, false);
    close_subject(&made);
}

Test(export_weights, is_like_keras_3_9)
{
    /* Their variables of the optimizer count batch normalization's. */
    static const char *const left_out[] = {"batch_normalization", "optimizer", NULL};
    subject made = open_subject(small(), true);
    export_subject(&made);
    expect_like("keras/small_v3.9.2.weights.h5", made.path, left_out, true);
    const hid_t file = H5Fopen(made.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t vars = H5Gopen2(file, "optimizer/vars", H5P_DEFAULT);
    H5G_info_t info;
    H5Gget_info(vars, &info);
    cr_expect_eq(info.nlinks, 2 + 8);
    char *name = test_golden_text(vars, "name");
    cr_expect_str_eq(name, "rm_sprop");
    tr_free(name);
    H5Gclose(vars);
    H5Fclose(file);
    close_subject(&made);
}

static void expect_values(hid_t file, const char *path, const float *expected, size_t n_expected)
{
    size_t n;
    float *values = test_golden_floats(file, path, &n);
    cr_assert_eq(n, n_expected, "%s", path);
    cr_expect_eq(memcmp(values, expected, n * sizeof *values), 0, "%s", path);
    tr_free(values);
}

/* Weights by class and number, slots by Keras's order. */
Test(export_weights, keeps_every_bit)
{
    static const char *const layers[] = {"conv2d", "conv2d_1", "dense"};
    subject made = open_subject(tutorial(), true);
    const tr_snapshot *snapshot = made.snapshot;
    export_subject(&made);
    const hid_t file = H5Fopen(made.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int i = 0; i < 6; i++) {
        const size_t n = (size_t)tr_model_weight(made.model, i).n;
        const int64_t offset = tr_snapshot_offset(snapshot, i);
        char path[128];
        snprintf(path, sizeof path, "layers/%s/vars/%d", layers[i / 2], i % 2);
        expect_values(file, path, snapshot->weights + offset, n);
        for (int slot = 0; slot < 2; slot++) { /* Adam's momentum, velocity: weight by weight */
            snprintf(path, sizeof path, "optimizer/vars/%d", 2 + 2 * i + slot);
            expect_values(file, path, snapshot->slots[slot] + offset, n);
        }
    }
    expect_values(file, "optimizer/vars/0", &(float){42}, 1);
    expect_values(file, "optimizer/vars/1", &(float){0.001f}, 1);
    H5Fclose(file);
    close_subject(&made);
}

/* Half an optimizer is none: Keras would start from zeros in the middle. */
Test(export_weights, leaves_out_an_optimizer_that_it_does_not_have)
{
    subject made = open_subject(tutorial(), false);
    made.snapshot->progress.iterations = 42;
    export_subject(&made);
    const hid_t file = H5Fopen(made.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_expect_eq(H5Lexists(file, "optimizer", H5P_DEFAULT), 0);
    H5Fclose(file);
    close_subject(&made);
}

static tr_status fill_optimizer(const void *snapshot, hid_t file, tr_error *err)
{
    return tr_optimizer_group_write(file, snapshot, TR_VARIABLES_KERAS3, err);
}

Test(export_weights, whole_model_optimizer_has_keras_s_names)
{
    subject made = open_subject(tutorial(), true);
    tr_error err = {0};
    char **names = NULL;
    size_t n = 0;
    cr_assert_eq(tr_h5_write_file(made.path, fill_optimizer, made.snapshot, &err), TR_OK, "%s",
                 err.text);
    const hid_t file = H5Fopen(made.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t group = H5Gopen2(file, "optimizer_weights", H5P_DEFAULT);
    cr_assert(tr_h5_read_names(group, "weight_names", &names, &n));
    cr_assert_eq(n, 14);
    cr_expect_str_eq(names[0], "adam/iteration");
    cr_expect_str_eq(names[1], "adam/learning_rate");
    cr_expect_str_eq(names[3], "adam/conv1_kernel_velocity");
    for (size_t i = 0; i < n; i++)
        cr_expect(test_golden_has(group, names[i]), "%s", names[i]);
    expect_values(group, names[3], made.snapshot->slots[1],
                  (size_t)tr_model_weight(made.model, 0).n);
    tr_h5_free_names(names, n);
    H5Gclose(group);
    H5Fclose(file);
    close_subject(&made);
}

/* ---- thousands of layers ---- */

static tr_config *deep(const char *optimizer, int depth)
{
    char *body = NULL;
    size_t n = 0;
    FILE *text = open_memstream(&body, &n);
    fprintf(text, "[model]\ninput_shape = 1, 1, 1\n[layer.f]\ntype = flatten\n");
    for (int i = 0; i < depth; i++)
        fprintf(text, "[layer.d%d]\ntype = batch_normalization\n", i);
    fprintf(text, "[compile]\nloss = mean_squared_error\noptimizer = %s\n", optimizer);
    fclose(text);
    tr_config *config = test_config(body, NULL, 0);
    free(body); /* the stream's own */
    return config;
}

/* What reads the file has a limit of computing time (base/child.h). */
Test(export_weights, a_deep_network)
{
    tr_error err = {0};
    subject made = open_subject(deep("sgd", 2100), false);
    cr_assert_eq(tr_export_weights(made.snapshot, made.path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read_weights(made.model, made.path, &err), TR_OK, "%s", err.text);
    close_subject(&made);
}

/* Of both groups together more variables than an outline lists. */
Test(export_weights, the_state_of_a_deep_network)
{
    tr_snapshot *snapshot = NULL;
    tr_error err = {0};
    subject made = open_subject(deep("adam\n[checkpoint]\nkeras_optimizer = true", 300), true);
    cr_assert_eq(tr_checkpoint_write(made.snapshot, made.path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(
        tr_checkpoint_read(&snapshot, made.model, made.path, TR_READ_STATE_IF_IT_FITS, &err), TR_OK,
        "%s", err.text);
    cr_assert_eq(snapshot->n_slots, 2);
    cr_expect_eq(memcmp(snapshot->slots[1], made.snapshot->slots[1],
                        (size_t)snapshot->n_slot_values * sizeof(float)),
                 0);
    tr_snapshot_free(snapshot);
    close_subject(&made);
}
