/* test_keras_config.c -- any value of a genuine model replaced by nonsense: refused or translated.
 *
 * In this process, not in a child, so that sanitizers see what happens.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "keras.h"
#include "keras_config.h"
#include "mem.h"
#include "net.h"

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
