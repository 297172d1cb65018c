/* test_export_keras.c -- the .keras file: members, what is in them, config.json by Keras's rules
 * (every object but a tensor says its module; no integer for a rate) for all that can be
 * configured.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "export.h"
#include "file.h"
#include "keras_json.h"
#include "layer.h"
#include "loss.h"
#include "mem.h"
#include "metric.h"
#include "net.h"

/* ---- the rules ---- */

static void expect_rules(const char *of, json_t *value)
{
    const char *key;
    json_t *item;
    if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++)
            expect_rules(of, json_array_get(value, i));
    if (!json_is_object(value))
        return;
    json_object_foreach(value, key, item)
    {
        expect_rules(of, item);
        cr_expect(strcmp(key, "batch_input_shape") != 0, "%s", of);
    }
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    if (class_name != NULL && strcmp(class_name, "__keras_tensor__") != 0 &&
        strcmp(class_name, "function") != 0) { /* of Python's builtins */
        const char *module = json_string_value(json_object_get(value, "module"));
        cr_expect(module != NULL && strncmp(module, "keras", 5) == 0, "%s: %s", of, class_name);
        cr_expect(strcmp(class_name, "LayerScale") == 0 ||
                      json_is_null(json_object_get(value, "registered_name")),
                  "%s: %s", of, class_name);
        cr_expect(json_is_object(json_object_get(value, "config")), "%s: %s", of, class_name);
    }
}

static json_t *member(json_t *json, const char *a, const char *b)
{
    return json_object_get(json_object_get(json, a), b);
}

/* config.json of a configuration, after a look at the rules; released with json_decref(). */
static json_t *config_json(const char *of, const char *body)
{
    tr_config *config = test_config(body, NULL, 0);
    tr_model *model = NULL;
    tr_optimizer *optimizer = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_optimizer_make(&optimizer, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s: %s\n%s", of, err.text, body);
    char *text = tr_keras3_config(model, NULL);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    expect_rules(of, json);
    json_t *rate = json_object_get(
        member(json_object_get(json, "compile_config"), "optimizer", "config"), "learning_rate");
    cr_expect(json_is_real(rate) || json_is_object(rate), "%s", of);
    tr_free(text);
    tr_free(optimizer);
    tr_model_free(model);
    tr_config_free(config);
    return json;
}

/* ---- values for keys that must be there ---- */

static void add_required(char *text, size_t n, const tr_key *keys, size_t n_keys)
{
    for (size_t k = 0; k < n_keys; k++) {
        const tr_key *key = &keys[k];
        size_t used = strlen(text);
        if (key->fallback != NULL || key->optional)
            continue;
        const char *value = key->kind == TR_KEY_REAL                   ? "0.25"
                            : strstr(key->name, "factor") != NULL      ? "0.25"
                            : key->kind == TR_KEY_CHOICE               ? key->choices[0]
                            : strcmp(key->name, "values") == 0         ? "0.5, 1"
                            : strcmp(key->name, "projection_dim") == 0 ? "32"
                            : strcmp(key->name, "dims") == 0           ? "2, 1, 3"
                            : key->vector_max > 0                      ? "1, -1, 2"
                                                                       : "2";
        snprintf(text + used, n - used, "%s = %s\n", key->name, value);
    }
}

/* ---- every row of every table ---- */

Test(export_keras, every_layer_keeps_the_rules)
{
    for (size_t i = 0; tr_layer_table[i] != NULL; i++) {
        const tr_layer_ops *ops = tr_layer_table[i];
        char keys[512] = "";
        add_required(keys, sizeof keys, ops->keys, ops->n_keys);
        if (ops->merges)
            strcat(keys, "inputs = input, input\n");
        const int channels = ops->augments ? 3 : 32; /* some are for colours */
        char *body = tr_format("[model]\ninput_shape = 12, 10, %d\n%s[layer.x]\ntype = %s\n%s"
                               "[layer.y]\ntype = flatten\n[layer.z]\ntype = dense\nunits = 4\n"
                               "activation = softmax\n",
                               channels,
                               strcmp(ops->type, "dense") == 0 ? "[layer.f]\ntype = flatten\n" : "",
                               ops->type, keys);
        json_t *json = config_json(ops->type, body);
        json_t *layers = member(json, "config", "layers");
        json_t *layer = json_array_get(layers, json_array_size(layers) - 3);
        json_t *input = json_array_get(layers, 0);
        cr_expect_str_eq(json_string_value(json_object_get(layer, "class_name")), ops->keras_class);
        cr_expect_str_eq(json_string_value(json_object_get(layer, "module")),
                         ops->keras_module == NULL ? "keras.layers" : ops->keras_module);
        cr_expect_eq(json_array_size(member(input, "config", "batch_shape")), 4);
        json_decref(json);
        tr_free(body);
    }
}

static json_t *compiled(const char *of, const char *compile)
{
    char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                           "type = dense\nunits = 7\nactivation = %s\n[compile]\n%s",
                           strncmp(of, "binary", 6) == 0 ? "sigmoid" : "softmax", compile);
    json_t *json = config_json(of, body);
    tr_free(body);
    return json;
}

Test(export_keras, every_loss_keeps_the_rules)
{
    for (size_t i = 0; tr_loss_table[i] != NULL; i++) {
        const tr_loss_ops *ops = tr_loss_table[i];
        const bool smooths = ops->n_keys > 1;
        char *compile = tr_format("loss = %s\noptimizer = adam\n%s", ops->name,
                                  smooths ? "[loss]\nlabel_smoothing = 0.1\n" : "");
        json_t *json = compiled(ops->name, compile);
        json_t *loss = member(json, "compile_config", "loss");
        if (smooths)
            cr_expect_str_eq(json_string_value(json_object_get(loss, "module")), "keras.losses");
        else
            cr_expect_str_eq(json_string_value(loss), ops->name);
        json_decref(json);
        tr_free(compile);
    }
}

/* Losses among them. */
Test(export_keras, every_metric_keeps_the_rules)
{
    const char *names[TR_MAX_METRIC_NAMES];
    tr_metric_names(names);
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *loss = strncmp(names[i], "sparse", 6) == 0 ? "sparse_categorical_crossentropy"
                                                               : "categorical_crossentropy";
        char *compile = tr_format("loss = %s\noptimizer = adam\nmetrics = %s\n%s", loss, names[i],
                                  strstr(names[i], "top_k") != NULL ? "top_k = 3\n" : "");
        json_t *json = compiled(names[i], compile);
        json_t *metric = json_array_get(member(json, "compile_config", "metrics"), 0);
        cr_expect_str_eq(json_string_value(json_object_get(metric, "module")), "keras.metrics");
        json_decref(json);
        tr_free(compile);
    }
}

Test(export_keras, every_optimizer_keeps_the_rules)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        const tr_optimizer_ops *ops = tr_optimizer_table[i];
        char *compile = tr_format("loss = mse\noptimizer = %s\n[optimizer]\nlearning_rate = 1\n"
                                  "gradient_accumulation_steps = 2\n",
                                  ops->name);
        json_t *json = compiled(ops->name, compile);
        json_t *optimizer = member(json, "compile_config", "optimizer");
        cr_expect_str_eq(json_string_value(json_object_get(optimizer, "class_name")),
                         ops->keras_class);
        cr_expect_eq(json_integer_value(member(optimizer, "config", "gradient_accumulation_steps")),
                     2);
        json_decref(json);
        tr_free(compile);
    }
}

Test(export_keras, every_schedule_keeps_the_rules)
{
    for (size_t i = 0; tr_schedule_table[i] != NULL; i++) {
        const tr_schedule_ops *ops = tr_schedule_table[i];
        char keys[512] = "";
        add_required(keys, sizeof keys, ops->keys, ops->n_keys);
        char *compile = tr_format("loss = mse\noptimizer = sgd\n[learning_rate]\nschedule = %s\n%s",
                                  ops->name, keys);
        json_t *json = compiled(ops->name, compile);
        json_t *rate =
            member(member(json, "compile_config", "optimizer"), "config", "learning_rate");
        cr_expect_str_eq(json_string_value(json_object_get(rate, "module")),
                         "keras.optimizers.schedules");
        json_decref(json);
        tr_free(compile);
    }
}

/* ---- beside the file that Keras loaded and went on with ---- */

/* All that theirs says, ours says too; names are our own, and metrics, which it has as words, are
 * the objects of a whole-model HDF5 file (test_keras_json.c). */
static void expect_within(const char *path, json_t *theirs, json_t *ours)
{
    const char *key;
    json_t *value;
    char deeper[256];
    if (json_is_object(theirs)) {
        json_object_foreach(theirs, key, value)
        {
            if (strcmp(key, "name") == 0 || strcmp(key, "metrics") == 0)
                continue;
            snprintf(deeper, sizeof deeper, "%.200s/%.50s", path, key);
            expect_within(deeper, value, json_object_get(ours, key));
        }
    } else if (json_is_array(theirs)) {
        cr_expect_eq(json_array_size(theirs), json_array_size(ours), "%s", path);
        for (size_t i = 0; i < json_array_size(theirs); i++) {
            snprintf(deeper, sizeof deeper, "%.200s/%zu", path, i);
            expect_within(deeper, json_array_get(theirs, i), json_array_get(ours, i));
        }
    } else {
        cr_expect(json_equal(theirs, ours), "%s", path);
    }
}

static tr_config *tutorial(void)
{
    tr_config *config = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_config_load(&config, TR_SOURCE "/configs/mnist.ini", NULL, 0, &err), TR_OK);
    return config;
}

/* A member's bytes, or NULL; released with tr_free(). */
static void *read_member(zip_t *archive, zip_uint64_t i, const char *name, size_t *n)
{
    zip_stat_t info;
    cr_assert_eq(zip_stat_index(archive, i, 0, &info), 0);
    cr_assert_str_eq(info.name, name);
    cr_assert_eq(info.comp_method, ZIP_CM_STORE);
    char *bytes = tr_alloc(info.size + 1, 1);
    zip_file_t *file = zip_fopen_index(archive, i, 0);
    cr_assert_eq(zip_fread(file, bytes, info.size), (zip_int64_t)info.size);
    zip_fclose(file);
    *n = (size_t)info.size;
    return bytes;
}

static void expect_weights(const tr_snapshot *snapshot, const void *bytes, size_t n)
{
    char path[512];
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/member.h5", test_folder());
    cr_assert_eq(tr_file_write(path, bytes, n, &err), TR_OK);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    float *kernel = test_golden_floats(file, "layers/dense/vars/0", &n);
    const int64_t offset = tr_snapshot_offset(snapshot, 4);
    cr_assert_eq(n, 31360);
    cr_expect_eq(memcmp(kernel, snapshot->weights + offset, n * sizeof *kernel), 0);
    cr_expect(test_golden_has(file, "optimizer/vars/13"));
    tr_free(kernel);
    H5Fclose(file);
}

Test(export_keras, is_what_keras_loaded)
{
    tr_config *config = tutorial();
    tr_model *model = NULL;
    tr_snapshot *snapshot = NULL;
    tr_error err = {0};
    char path[512], again[512];
    snprintf(path, sizeof path, "%s/a.keras", test_folder());
    snprintf(again, sizeof again, "%s/b.keras", test_folder());
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_snapshot_new(&snapshot, model, true, &err), TR_OK);
    cr_assert_eq(tr_snapshot_take_weights(snapshot, &err), TR_OK);
    snapshot->progress.iterations = 3;
    cr_assert_eq(tr_export_keras(snapshot, NULL, path, &err), TR_OK, "%s", err.text);
    zip_t *archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    cr_assert_not_null(archive);
    cr_assert_eq(zip_get_num_entries(archive, 0), 3);
    size_t n;
    char *metadata = read_member(archive, 0, "metadata.json", &n);
    json_t *json = json_loads(metadata, 0, NULL);
    cr_expect(json_is_string(json_object_get(json, "keras_version")));
    json_decref(json);
    char *text = read_member(archive, 1, "config.json", &n);
    json = json_loads(text, 0, NULL);
    json_t *golden = json_load_file(TR_GOLDEN "/keras/handmade_minimal_config.json", 0, NULL);
    cr_assert_not_null(golden);
    expect_within("", golden, json);
    void *weights = read_member(archive, 2, "model.weights.h5", &n);
    expect_weights(snapshot, weights, n);
    zip_close(archive);

    setenv("TZ", "America/New_York", 1); /* equal models are equal files, everywhere, ... */
    sleep(1);                            /* ... and at any time */
    cr_assert_eq(tr_export_keras(snapshot, NULL, again, &err), TR_OK, "%s", err.text);
    char *command = tr_format("cmp %s %s", path, again);
    cr_expect_eq(system(command), 0);
    tr_free(command);
    json_decref(json);
    json_decref(golden);
    tr_free(metadata);
    tr_free(text);
    tr_free(weights);
    tr_snapshot_free(snapshot);
    tr_model_free(model);
    tr_config_free(config);
}
