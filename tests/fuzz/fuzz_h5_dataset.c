/* fuzz_h5_dataset.c -- a dataset that was changed as the bytes say (h5_twist.h), opened to train,
 * to predict and to be listed, HDF5 in its child as ever: whatever becomes of it there, this
 * process gets an answer in time, and what it reads twice is twice the same, so that none of it was
 * never written memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "h5_twist.h"
#include "h5_write.h"
#include "inspect.h"
#include "samples.h"
#include "trainer/config.h"
#include "trainer/dataset.h"

enum { N = 24, SIDE = 5 };

/* Labels of the test part are words, of variable length; the names, of one length, number them. */
static tr_status write_words(hid_t file, const char *name, const uint8_t y[N], tr_error *err)
{
    static const char *const names[4] = {"cat", "dog", "\xe7\x8c\xab", "a longer name"};
    const char *words[N];
    const int64_t n = N;
    for (int i = 0; i < N; i++)
        words[i] = names[y[i]];
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const tr_status status = tr_h5_write_dataset(file, name, 1, &n, type, type, words, err);
    H5Tclose(type);
    TR_TRY(status);
    return tr_h5_write_texts(file, "class_names", names, 4, err);
}

static tr_status write_base(const void *user, hid_t file, tr_error *err)
{
    static uint8_t x[N * SIDE * SIDE], y[N];
    const int64_t dims[3] = {N, SIDE, SIDE};
    (void)user;
    for (int i = 0; i < N; i++) {
        y[i] = (uint8_t)(i % 4);
        memset(x + i * SIDE * SIDE, 7 * i, SIDE * SIDE);
    }
    static const char *const names[][2] = {{"x_train", "y_train"}, {"x_test", "y_test"}};
    for (int i = 0; i < 2; i++) {
        TR_TRY(tr_h5_write_dataset(file, names[i][0], 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x,
                                   err));
        if (i == 0)
            TR_TRY(tr_h5_write_dataset(file, names[i][1], 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                       y, err));
    }
    return write_words(file, names[1][1], y, err);
}

static size_t pixel_bytes(const tr_samples *samples)
{
    return (size_t)(samples->n * samples->h * samples->w * samples->c) *
           (samples->pixel == TR_PIXEL_U8 ? 1 : sizeof(float));
}

static void expect_same(const tr_samples *a, const tr_samples *b)
{
    if (a->n != b->n || pixel_bytes(a) != pixel_bytes(b) || (a->y == NULL) != (b->y == NULL) ||
        (a->n > 0 && memcmp(a->x, b->x, pixel_bytes(a)) != 0) ||
        (a->n > 0 && a->y != NULL && memcmp(a->y, b->y, (size_t)a->n * sizeof *a->y) != 0))
        abort();
}

static void expect_same_names(const tr_legend *a, const tr_legend *b)
{
    if (a->n_classes != b->n_classes)
        abort();
    for (int64_t i = 0; i < a->n_classes; i++)
        if (strcmp(a->class_names[i], b->class_names[i]) != 0)
            abort();
}

static void open_twice(const tr_config *config)
{
    tr_dataset *first = NULL, *second = NULL;
    tr_error err = {0};
    const tr_status status = tr_dataset_open(&first, config, TR_TARGET_CLASSES, &err);
    fuzz_expect(status, &err);
    if (status == TR_OK) {
        if (tr_dataset_open(&second, config, TR_TARGET_CLASSES, &err) != TR_OK)
            abort();
        expect_same(tr_dataset_train(first), tr_dataset_train(second));
        expect_same(tr_dataset_test(first), tr_dataset_test(second));
        expect_same_names(tr_dataset_legend(first), tr_dataset_legend(second));
    }
    tr_dataset_free(second);
    tr_dataset_free(first);
}

typedef struct other_images {
    const unsigned char *left; /* of the images in memory */
    size_t image_bytes;
} other_images;

static void compare(void *user, const void *x, int64_t n)
{
    other_images *other = user;
    if (memcmp(other->left, x, (size_t)n * other->image_bytes) != 0)
        abort();
    other->left += (size_t)n * other->image_bytes;
}

static void expect_same_streamed(const tr_samples *resident, const tr_samples *streamed)
{
    tr_error err = {0};
    if (resident->n == 0 || streamed->x != NULL) /* in a header of the file */
        return;
    other_images other = {resident->x, pixel_bytes(resident) / (size_t)resident->n};
    fuzz_expect(tr_samples_visit(streamed, compare, &other, &err), &err);
}

/* What can be streamed is what HDF5 reads. */
static void open_streamed(tr_config *config)
{
    tr_dataset *resident = NULL, *streamed = NULL;
    tr_error err = {0};
    config->data.memory = TR_MEMORY_STREAMED;
    const tr_status status = tr_dataset_open(&streamed, config, TR_TARGET_CLASSES, &err);
    fuzz_expect(status, &err);
    config->data.memory = TR_MEMORY_RESIDENT;
    if (status == TR_OK && tr_dataset_open(&resident, config, TR_TARGET_CLASSES, &err) == TR_OK) {
        expect_same_streamed(tr_dataset_train(resident), tr_dataset_train(streamed));
        expect_same_streamed(tr_dataset_test(resident), tr_dataset_test(streamed));
    }
    tr_dataset_free(streamed);
    tr_dataset_free(resident);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char base[128], path[128], text[512];
    fuzz_choices choices = {bytes, n};
    tr_config *config = NULL;
    tr_dataset *images = NULL;
    tr_inspection *inspection = NULL;
    tr_error err = {0};
    if (base[0] == '\0') {
        snprintf(base, sizeof base, "%s/base.h5", fuzz_folder());
        snprintf(path, sizeof path, "%s/input.h5", fuzz_folder());
        if (tr_h5_write_file(base, write_base, NULL, &err) != TR_OK)
            abort();
    }
    const bool with_external = fuzz_choose(&choices, 2) != 0;
    fuzz_copy(base, path);
    fuzz_h5_twist(path, &choices);
    snprintf(text, sizeof text,
             "[data]\nfile = %s\nexternal_files = %s\n[model]\ninput_shape = %d, %d, 1\n", path,
             with_external ? "true" : "false", SIDE, SIDE);
    if (tr_config_parse(&config, "fuzz.ini", text, NULL, 0, &err) != TR_OK)
        abort();
    open_streamed(config);
    open_twice(config);
    fuzz_expect(tr_dataset_open_images(&images, path, "x_test", config, &err), &err);
    fuzz_expect(tr_inspect(&inspection, path,
                           with_external ? TR_H5_DATASET_WITH_EXTERNAL : TR_H5_DATASET, &err),
                &err);
    tr_inspection_free(inspection);
    tr_dataset_free(images);
    tr_config_free(config);
    return 0;
}
