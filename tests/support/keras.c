/* keras.c -- see keras.h. */
#include "keras.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_write.h"
#include "keras_config.h"
#include "mem.h"
#include "net.h"

const char *test_json(const char *text)
{
    static char buffers[4][1 << 14];
    static int turn;
    char *buffer = buffers[turn++ % 4];
    cr_assert_lt(strlen(text), sizeof buffers[0]);
    strcpy(buffer, text);
    for (char *c = buffer; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    return buffer;
}

const test_translation *test_translate_model(const char *model, const char *training,
                                             const char *version)
{
    static test_translation made;
    tr_keras_file file = {.path = "made.h5", .h5 = H5I_INVALID_HID};
    json_error_t reason;
    memset(&made, 0, sizeof made);
    snprintf(file.version, sizeof file.version, "%s", version);
    file.model = json_loads(test_json(model), 0, &reason);
    cr_assert_not_null(file.model, "%s: %s", reason.text, model);
    if (training != NULL) {
        file.training = json_loads(test_json(training), 0, &reason);
        cr_assert_not_null(file.training, "%s: %s", reason.text, training);
    }
    tr_keras_reading reading = {.file = &file,
                                .ini = fmemopen(made.ini, sizeof made.ini, "w"),
                                .notes = fmemopen(made.notes, sizeof made.notes, "w"),
                                .no_measure =
                                    fmemopen(made.no_measure, sizeof made.no_measure, "w"),
                                .carried = json_object()};
    made.status = tr_keras_read_config(&reading, &made.err);
    fclose(reading.ini);
    fclose(reading.notes);
    fclose(reading.no_measure);
    made.compiled = reading.own_loss && reading.own_optimizer;
    json_dumpb(reading.carried, made.carried, sizeof made.carried - 1,
               JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(reading.carried);
    tr_keras_file_close(&file);
    return &made;
}

const test_translation *test_translate(const char *layers, const char *training,
                                       const char *version)
{
    char *model = tr_format("{'class_name':'Sequential','config':{'name':'made','layers':["
                            "{'class_name':'InputLayer','config':{'batch_shape':[null,8,6,3],"
                            "'dtype':'float32','sparse':false,'name':'in'}}%s%s]}}",
                            layers[0] == '\0' ? "" : ",", layers);
    const test_translation *made = test_translate_model(model, training, version);
    tr_free(model);
    return made;
}

void test_translation_refused(const char *layers, const char *version, const char *expected)
{
    char list[1024];
    const test_translation *made = test_translate(layers, NULL, version);
    cr_assert_eq(made->status, TR_ERR_DATA, "%s: %s", layers, made->ini);
    cr_expect_not_null(strstr(made->err.text, "made.h5: "), "%s", made->err.text);
    snprintf(list, sizeof list, "%s", expected);
    for (char *rest = list, *part; (part = strtok_r(rest, "|", &rest)) != NULL;)
        cr_expect_not_null(strstr(made->err.text, part), "\"%s\" in: %s", part, made->err.text);
}

void test_translation_has(const test_translation *made, const char *ini)
{
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    cr_expect_not_null(strstr(made->ini, ini), "\"%s\" in:\n%s", ini, made->ini);
}

/* ---- files ---- */

static hid_t text_type(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    if (size != H5T_VARIABLE)
        H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

static void put(hid_t object, const char *name, const char *const *texts, size_t n, bool list,
                bool fixed)
{
    const hsize_t dims = n;
    size_t width = 1;
    for (size_t i = 0; i < n; i++)
        width = strlen(texts[i]) > width ? strlen(texts[i]) : width;
    const hid_t type = text_type(fixed ? width : H5T_VARIABLE);
    const hid_t space = list ? H5Screate_simple(1, &dims, NULL) : H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    char *packed = tr_alloc(n + 1, width + 1);
    for (size_t i = 0; fixed && i < n; i++)
        memcpy(packed + i * width, texts[i], strlen(texts[i]));
    cr_assert_geq(H5Awrite(attribute, type, fixed ? (const void *)packed : (const void *)texts), 0);
    tr_free(packed);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

void test_keras_names(hid_t object, const char *name, const char *const *names, size_t n,
                      bool fixed)
{
    put(object, name, names, n, true, fixed);
}

hid_t test_keras_h5(const char *name, const char *model, const char *training, const char *version,
                    bool fixed)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(file >= 0, "%s", path);
    const char *const names[] = {"model_config", "training_config", "keras_version"};
    const char *const texts[] = {model, training, version};
    for (int i = 0; i < 3; i++)
        if (texts[i] != NULL)
            put(file, names[i], (const char *const[]){test_json(texts[i])}, 1, false, fixed);
    return file;
}

void test_keras_array(hid_t group, const char *name, int n_dims, const int64_t *dims, hid_t stored,
                      const float *values)
{
    tr_error err = {0};
    cr_assert_eq(
        tr_h5_write_dataset(group, name, n_dims, dims, stored, H5T_NATIVE_FLOAT, values, &err),
        TR_OK, "%s", err.text);
}

const char *test_keras_golden(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/keras/%s", TR_GOLDEN, name);
    return path;
}
