/* test_dataset_hijacked.c -- the child that reads a dataset's file has been taken over by that file
 * and tells what it likes: of its own part nonsense, of parts that are none of its business
 * anything. Linked with --wrap for tr_in_child_reaching(), so that more happens in the child than
 * was asked.
 */
#include "child.h"
#include "data_fixture.h"
#include "dataset_visit.h"

TestSuite(dataset_hijacked, .init = make_folder, .fini = remove_folder);

enum { N = 6, H = 2, W = 3 };

/* ---- what happens in the child ---- */

static struct {
    int only_from; /* a child that visits the file of that part ... */
    int part;      /* ... tells this of that one */
    tr_found_part tale;
    tr_status (*work)(void *job, tr_error *err);
} hijacker;

static tr_status read_and_lie(void *job, tr_error *err)
{
    const tr_status status = hijacker.work(job, err);
    const tr_dataset_visit *visit = job;
    if (visit->part == hijacker.only_from)
        visit->told[hijacker.part] = hijacker.tale;
    return status;
}

tr_status __real_tr_in_child_reaching(const char *only_file,
                                      tr_status (*work)(void *job, tr_error *err), void *job,
                                      const char *path, tr_error *err);
tr_status __wrap_tr_in_child_reaching(const char *only_file,
                                      tr_status (*work)(void *job, tr_error *err), void *job,
                                      const char *path, tr_error *err);

tr_status __wrap_tr_in_child_reaching(const char *only_file,
                                      tr_status (*work)(void *job, tr_error *err), void *job,
                                      const char *path, tr_error *err)
{
    hijacker.work = work;
    return __real_tr_in_child_reaching(only_file, read_and_lie, job, path, err);
}

/* ---- files ---- */

static const char *make_file(const char *name)
{
    static const uint8_t zeros[N * H * W];
    const char *path = in_folder(name);
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, zeros, 4, N, H, W, 1);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, zeros, 1, N);
    cr_assert_geq(H5Fclose(file), 0);
    return path;
}

static const tr_found_part huge = {
    .samples = {.n = 1000, .h = 1000, .w = 1000, .c = 1, .pixel = TR_PIXEL_U8, .width = 1},
    .form = TR_TARGET_CLASSES,
    .place = TR_H5_IN_ONE_PIECE};

static tr_status look(tr_dataset_outline *out, const char *validation_file, tr_error *err)
{
    tr_config config = config_for(make_file("a.h5"), H, W, 1);
    if (validation_file != NULL) {
        config.data.validation_file = (char *)validation_file;
        config.data.x_validation = "x_train";
        config.data.y_validation = "y_train";
    }
    return tr_dataset_look(out, &config, TR_TARGET_CLASSES, err);
}

/* There is no validation part; nobody asked for one. */
Test(dataset_hijacked, a_part_without_a_file_stays_absent)
{
    tr_error err = {0};
    tr_dataset_outline outline;
    tr_dataset *dataset = NULL;
    hijacker.only_from = TR_TRAIN;
    hijacker.part = TR_VALIDATION;
    hijacker.tale = huge;
    cr_assert_eq(look(&outline, NULL, &err), TR_OK, "%s", err.text);
    cr_expect_eq(outline.n[TR_TRAIN], N);
    cr_expect_eq(outline.n[TR_VALIDATION], 0);

    hijacker.only_from = TR_TEST;
    const tr_config config = config_for("unused", H, W, 1);
    cr_assert_eq(tr_dataset_open_images(&dataset, make_file("a.h5"), "x_train", &config, &err),
                 TR_OK, "%s", err.text);
    cr_expect_eq(tr_dataset_test(dataset)->n, N);
    cr_expect_eq(tr_dataset_validation(dataset)->n, 0);
    cr_expect_eq(tr_dataset_validation(dataset)->h, 0);
    tr_dataset_free(dataset);
    expect_no_leak();
}

/* What was believed of the first file stays, whatever the reader of the second writes there. */
Test(dataset_hijacked, another_file_changes_nothing)
{
    tr_error err = {0};
    tr_dataset_outline outline;
    hijacker.only_from = TR_VALIDATION;
    hijacker.part = TR_TRAIN;
    hijacker.tale = huge;
    cr_assert_eq(look(&outline, make_file("b.h5"), &err), TR_OK, "%s", err.text);
    cr_expect_eq(outline.n[TR_TRAIN], N);
    cr_expect_eq(outline.image_bytes, H * W);
    cr_expect_eq(outline.n[TR_VALIDATION], N);
}

/* Nor is nonsense about its own part believed: another size, no images where some must be, a width
 * that class numbers have not. */
Test(dataset_hijacked, nonsense_is_refused)
{
    tr_dataset_outline outline;
    tr_found_part tales[] = {huge, {.samples = {.n = 0}}, huge};
    tales[2].samples.h = H;
    tales[2].samples.w = W;
    tales[2].samples.width = 7;
    hijacker.only_from = hijacker.part = TR_TRAIN;
    for (size_t i = 0; i < sizeof tales / sizeof tales[0]; i++) {
        tr_error err = {0};
        hijacker.tale = tales[i];
        cr_expect_eq(look(&outline, NULL, &err), TR_ERR_DATA, "tale %zu", i);
        expect_texts(&err, "a.h5: x_train", "its reader told nonsense", NULL);
    }
}
