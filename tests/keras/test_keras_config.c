/* test_keras_config.c -- what we write is what we read; and any value of a genuine model replaced
 * by nonsense: refused or translated, in this process, not in a child, so that sanitizers see it.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "keras_config.h"
#include "keras_json.h"
#include "mem.h"
#include "net.h"
#include "optimizer.h"

/* Replaces the value that is number *left in a walk of the tree; true when it is done. */
static bool replace(json_t *at, int *left, const json_t *by)
{
    const char *key;
    json_t *value;
    size_t i;
    void *next;
    json_object_foreach_safe(at, next, key, value)
    {
        if ((*left)-- == 0)
            return json_object_set_new(at, key, json_deep_copy(by)) == 0;
        if (replace(value, left, by))
            return true;
    }
    json_array_foreach(at, i, value)
    {
        if ((*left)-- == 0)
            return json_array_set_new(at, i, json_deep_copy(by)) == 0;
        if (replace(value, left, by))
            return true;
    }
    return false;
}

static tr_status translate(const tr_keras_file *file, tr_error *err)
{
    static char ini[1 << 16], notes[1 << 13], no_measure[2048];
    tr_keras_reading reading = {.file = file,
                                .ini = fmemopen(ini, sizeof ini, "w"),
                                .notes = fmemopen(notes, sizeof notes, "w"),
                                .no_measure = fmemopen(no_measure, sizeof no_measure, "w")};
    const tr_status status = tr_keras_read_config(&reading, err);
    fclose(reading.ini);
    fclose(reading.notes);
    fclose(reading.no_measure);
    return status;
}

/* The model, or the training, with each of its values replaced in turn; returns how often. */
static int replace_all(const json_t *model, const json_t *training, bool of_model, const char *json,
                       int *refusals)
{
    json_t *by = json_loads(json, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(by, "%s", json);
    for (int i = 0;; i++) {
        tr_keras_file file = {.path = "made.h5",
                              .version = "3.9.2",
                              .h5 = H5I_INVALID_HID,
                              .model = json_deep_copy(model),
                              .training = json_deep_copy(training)};
        int left = i;
        tr_error err = {0};
        const bool done = replace(of_model ? file.model : file.training, &left, by);
        if (done) {
            const tr_status status = translate(&file, &err);
            cr_assert(status == TR_OK || (of_model && status == TR_ERR_DATA), "%s", err.text);
            cr_assert(status == TR_OK || strstr(err.text, "made.h5: ") != NULL, "%s", err.text);
            *refusals += status != TR_OK;
        }
        tr_keras_file_close(&file);
        if (!done) {
            json_decref(by);
            return i;
        }
    }
}

static json_t *attribute(hid_t file, const char *name)
{
    char *text = test_golden_text(file, name);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json);
    tr_free(text);
    return json;
}

Test(keras_config, nonsense_anywhere_is_refused_or_does_not_matter)
{
    static const char *const nonsense[] = {"null",
                                           "-1",
                                           "1e300",
                                           "9223372036854775807",
                                           "true",
                                           "\"\"",
                                           "[]",
                                           "{}",
                                           "[[[1]]]",
                                           "{\"class_name\":\"X\",\"config\":{}}",
                                           "\"%s%n\\u001b\\n[data]\"",
                                           "{\"class_name\":null,\"config\":{\"name\":{}}}"};
    const hid_t file = test_golden_open("keras/small_v3.9.2.h5");
    json_t *model = attribute(file, "model_config"), *training = attribute(file, "training_config");
    int n = 0, refusals = 0;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        n += replace_all(model, training, true, nonsense[i], &refusals);
        n += replace_all(model, training, false, nonsense[i], &refusals);
    }
    cr_expect_gt(n, 2000, "%d", n);
    cr_expect_gt(refusals, 500, "%d", refusals);
    json_decref(model);
    json_decref(training);
    H5Fclose(file);
}

/* A name of the longest kind everywhere: buffers are cut, not overrun. */
Test(keras_config, long_texts_do_no_harm)
{
    static char json[3000];
    const hid_t file = test_golden_open("keras/small_v3.9.2.h5");
    json_t *model = attribute(file, "model_config"), *training = attribute(file, "training_config");
    int refusals = 0;
    memset(json, 'A', sizeof json - 1);
    for (size_t i = 1; i < sizeof json - 2; i += 3)
        json[i] = 'b';
    json[0] = json[sizeof json - 2] = '"';
    replace_all(model, training, true, json, &refusals);
    replace_all(model, training, false, json, &refusals);
    cr_expect_gt(refusals, 50);
    json_decref(model);
    json_decref(training);
    H5Fclose(file);
}

/* ---- what keras_json.c writes ---- */

/* The JSON of a configuration, parsed; both texts are tr_free()d. */
static void write_json(tr_config *config, char **model_json, char **training_json)
{
    tr_error err = {0};
    tr_model *model = NULL;
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    *model_json = tr_keras_model_config(model, NULL);
    *training_json = tr_keras_training_config(model);
    tr_model_free(model);
}

static void round_trip(const char *body)
{
    tr_error err = {0};
    char *model, *training, *model_again, *training_again;
    tr_config *config = test_config(body, NULL, 0), *again = NULL;
    write_json(config, &model, &training);
    const test_translation *made = test_translate_model(model, training, "3.9.2");
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_str_eq(made->notes, "");
    cr_expect_str_eq(made->no_measure, "");
    cr_assert_eq(tr_config_parse(&again, "again", made->ini, NULL, 0, &err), TR_OK);
    write_json(again, &model_again, &training_again);
    cr_expect_str_eq(model_again, model);
    cr_expect_str_eq(training_again, training);
    tr_free(model);
    tr_free(training);
    tr_free(model_again);
    tr_free(training_again);
    tr_config_free(config);
    tr_config_free(again);
}

Test(keras_config, reads_every_layer_that_it_writes)
{
    round_trip("[model]\ninput_shape = 20, 18, 3\nname = all_of_them\n"
               "[layer.z]\ntype = zero_padding2d\npadding = 1, 2, 3, 4\n"
               "[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3, 2\nstrides = 2, 1\n"
               "padding = same\nuse_bias = false\nactivation = hard_sigmoid\n"
               "[layer.n]\ntype = batch_normalization\nepsilon = 0.25\nmomentum = 0.5\n"
               "scale = false\n"
               "[layer.m]\ntype = max_pooling2d\npool_size = 2, 1\nstrides = 1\n"
               "[layer.a]\ntype = average_pooling2d\npool_size = 3\npadding = same\n"
               "[layer.t]\ntype = activation\nactivation = leaky_relu\n"
               "[layer.x]\ntype = dropout\nrate = 0.25\n"
               "[layer.g]\ntype = global_average_pooling2d\nkeepdims = true\n"
               "[layer.h]\ntype = global_max_pooling2d\n"
               "[layer.f]\ntype = flatten\n[layer.b]\ntype = batch_normalization\n"
               "[layer.d]\ntype = dense\nunits = 7\nactivation = softmax\n");
    round_trip("[model]\ninput_shape = 20, 18, 3\nname = shapes\n"
               "[layer.c]\ntype = cropping2d\ncropping = 1, 2, 3, 4\n"
               "[layer.u]\ntype = up_sampling2d\nsize = 2, 1\ninterpolation = bilinear\n"
               "[layer.s]\ntype = rescaling\nscale = 1/3\noffset = -1\n"
               "[layer.a]\ntype = conv2d_transpose\nfilters = 2\nkernel_size = 3\nstrides = 2\n"
               "output_padding = 1, 0\npadding = same\n[layer.w]\ntype = "
               "normalization\n[layer.g]\ntype = normalization\nmean = 1\n"
               "variance = 2\n[layer.p]\ntype = permute\ndims = 3, 1, 2\n"
               "[layer.r]\ntype = reshape\ntarget_shape = 17, -1, 2\n"
               "[layer.b]\ntype = batch_normalization\n"
               "[layer.v]\ntype = reshape\ntarget_shape = -1\n"
               "[layer.q]\ntype = permute\ndims = 1\n[layer.n]\ntype = batch_normalization\n"
               "[layer.d]\ntype = dense\nunits = 7\nactivation = softmax\n");
}

Test(keras_config, reads_every_optimizer_loss_and_metric_that_it_writes)
{
    static const char *const compiled[] = {
        "loss = categorical_crossentropy\noptimizer = %s\nmetrics = accuracy, top_k\ntop_k = 3\n"
        "[loss]\nlabel_smoothing = 0.1\n[optimizer]\nlearning_rate = 0.03\nclipnorm = 0.5\n",
        "loss = sparse_categorical_crossentropy\noptimizer = %s\nmetrics = acc\n[learning_rate]\n"
        "schedule = piecewise_constant_decay\nboundaries = 1, 3\nvalues = 0.01, 0.002, 1\n",
        "loss = mse\noptimizer = %s\nmetrics = mae\n[learning_rate]\nschedule = cosine_decay\n"
        "initial_learning_rate = 0.1\ndecay_steps = 100\nalpha = 0.01\n[optimizer]\nuse_ema = "
        "true\nema_momentum = 0.9\n"};
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        for (size_t k = 0; k < sizeof compiled / sizeof *compiled; k++) {
            char *compile = tr_format(compiled[k], tr_optimizer_table[i]->name);
            char *body = tr_format("[model]\ninput_shape = 4, 4, 1\n[layer.f]\ntype = flatten\n"
                                   "[layer.o]\ntype = dense\nunits = 7\nactivation = softmax\n"
                                   "[compile]\n%s",
                                   compile);
            round_trip(body);
            tr_free(compile);
            tr_free(body);
        }
}
