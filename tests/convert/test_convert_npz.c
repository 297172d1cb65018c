/* test_convert_npz.c -- NumPy's .npz into a dataset and back: the same types, shapes, bits; damaged
 * files are refused. tests/golden/arrays.py made the files.
 */
#include "arrays.h"
#include "data_fixture.h"
#include "npy.h"
#include "trainer/convert.h"
#include "zip_write.h"

TestSuite(convert_npz, .init = make_folder, .fini = remove_folder);

static void expect_value(const tr_array *array, int64_t k)
{
    const int64_t expected = k % 11 - (array->type == TR_NUMBER_U8 ? 0 : 2);
    const double value = array->type == TR_NUMBER_U8    ? ((const uint8_t *)array->values)[k]
                         : array->type == TR_NUMBER_I32 ? ((const int32_t *)array->values)[k]
                         : array->type == TR_NUMBER_I64
                             ? (double)((const int64_t *)array->values)[k]
                         : array->type == TR_NUMBER_F32 ? ((const float *)array->values)[k]
                                                        : ((const double *)array->values)[k];
    cr_assert_eq(value, (double)expected, "element %lld", (long long)k);
}

static void expect_array(const tr_array *array, tr_number type, int rank, int64_t n)
{
    cr_assert(array->type == type && array->rank == rank && array->n == n, "%s of rank %d, %lld",
              tr_number_name(array->type), array->rank, (long long)array->n);
    for (int64_t k = 0; k < n; k++)
        expect_value(array, k);
}

static void expect_all(const tr_arrays *arrays)
{
    expect_array(&arrays->items[TR_X_TRAIN], TR_NUMBER_U8, 3, 60);
    expect_array(&arrays->items[TR_Y_TRAIN], TR_NUMBER_I64, 1, 5);
    expect_array(&arrays->items[TR_X_TEST], TR_NUMBER_F64, 3, 24);
    expect_array(&arrays->items[TR_Y_TEST], TR_NUMBER_I32, 2, 2);
    cr_expect_eq(arrays->items[TR_X_TEST].dims[1], 4);
}

Test(convert_npz, arrays_stay_what_they_are)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    cr_assert_eq(tr_convert_npz(TR_GOLDEN "/arrays.npz", NULL, in_folder("a.h5"), &err), TR_OK,
                 "%s", err.text);
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("a.h5"), true, &err), TR_OK, "%s", err.text);
    expect_all(&arrays);
    tr_arrays_release(&arrays);
    cr_assert_eq(tr_convert_to_npz(in_folder("a.h5"), in_folder("b.npz"), &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_arrays_read_npz(&arrays, in_folder("b.npz"), NULL, &err), TR_OK, "%s",
                 err.text);
    expect_all(&arrays);
    tr_arrays_release(&arrays);
    expect_no_leak();
}

/* Whatever the type. */
static double element(const tr_array *array, int64_t k)
{
    switch (array->type) {
    case TR_NUMBER_U8:
        return ((const uint8_t *)array->values)[k];
    case TR_NUMBER_I16:
        return ((const int16_t *)array->values)[k];
    case TR_NUMBER_U16:
        return ((const uint16_t *)array->values)[k];
    case TR_NUMBER_U32:
        return ((const uint32_t *)array->values)[k];
    case TR_NUMBER_U64:
        return (double)((const uint64_t *)array->values)[k];
    case TR_NUMBER_F32:
        return ((const float *)array->values)[k];
    default:
        return ((const double *)array->values)[k];
    }
}

static void expect_other(const tr_array *array, tr_number type, int64_t n, double from)
{
    cr_assert(array->type == type && array->n == n, "%s, %lld", tr_number_name(array->type),
              (long long)array->n);
    for (int64_t k = 0; k < n; k++)
        cr_assert_eq(element(array, k), (double)(k % 11) + from, "element %lld", (long long)k);
}

Test(convert_npz, any_names_and_types)
{
    static const char *const names[TR_CONVERT_NAMES] = {"train_images",
                                                        "train_labels",
                                                        "test_images",
                                                        TR_GOLDEN "/arrays_other.npy",
                                                        TR_GOLDEN "/arrays_other.npz:val_images",
                                                        "val_labels"};
    tr_arrays arrays = {0};
    tr_error err = {0};
    cr_assert_eq(tr_convert_npz(TR_GOLDEN "/arrays_other.npz", names, in_folder("a.h5"), &err),
                 TR_OK, "%s", err.text);
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("a.h5"), true, &err), TR_OK, "%s", err.text);
    expect_other(&arrays.items[TR_X_TRAIN], TR_NUMBER_F32, 60, -2);
    expect_other(&arrays.items[TR_X_TEST], TR_NUMBER_F64, 36, -2);
    expect_other(&arrays.items[TR_X_VALIDATION], TR_NUMBER_I16, 24, -2);
    expect_other(&arrays.items[TR_Y_VALIDATION], TR_NUMBER_U16, 2, 0);
    expect_other(&arrays.items[TR_Y_TEST], TR_NUMBER_U32, 3, 0);
    const tr_array *labels = &arrays.items[TR_Y_TRAIN];
    cr_assert(labels->type == TR_NUMBER_U8 && labels->n == 5);
    for (int k = 0; k < 5; k++)
        cr_expect_eq(element(labels, k), k % 2);
    tr_arrays_release(&arrays);
    expect_no_leak();
}

static void expect_names_refused(const char *const names[TR_CONVERT_NAMES], tr_status status,
                                 const char *text)
{
    tr_error err = {0};
    cr_expect_eq(tr_convert_npz(TR_GOLDEN "/arrays_other.npz", names, in_folder("a.h5"), &err),
                 status, "%s", err.text);
    expect_texts(&err, text, NULL);
    cr_expect_neq(access(in_folder("a.h5"), F_OK), 0);
}

Test(convert_npz, names_that_are_not_there)
{
    expect_names_refused(NULL, TR_ERR_DATA,
                         "it has: train_images, train_labels, val_images, val_labels, test_images, "
                         "test_labels; say which");
    expect_names_refused((const char *const[TR_CONVERT_NAMES]){"images", "train_labels"},
                         TR_ERR_DATA, "has no array images; it has: train_images, ");
    expect_names_refused((const char *const[TR_CONVERT_NAMES]){"train_images"}, TR_ERR_DATA,
                         "has no y_train");
    expect_names_refused(
        (const char *const[TR_CONVERT_NAMES]){"train_images", "train_labels", NULL, "test_labels"},
        TR_ERR_DATA, "has no x_test");
    expect_names_refused((const char *const[TR_CONVERT_NAMES]){"train_images", "x.npz:"},
                         TR_ERR_CONFIG, "no array is named");
    expect_names_refused((const char *const[TR_CONVERT_NAMES]){"train_images", "none.npy"},
                         TR_ERR_DATA, "none.npy");
    expect_names_refused(
        (const char *const[TR_CONVERT_NAMES]){"train_images", TR_GOLDEN "/arrays_other.npy:y"},
        TR_ERR_DATA, "is one array (.npy) and has none called y");
}

/* A colon in a folder's name is none before an array; what is read from is not written over. */
Test(convert_npz, other_files_by_their_names)
{
    char y[512];
    size_t n, n_after;
    uint8_t *bytes = read_bytes(TR_GOLDEN "/arrays_other.npy", &n);
    tr_error err = {0};
    snprintf(y, sizeof y, "%s/a:b", folder);
    cr_assert_eq(mkdir(y, 0777), 0);
    strcat(y, "/y.npy");
    write_bytes(y, bytes, n);
    const char *const names[TR_CONVERT_NAMES] = {"train_images", "train_labels", "test_images", y};
    cr_expect_eq(tr_convert_npz(TR_GOLDEN "/arrays_other.npz", names, in_folder("a.h5"), &err),
                 TR_OK, "%s", err.text);
    cr_expect_eq(tr_convert_npz(TR_GOLDEN "/arrays_other.npz", names, y, &err), TR_ERR_CONFIG);
    expect_texts(&err, "y.npy: is an input", NULL);
    uint8_t *after = read_bytes(y, &n_after);
    cr_expect(n_after == n && memcmp(after, bytes, n) == 0);
    tr_free(after);
    tr_free(bytes);
    expect_no_leak();
}

Test(convert_npz, packed_and_without_a_test_set)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    cr_assert_eq(tr_convert_npz(TR_GOLDEN "/arrays_packed.npz", NULL, in_folder("a.h5"), &err),
                 TR_OK, "%s", err.text);
    cr_assert_eq(tr_convert_to_npz(in_folder("a.h5"), in_folder("b.npz"), &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_arrays_read_npz(&arrays, in_folder("b.npz"), NULL, &err), TR_OK, "%s",
                 err.text);
    expect_array(&arrays.items[TR_X_TRAIN], TR_NUMBER_F32, 4, 12000);
    expect_array(&arrays.items[TR_Y_TRAIN], TR_NUMBER_U8, 1, 500);
    cr_expect_eq(arrays.items[TR_X_TEST].n, 0);
    tr_arrays_release(&arrays);
}

/* Cut anywhere, or one bit flipped anywhere: refused, or the same arrays where it did not matter (a
 * time stamp, say). */
static void expect_survived(const uint8_t *bytes, size_t n, size_t *n_refused)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    write_bytes(in_folder("bad.npz"), bytes, n);
    const tr_status status = tr_arrays_read_npz(&arrays, in_folder("bad.npz"), NULL, &err);
    *n_refused += status != TR_OK;
    if (status == TR_OK && arrays.items[TR_X_TEST].n > 0)
        expect_all(&arrays);
    else if (status != TR_OK)
        cr_expect(status == TR_ERR_DATA && strstr(err.text, "bad.npz") != NULL, "%d: %s", status,
                  err.text);
    tr_arrays_release(&arrays);
}

Test(convert_npz, damage_is_refused, .timeout = 120)
{
    size_t n, n_refused = 0;
    uint8_t *bytes = read_bytes(TR_GOLDEN "/arrays.npz", &n);
    for (size_t cut = 0; cut < n; cut += 37)
        expect_survived(bytes, cut, &n_refused);
    cr_expect_eq(n_refused, (n + 36) / 37, "a part was taken for the whole");
    n_refused = 0;
    for (size_t i = 0; i < n; i += 5) {
        bytes[i] ^= (uint8_t)(1 << i % 8);
        expect_survived(bytes, n, &n_refused);
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    cr_expect_gt(n_refused, n / 5 / 3);
    tr_free(bytes);
}

/* Beyond what one look takes in, only the archive's checksum tells. */
Test(convert_npz, a_flipped_bit_among_many_values_is_noticed)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    size_t n;
    cr_assert_eq(tr_convert_npz(TR_GOLDEN "/arrays_packed.npz", NULL, in_folder("a.h5"), &err),
                 TR_OK);
    cr_assert_eq(tr_convert_to_npz(in_folder("a.h5"), in_folder("b.npz"), &err), TR_OK);
    uint8_t *bytes = read_bytes(in_folder("b.npz"), &n);
    bytes[n / 2] ^= 4;
    write_bytes(in_folder("b.npz"), bytes, n);
    cr_expect_eq(tr_arrays_read_npz(&arrays, in_folder("b.npz"), NULL, &err), TR_ERR_DATA);
    expect_texts(&err, "b.npz: x_train.npy: the archive is damaged", NULL);
    tr_free(bytes);
}

/* A sound archive whose header says 4 while there are `n_values`. */
static void expect_miscounted(int64_t n_values)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    char bytes[TR_NPY_HEADER_MAX + 64] = {0};
    const tr_array said = {.type = TR_NUMBER_U8, .rank = 1, .dims = {4}, .n = 4};
    const size_t n = tr_npy_header(bytes, &said) + (size_t)n_values;
    const tr_zip_member members[] = {{"x_train.npy", bytes, n}, {"y_train.npy", bytes, n}};
    void *archive;
    size_t n_archive;
    cr_assert_eq(tr_zip_make(&archive, &n_archive, members, 2, &err), TR_OK);
    write_bytes(in_folder("c.npz"), archive, n_archive);
    const tr_status status = tr_arrays_read_npz(&arrays, in_folder("c.npz"), NULL, &err);
    cr_expect_eq(status, n_values == 4 ? TR_OK : TR_ERR_DATA, "%d values", (int)n_values);
    if (status != TR_OK)
        expect_texts(&err, "its header promises 4 elements of uint8", NULL);
    tr_arrays_release(&arrays);
    tr_free(archive);
}

Test(convert_npz, header_and_values_must_agree)
{
    expect_miscounted(3);
    expect_miscounted(4);
    expect_miscounted(5);
}

Test(convert_npz, refuses_what_the_format_does_not_hold)
{
    static const float values[6] = {0};
    tr_error err = {0};
    hid_t file = h5_create(in_folder("a.h5")), three_bytes = H5Tcopy(H5T_STD_U32LE);
    H5Tset_precision(three_bytes, 24);
    H5Tset_size(three_bytes, 3);
    h5_put(file, "x_train", three_bytes, H5T_NATIVE_FLOAT, 0, values, 2, 3, 2);
    H5Tclose(three_bytes);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 1, 3);
    H5Fclose(file);
    cr_expect_eq(tr_convert_to_npz(in_folder("a.h5"), in_folder("b.npz"), &err), TR_ERR_DATA);
    expect_texts(&err, "a.h5: x_train is uint24 [3, 2]", "float64", NULL);
    file = h5_create(in_folder("a.h5"));
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 2, 3, 2);
    H5Fclose(file);
    cr_expect_eq(tr_convert_to_npz(in_folder("a.h5"), in_folder("b.npz"), &err), TR_ERR_DATA);
    expect_texts(&err, "a.h5: has no y_train", NULL);
    cr_expect_neq(access(in_folder("b.npz"), F_OK), 0);
    cr_expect_eq(tr_convert_npz(TR_GOLDEN "/arrays.npz", NULL, "/nowhere/at/all.h5", &err),
                 TR_ERR_IO);
}

/* A reader that was taken over by its file: an array without dimensions, to divide by. */
static tr_status tell_rank_0(void *user, tr_error *err)
{
    tr_arrays_visit *visit = user;
    (void)err;
    visit->arrays.items[TR_X_TRAIN] = (tr_array){.type = TR_NUMBER_U8, .rank = 0, .n = 1};
    return TR_OK;
}

Test(convert_npz, arrays_without_dimensions_are_not_believed)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    const tr_arrays_visit visit = {.path = TR_GOLDEN "/arrays.npz"};
    cr_expect_eq(tr_arrays_fetch(&arrays, &visit, tell_rank_0, &err), TR_ERR_DATA);
    expect_texts(&err, "arrays.npz: x_train: its reader told nonsense", NULL);
    tr_arrays_release(&arrays);
}
