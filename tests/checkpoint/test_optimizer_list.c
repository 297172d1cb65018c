/* test_optimizer_list.c -- the order of an optimizer's variables, as Keras 3.16 recorded it for 27
 * optimizers, schedules and settings (tests/golden/optimizers.h5: "<number>_w<tensor>_<slot>").
 */
#include "optimizer_list.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "keras_names.h"
#include "mem.h"
#include "net.h"

enum { STEPS = 6 }; /* that were recorded */

typedef struct keras_case {
    tr_config *config;
    tr_model *model;
    tr_snapshot *snapshot;
} keras_case;

/* ---- Keras's configuration as ours ---- */

/* "key = value\n" for what Keras says and we know; "" for what is off. */
static char *ini_line(const char *key, const json_t *value)
{
    char list[256] = "";
    size_t used = 0;
    switch (json_typeof(value)) {
    case JSON_TRUE:
        return tr_format("%s = true\n", key);
    case JSON_INTEGER:
        return json_integer_value(value) == 0
                   ? tr_strdup("")
                   : tr_format("%s = %lld\n", key, (long long)json_integer_value(value));
    case JSON_REAL:
        return tr_format("%s = %.17g\n", key, json_real_value(value));
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.17g", i ? ", " : "",
                                     json_number_value(json_array_get(value, i)));
        return tr_format("%s = %s\n", key, list);
    default:
        return tr_strdup("");
    }
}

static void add_section(char *text, size_t n, const json_t *config)
{
    const char *key;
    json_t *value;
    const bool ema = json_is_true(json_object_get(config, "use_ema"));
    json_object_foreach((json_t *)config, key, value)
    {
        if (json_is_object(value) || (!ema && strncmp(key, "ema_", 4) == 0))
            continue;
        char *line = ini_line(key, value);
        strncat(text, line, n - strlen(text) - 1);
        tr_free(line);
    }
}

/* A dense layer 3 -> 4 has the two tensors that were recorded. */
static char *ini_of(const char *variant, const json_t *config)
{
    char own[1024] = "", schedule[1024] = "", name[64];
    const json_t *rate = json_object_get(config, "learning_rate");
    add_section(own, sizeof own, config);
    if (json_is_object(rate)) {
        tr_keras_snake_case(name, sizeof name,
                            json_string_value(json_object_get(rate, "class_name")));
        snprintf(schedule, sizeof schedule, "[learning_rate]\nschedule = %s\n", name);
        add_section(schedule, sizeof schedule, json_object_get(rate, "config"));
    }
    return tr_format("[model]\ninput_shape = 1, 1, 3\n[layer.f]\ntype = flatten\n[layer.w]\n"
                     "type = dense\nunits = 4\n[optimizer]\n%s%s[compile]\nloss = "
                     "mean_squared_error\noptimizer = %.*s\n",
                     own, schedule, (int)strcspn(variant, "_"), variant);
}

static keras_case open_case(hid_t file, const char *variant)
{
    keras_case opened = {0};
    tr_optimizer *optimizer = NULL;
    tr_error err = {0};
    const hid_t group = H5Gopen2(file, variant, H5P_DEFAULT);
    char *text = test_golden_text(group, "config");
    json_t *config = json_loads(text, 0, NULL);
    char *body = ini_of(variant, config);
    opened.config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&opened.model, opened.config, &err), TR_OK);
    cr_assert_eq(tr_optimizer_make(&optimizer, opened.config, &err), TR_OK);
    tr_free(optimizer);
    cr_assert_eq(tr_config_check(opened.config, &err), TR_OK, "%s: %s\n%s", variant, err.text,
                 body);
    cr_assert_eq(tr_model_build(opened.model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_new(&opened.snapshot, opened.model, true, &err), TR_OK);
    opened.snapshot->progress.iterations = STEPS;
    json_decref(config);
    tr_free(body);
    tr_free(text);
    H5Gclose(group);
    return opened;
}

static void close_case(keras_case *opened)
{
    tr_snapshot_free(opened->snapshot);
    tr_model_free(opened->model);
    tr_config_free(opened->config);
}

/* ---- comparison ---- */

/* "<number>_w<weight>_<slot>", or what Keras calls a scalar. */
static void keras_name(char *text, size_t n, const keras_case *opened, const tr_variable *item,
                       size_t number)
{
    static const char *const scalars[] = {"iteration", "learning_rate", "variable"};
    tr_slot slots[TR_MAX_ALL_SLOTS];
    if (item->kind == TR_VARIABLE_SLOT) {
        tr_snapshot_slots(opened->snapshot, item->weight, slots);
        snprintf(text, n, "%02zu_w%d_%s", number, item->weight, slots[item->slot].name);
    } else
        snprintf(text, n, "%02zu_%s", number, scalars[item->kind]);
}

static void expect_shape(hid_t group, const char *name, const keras_case *opened,
                         const tr_variable *item)
{
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    hsize_t dims[8] = {0};
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    if (item->kind != TR_VARIABLE_SLOT) {
        cr_expect_eq(rank, 0, "%s", name);
    } else {
        const tr_weight_info info = tr_model_weight(opened->model, item->weight);
        cr_expect_eq(rank, info.n_dims, "%s", name);
        for (int i = 0; i < rank; i++)
            cr_expect_eq((int64_t)dims[i], info.dims[i], "%s", name);
    }
    H5Sclose(space);
    H5Dclose(dataset);
}

/* Scalars have the values that Keras had after the recorded steps. */
static void expect_value(hid_t group, const char *name, const keras_case *opened,
                         const tr_variable *item)
{
    float learning_rate, product;
    size_t n;
    tr_error err = {0};
    if (item->kind != TR_VARIABLE_LEARNING_RATE && item->kind != TR_VARIABLE_PRODUCT)
        return;
    float *expected = test_golden_floats(group, name, &n);
    cr_assert_eq(tr_optimizer_scalars(opened->snapshot, 0, &learning_rate, &product, &err), TR_OK);
    const double found = item->kind == TR_VARIABLE_PRODUCT ? product : learning_rate;
    cr_expect(fabs(found - *expected) <= 1e-6 * fabs(*expected), "%s: %.9g, Keras has %.9g", name,
              found, *expected);
    tr_free(expected);
}

static void compare(hid_t file, const char *variant)
{
    keras_case opened = open_case(file, variant);
    tr_variable *items = NULL;
    size_t n = 0;
    tr_error err = {0};
    char path[128], name[64], stored[64];
    H5G_info_t info;
    snprintf(path, sizeof path, "%s/optvars", variant);
    const hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    H5Gget_info(group, &info);
    cr_assert_eq(tr_optimizer_list(&items, &n, opened.snapshot, &err), TR_OK, "%s", err.text);
    cr_expect_eq(n, info.nlinks, "%s: %zu variables, Keras has %d", variant, n, (int)info.nlinks);
    for (size_t i = 0; i < n && i < info.nlinks; i++) {
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, stored, sizeof stored,
                           H5P_DEFAULT);
        keras_name(name, sizeof name, &opened, &items[i], i);
        cr_assert_str_eq(name, stored, "%s: %s, Keras has %s", variant, name, stored);
        expect_shape(group, stored, &opened, &items[i]);
        expect_value(group, stored, &opened, &items[i]);
    }
    H5Gclose(group);
    tr_free(items);
    close_case(&opened);
}

Test(optimizer_list, is_in_keras_s_order)
{
    const hid_t file = test_golden_open("optimizers.h5");
    H5G_info_t info;
    int n_cases = 0;
    H5Gget_info(file, &info);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char variant[64], path[128];
        H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, variant, sizeof variant,
                           H5P_DEFAULT);
        snprintf(path, sizeof path, "%s/optvars", variant);
        if (strchr("gw", variant[0]) != NULL) /* grads_i, w0_i */
            continue;
        cr_assert(test_golden_has(file, path), "%s", path);
        compare(file, variant);
        n_cases++;
    }
    cr_assert_eq(n_cases, 27);
    H5Fclose(file);
}

/* Names are datasets of one group: Keras's own repeat themselves for Adagrad, ours must not. */
Test(optimizer_list, names_are_unique)
{
    const hid_t file = test_golden_open("optimizers.h5");
    keras_case opened = open_case(file, "adagrad");
    tr_variable *items = NULL;
    size_t n = 0;
    tr_error err = {0};
    cr_assert_eq(tr_optimizer_list(&items, &n, opened.snapshot, &err), TR_OK);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(items[i].name, items[k].name);
    cr_assert_str_eq(items[2].name, "adagrad/w_kernel_accumulator");
    tr_free(items);
    close_case(&opened);
    H5Fclose(file);
}

/* Only an update moves it: ten batches, four to an update, are two. */
Test(optimizer_list, product_with_accumulation)
{
    static const char *const overrides[] = {"compile.optimizer=nadam",
                                            "optimizer.gradient_accumulation_steps=4"};
    tr_error err = {0};
    tr_snapshot *snapshot;
    float rate, product;
    test_net *net = test_net_new_with("[layer.d]\ntype = flatten\n", (const int64_t[]){1, 1, 2}, 1,
                                      overrides, 2);
    cr_assert_eq(tr_snapshot_new(&snapshot, net->model, true, &err), TR_OK, "%s", err.text);
    snapshot->progress.iterations = 10;
    cr_assert_eq(tr_optimizer_scalars(snapshot, 0, &rate, &product, &err), TR_OK, "%s", err.text);
    const double expected = 0.9 * (1.0 - 0.5 * 0.96) * 0.9 * (1.0 - 0.5 * 0.96 * 0.96);
    cr_expect_float_eq(product, expected, 1e-6, "%g, expected %g", (double)product, expected);
    snapshot->progress.iterations = 3;
    cr_assert_eq(tr_optimizer_scalars(snapshot, 0, &rate, &product, &err), TR_OK, "%s", err.text);
    cr_expect_eq(product, 1.0f);
    tr_snapshot_free(snapshot);
    test_net_free(net);
}

/* MultiOptimizer's own, the groups in file order, [optimizer] last; of Keras 2 none would be there.
 */
Test(optimizer_list, of_several_optimizers)
{
    static const char *const names[] = {"multi_optimizer/iteration",
                                        "multi_optimizer/learning_rate",
                                        "optimizer.z/iteration",
                                        "optimizer.z/learning_rate",
                                        "optimizer.z/b_kernel_r",
                                        "optimizer.z/b_kernel_c",
                                        "optimizer.z/b_kernel_velocity",
                                        "optimizer.z/b_bias_r",
                                        "optimizer.z/b_bias_c",
                                        "optimizer.z/b_bias_velocity",
                                        "optimizer.y/iteration",
                                        "optimizer.y/c_kernel_momentum",
                                        "optimizer.y/c_bias_momentum",
                                        "optimizer.y/c_bias_velocity",
                                        "sgd/iteration",
                                        "sgd/learning_rate",
                                        "sgd/a_kernel_average",
                                        "sgd/a_bias_average",
                                        "sgd/a_kernel_gradient_accumulator",
                                        "sgd/a_bias_gradient_accumulator"};
    static const char body[] =
        "[model]\ninput_shape = 1, 1, 2\n[layer.f]\ntype = flatten\n"
        "[layer.a]\ntype = dense\nunits = 3\n[layer.b]\ntype = dense\nunits = 4\n"
        "[layer.c]\ntype = dense\nunits = 5\n[compile]\nloss = mean_squared_error\n"
        "optimizer = sgd\n[optimizer]\nuse_ema = yes\ngradient_accumulation_steps = "
        "2\n[optimizer.z]\nlayers = b\n"
        "optimizer = adafactor\n[optimizer.y]\nlayers = c\noptimizer = muon\n"
        "[learning_rate.y]\nschedule = exponential_decay\ninitial_learning_rate = 1\n"
        "decay_steps = 2\ndecay_rate = 0.5\n";
    tr_config *config = test_config(body, NULL, 0);
    tr_model *model = NULL;
    tr_snapshot *snapshot = NULL;
    tr_variable *items = NULL;
    tr_error err = {0};
    size_t n;
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_new(&snapshot, model, true, &err), TR_OK);
    cr_assert_eq(tr_optimizer_list(&items, &n, snapshot, &err), TR_OK);
    cr_assert_eq(n, sizeof names / sizeof *names, "%zu", n);
    for (size_t i = 0; i < n; i++)
        cr_expect_str_eq(items[i].name, names[i]);
    tr_slot slots[TR_MAX_ALL_SLOTS];
    cr_assert_eq(tr_snapshot_slots(snapshot, 2, slots), 3);
    cr_expect(slots[0].n_dims == 1 && slots[0].dims[0] == 3);
    cr_expect(slots[1].n_dims == 1 && slots[1].dims[0] == 4);
    tr_free(items);
    tr_snapshot_free(snapshot);
    tr_model_free(model);
    tr_config_free(config);
}
