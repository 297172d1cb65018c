/* test_inspect.c -- what a file is said to hold: ranges, classes, slabs, attributes, damage. */
#include "data_fixture.h"

#include <math.h>

#include "inspect.h"

TestSuite(inspect, .init = make_folder, .fini = remove_folder);

static const tr_inspect_item *find(const tr_inspection *found, const char *path)
{
    for (int64_t i = 0; i < found->n_items; i++)
        if (strcmp(found->items[i].path, path) == 0)
            return &found->items[i];
    cr_assert_fail("no dataset %s", path);
    return NULL;
}

static const char *attribute(const tr_inspection *found, const char *group, const char *name)
{
    for (int64_t i = 0; i < found->n_attributes; i++)
        if (strcmp(found->attributes[i].group, group) == 0 &&
            strcmp(found->attributes[i].name, name) == 0)
            return found->attributes[i].value;
    return NULL;
}

static void put_text(hid_t object, const char *name, const char *text, size_t width)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, width == 0 ? H5T_VARIABLE : width);
    const hid_t id = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Awrite(id, type, width == 0 ? (const void *)&text : text), 0);
    tr_h5_close(id);
    tr_h5_close(space);
    tr_h5_close(type);
}

/* A file with one of everything. */
static const char *put_all(void)
{
    static const uint8_t images[3 * 2 * 2] = {9, 3, 250, 7, 8, 8, 8, 8, 8, 8, 8, 8};
    static const int64_t labels[5] = {7, -2, 7, 7, -2};
    static const float floats[6] = {1.5f, -2.5f, 4, NAN, INFINITY, -INFINITY};
    static const double scalar = 0.125;
    char long_text[4000];
    const char *path = in_folder("all.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "deep/er/images", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, images, 3, 3, 2, 2);
    h5_put(file, "labels", H5T_STD_I16BE, H5T_NATIVE_INT64, 0, labels, 2, 5, 1);
    h5_put(file, "floats", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, floats, 1, 6);
    h5_put(file, "nans", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 0, floats + 3, 1, 1);
    h5_put(file, "empty", H5T_STD_I32LE, H5T_NATIVE_INT64, 0, NULL, 2, 0, 4);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t one =
        H5Dcreate2(file, "scalar", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(one, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &scalar), 0);
    tr_h5_close(one);
    tr_h5_close(space);
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    put_text(file, "source", "a test", 0);
    put_text(file, "fixed", "padded\0\0\0\0\0\0\0\0\0", 16);
    put_text(file, "long", long_text, 0);
    const hid_t group = H5Gcreate2(file, "trainer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t none = H5Screate(H5S_SCALAR);
    const hid_t epoch = H5Acreate2(group, "epoch", H5T_STD_I64LE, none, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(epoch, H5T_NATIVE_INT64, (const int64_t[]){17});
    tr_h5_close(epoch);
    tr_h5_close(none);
    tr_h5_close(group);
    tr_h5_close(file);
    return path;
}

Test(inspect, tells_type_shape_range_and_classes)
{
    tr_inspection *found;
    tr_error err = {0};
    cr_assert_eq(tr_inspect(&found, put_all(), TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    cr_expect_eq(found->n_items, 6);
    cr_expect(!found->is_checkpoint);
    const tr_inspect_item *images = find(found, "deep/er/images");
    cr_expect_str_eq(images->type, "uint8");
    cr_expect_str_eq(images->packing, "gzip 6, chunks [2, 2, 2]");
    cr_expect(images->rank == 3 && images->dims[0] == 3 && images->n == 12);
    cr_expect(images->has_range && images->min == 3 && images->max == 250);
    cr_expect_eq(images->n_classes, 0, "three dimensions are no labels");

    const tr_inspect_item *labels = find(found, "labels");
    const tr_inspect_class *classes = found->classes + labels->first_class;
    cr_expect_str_eq(labels->type, "int16");
    cr_expect_str_eq(labels->packing, "");
    cr_assert_eq(labels->n_classes, 2);
    cr_expect(classes[0].value == -2 && classes[0].n == 2);
    cr_expect(classes[1].value == 7 && classes[1].n == 3);

    const tr_inspect_item *floats = find(found, "floats");
    cr_expect(floats->low == -2.5 && floats->high == 4 && floats->mean == 1);
    cr_expect(floats->n_nan == 1 && floats->n_infinite == 2 && floats->n_classes == 0);
    cr_expect(find(found, "nans")->n_nan == 1 && !find(found, "nans")->has_range);
    cr_expect(find(found, "empty")->n == 0 && find(found, "empty")->fault[0] == '\0');
    cr_expect(find(found, "scalar")->rank == 0 && find(found, "scalar")->low == 0.125);

    cr_expect_str_eq(attribute(found, "", "source"), "a test");
    cr_expect_str_eq(attribute(found, "", "fixed"), "padded");
    cr_expect_str_eq(attribute(found, "", "long"), "(text of 3999 bytes)");
    cr_expect_str_eq(attribute(found, "trainer", "epoch"), "17");
    tr_inspection_free(found);
    expect_no_leak();
}

/* Arrays beyond one slab, cut along the first axis and along a later one; the extremes stand at the
 * very ends, and the mean has seen every element once. */
Test(inspect, large_arrays_are_read_in_slabs)
{
    enum { N = 2100000 };
    static int32_t values[N];
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += values[i] = i % 2000;
    values[0] = -5;
    values[N - 1] = 5000;
    sum += -5 + 5000 - (N - 1) % 2000;
    const char *path = in_folder("large.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "rows", H5T_IEEE_F64LE, H5T_NATIVE_INT32, 0, values, 2, N / 700, 700);
    h5_put(file, "chunks", H5T_IEEE_F32LE, H5T_NATIVE_INT32, 1, values, 2, N / 700, 700);
    h5_put(file, "wide", H5T_IEEE_F64LE, H5T_NATIVE_INT32, 0, values, 3, 2, N / 2, 1);
    h5_put(file, "one", H5T_IEEE_F64LE, H5T_NATIVE_INT32, 0, values, 1, N);
    h5_put(file, "whole", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, values, 1, N);
    H5Fclose(file);
    tr_inspection *found;
    tr_error err = {0};
    cr_assert_eq(tr_inspect(&found, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    for (int64_t i = 0; i < found->n_items; i++) {
        const tr_inspect_item *item = &found->items[i];
        if (!item->is_float)
            continue;
        cr_expect(item->low == -5 && item->high == 5000, "%s: %g .. %g", item->path, item->low,
                  item->high);
        cr_expect_float_eq(item->mean, sum / N, 1e-9, "%s: %.12g", item->path, item->mean);
    }
    const tr_inspect_item *whole = find(found, "whole");
    cr_expect(whole->min == -5 && whole->max == 5000);
    cr_expect_eq(whole->n_classes, 0, "more than a thousand values are no labels");
    tr_inspection_free(found);
}

Test(inspect, a_dataset_without_values_is_told_and_the_others_too)
{
    static const int32_t numbers[2] = {4, 5};
    const char *path = in_folder("never.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "good", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, numbers, 1, 2);
    h5_put(file, "never", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, NULL, 1, 2);
    H5Fclose(file);
    tr_inspection *found;
    tr_error err = {0};
    cr_assert_eq(tr_inspect(&found, path, TR_H5_DATASET, &err), TR_ERR_DATA);
    expect_texts(&err, path, "never", "it was never written", NULL);
    cr_assert_not_null(found);
    cr_expect_eq(find(found, "good")->max, 5);
    cr_expect_str_eq(find(found, "never")->fault, "it was never written");
    tr_inspection_free(found);
}

Test(inspect, what_is_no_hdf5_file_is_refused_by_name)
{
    const char *text = in_folder("text.h5");
    tr_inspection *found;
    tr_error err = {0};
    write_bytes(text, "not HDF5 at all", 15);
    cr_expect_eq(tr_inspect(&found, text, TR_H5_DATASET, &err), TR_ERR_DATA);
    expect_texts(&err, text, "not an HDF5 file", NULL);
    cr_expect_null(found);
    cr_expect_eq(tr_inspect(&found, in_folder("missing.h5"), TR_H5_DATASET, &err), TR_ERR_DATA);
    expect_texts(&err, "missing.h5", "no such file", NULL);
    cr_expect_eq(tr_inspect(&found, folder, TR_H5_DATASET, &err), TR_ERR_DATA);
    expect_texts(&err, folder, "is a folder", NULL);
    expect_no_leak();
}

/* Our process allocates what it shares with the child and no room for values. */
Test(inspect, reads_in_a_child_process)
{
    const char *path = put_all();
    tr_inspection *found;
    const uint64_t before = tr_alloc_count();
    cr_assert_eq(tr_inspect(&found, path, TR_H5_DATASET, NULL), TR_OK);
    cr_expect_eq(tr_alloc_count() - before, 2); /* what is found, the child's report */
    tr_inspection_free(found);
}

/* Every byte that HDF5 reads before it comes to values, turned; and cut anywhere. */
Test(inspect, no_damage_crashes_us)
{
    size_t n;
    uint8_t *bytes = read_bytes(put_all(), &n);
    const char *path = in_folder("damaged.h5");
    int n_refused = 0, n_kept = 0;
    for (size_t i = 0; i < 400; i++) {
        const size_t at = i * n / 400;
        const uint8_t before = bytes[at];
        tr_inspection *found;
        tr_error err = {0};
        bytes[at] = (uint8_t)(i % 2 ? ~before : before ^ 1 << i % 8);
        write_bytes(path, bytes, i % 8 == 7 ? at : n);
        bytes[at] = before;
        const tr_status status = tr_inspect(&found, path, TR_H5_DATASET, &err);
        cr_assert(status == TR_OK || status == TR_ERR_DATA, "byte %zu: %s", at, err.text);
        cr_expect(status == TR_OK || strstr(err.text, path) != NULL, "%s", err.text);
        n_refused += status != TR_OK;
        n_kept += found != NULL;
        tr_inspection_free(found);
    }
    cr_expect(n_refused > 20 && n_kept > 20, "%d refused, %d told", n_refused, n_kept);
    tr_free(bytes);
    expect_no_leak();
}

Test(inspect, survives_any_failed_allocation)
{
    const char *path = put_all();
    tr_status status = TR_ERR_INTERNAL;
    for (int64_t k = 0; status == TR_ERR_INTERNAL && k < 100; k++) {
        tr_inspection *found;
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = tr_inspect(&found, path, TR_H5_DATASET, &err);
        tr_alloc_fail_after(-1);
        cr_expect_eq(found != NULL, status == TR_OK || status == TR_ERR_DATA);
        tr_inspection_free(found);
    }
    expect_no_leak();
}
