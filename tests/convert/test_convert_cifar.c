/* test_convert_cifar.c -- CIFAR-10 and CIFAR-100, binary and pickled, into a dataset. tests/golden/
 * cifar.py made the archives.
 */
#include "arrays.h"
#include "bundle.h"
#include "data_fixture.h"
#include "pickle.h"
#include "trainer/convert.h"

enum { ROWS = 3, PIXELS = 3072 };

TestSuite(convert_cifar, .init = make_folder, .fini = remove_folder);

/* Element (h, w, c) of row r is number 1024 c + 32 h + w of its planes. */
static void expect_rows(const tr_array *x, const tr_array *y, int first, int n,
                        const int classes[2])
{
    cr_assert(x->type == TR_NUMBER_U8 && x->rank == 4 && x->dims[0] == n && x->dims[1] == 32 &&
              x->dims[2] == 32 && x->dims[3] == 3);
    cr_assert(y->type == TR_NUMBER_U8 && y->rank == 1 && y->n == n);
    for (int i = 0; i < n; i++) {
        cr_expect_eq(((const uint8_t *)y->values)[i], classes[1] * ((first + i) % classes[0]));
        for (int e = 0; e < PIXELS; e++) {
            const int k = e % 3 * 1024 + e / 3;
            cr_assert_eq(((const uint8_t *)x->values)[i * PIXELS + e],
                         (7 * (first + i) + 3 * k + k / 1024) % 251, "row %d, element %d", i, e);
        }
    }
}

static void expect_dataset(int n_train, const int classes[2])
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("c.h5"), true, &err), TR_OK, "%s", err.text);
    expect_rows(&arrays.items[TR_X_TRAIN], &arrays.items[TR_Y_TRAIN], 0, n_train, classes);
    expect_rows(&arrays.items[TR_X_TEST], &arrays.items[TR_Y_TEST], n_train, ROWS, classes);
    tr_arrays_release(&arrays);
}

/* The names, at one length each. */
static void expect_name(const char *first, int n)
{
    char text[128][16] = {{0}};
    const hid_t file = H5Fopen(in_folder("c.h5"), H5F_ACC_RDONLY, H5P_DEFAULT),
                array = H5Dopen2(file, "class_names", H5P_DEFAULT), type = H5Dget_type(array),
                space = H5Dget_space(array), memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, sizeof text[0]);
    H5Tset_cset(memory, H5Tget_cset(type));
    cr_assert_eq(H5Sget_simple_extent_npoints(space), n);
    cr_assert(H5Dread(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
    cr_expect_str_eq(text[0], first);
    H5Tclose(memory), H5Sclose(space), H5Tclose(type), H5Dclose(array), H5Fclose(file);
}

Test(convert_cifar, all_versions_of_cifar10)
{
    static const char *const archives[] = {"binary", "python-2", "python-4", "python-5"};
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        char path[512];
        tr_error err = {0};
        snprintf(path, sizeof path, "%s/cifar/cifar-10-%s.tar.gz", TR_GOLDEN, archives[i]);
        cr_assert_eq(tr_convert_cifar10(path, in_folder("c.h5"), &err), TR_OK, "%s", err.text);
        expect_dataset(5 * ROWS, (const int[]){10, 1});
        expect_name("airplane", 10);
    }
    expect_no_leak();
}

Test(convert_cifar, cifar100_fine_and_coarse)
{
    static const char *const archives[] = {"binary", "python"};
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        char path[512];
        tr_error err = {0};
        snprintf(path, sizeof path, "%s/cifar/cifar-100-%s.tar.gz", TR_GOLDEN, archives[i]);
        cr_assert_eq(tr_convert_cifar100(path, in_folder("c.h5"), false, &err), TR_OK, "%s",
                     err.text);
        expect_dataset(ROWS, (const int[]){20, 5});
        expect_name("fine_0", 100);
        cr_assert_eq(tr_convert_cifar100(path, in_folder("c.h5"), true, &err), TR_OK, "%s",
                     err.text);
        expect_dataset(ROWS, (const int[]){20, 1});
        expect_name("coarse_0", 20);
    }
}

/* As it lies unpacked. */
static void unpack(const char *archive, const char *const *names, int n)
{
    tr_bundle_file files[8] = {{0}};
    tr_error err = {0};
    for (int i = 0; i < n; i++)
        files[i] = (tr_bundle_file){.name = names[i], .most = 1 << 20};
    cr_assert_eq(tr_bundle_read(files, n, archive, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < n; i++)
        write_bytes(in_folder(names[i]), files[i].bytes, files[i].n);
    tr_bundle_release(files, n);
}

static const char *const coarse_files[] = {"train", "test", "meta"};

Test(convert_cifar, a_folder)
{
    tr_error err = {0};
    unpack(TR_GOLDEN "/cifar/cifar-100-python.tar.gz", coarse_files, 3);
    cr_assert_eq(tr_convert_cifar100(folder, in_folder("c.h5"), true, &err), TR_OK, "%s", err.text);
    expect_dataset(ROWS, (const int[]){20, 1});
    expect_name("coarse_0", 20);
}

/* fails(what it says) on the folder as it is. */
static void expect_refused(const char *what)
{
    tr_error err = {0};
    unlink(in_folder("c.h5"));
    cr_expect_eq(tr_convert_cifar100(folder, in_folder("c.h5"), true, &err), TR_ERR_DATA);
    expect_texts(&err, folder, what, NULL);
    cr_expect_neq(access(in_folder("c.h5"), F_OK), 0);
}

Test(convert_cifar, what_is_wrong_is_said)
{
    size_t n;
    expect_refused("has neither train.bin nor train");
    unpack(TR_GOLDEN "/cifar/cifar-100-python.tar.gz", coarse_files, 3);
    unlink(in_folder("test"));
    expect_refused("has no test, which belongs to CIFAR-100");

    /* os.system("touch PATH"), by the book. */
    char attack[512];
    const int length = snprintf(attack, sizeof attack,
                                "\x80\x02"
                                "cos\nsystem\n(U%ctouch %stR.",
                                (int)strlen(in_folder("owned")) + 6, in_folder("owned"));
    write_bytes(in_folder("test"), attack, (size_t)length);
    expect_refused("test has no \"data\"");
    cr_expect_neq(access(in_folder("owned"), F_OK), 0);

    write_bytes(in_folder("test"), "\x80\x02}.", 4);
    expect_refused("test has no \"data\"");
    write_bytes(in_folder("test"), "\x80\x02}q\x01(U", 7);
    expect_refused("at byte 7: it ends early");
    write_bytes(in_folder("test"), "\x80\x02u.", 4);
    expect_refused("it closes what it has not opened");
    write_bytes(in_folder("test"), "version https://git-lfs", 23);
    expect_refused("it does not begin as one of protocol 2 to 5");
    unlink(in_folder("test"));
    uint8_t *meta = read_bytes(in_folder("meta"), &n);
    write_bytes(in_folder("test.bin"), meta, n);
    write_bytes(in_folder("train.bin"), meta, n);
    expect_refused("no multiple of the 3074 of a record");
    tr_free(meta);
}

static void put(FILE *file, const char *code, size_t n)
{
    cr_assert_eq(fwrite(code, 1, n, file), n);
}

#define PUT(file, code) put(file, code, sizeof(code) - 1)

/* {"data": n rows of zeros, "labels": n zeros}, by hand (protocol 3). */
static void write_rows(const char *path, uint16_t n)
{
    static const char row[PIXELS];
    const uint32_t bytes = (uint32_t)n * PIXELS;
    const uint16_t columns = PIXELS;
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    PUT(file, "\x80\x03}(U\x04"
              "datacnumpy.core.numeric\n_frombuffer\n(B");
    put(file, (const char *)&bytes, sizeof bytes);
    for (int i = 0; i < n; i++)
        put(file, row, sizeof row);
    PUT(file, "cnumpy\ndtype\n(U\x02u1tR(M");
    put(file, (const char *)&n, sizeof n);
    PUT(file, "M");
    put(file, (const char *)&columns, sizeof columns);
    PUT(file, "tU\x01"
              "CtRU\x06"
              "labels](");
    for (int i = 0; i < n; i++)
        PUT(file, "K\x00");
    PUT(file, "eu.");
    cr_assert_eq(fclose(file), 0);
}

/* Rows without names of files are shorter than there is room for in bytes; there is room for 10000
 * rows. */
Test(convert_cifar, more_rows_than_there_is_room_for)
{
    static const char *const files[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                        "data_batch_4", "data_batch_5", "test_batch"};
    tr_error err = {0};
    unpack(TR_GOLDEN "/cifar/cifar-10-python-4.tar.gz", files, 6);
    write_rows(in_folder("test_batch"), 10000);
    cr_expect_eq(tr_convert_cifar10(folder, in_folder("c.h5"), &err), TR_OK, "%s", err.text);
    write_rows(in_folder("test_batch"), 10001);
    cr_expect_eq(tr_convert_cifar10(folder, in_folder("c.h5"), &err), TR_ERR_DATA);
    expect_texts(&err, "with test_batch, it has more than the 10000 rows of CIFAR-10", NULL);
}

/* Cut anywhere, or a bit flipped anywhere: refused, or the dataset. */
Test(convert_cifar, damaged_pickles_do_no_harm, .timeout = 120)
{
    size_t n, n_refused = 0, n_tried = 0;
    unpack(TR_GOLDEN "/cifar/cifar-100-python.tar.gz", coarse_files, 3);
    uint8_t *bytes = read_bytes(in_folder("test"), &n);
    for (size_t i = 0; i < n; i += i < 200 || n - i < 100 ? 1 : 997) {
        tr_pickle pickle = {0};
        tr_error err = {0};
        n_refused += tr_pickle_read(&pickle, bytes, i, "cut", &err) != TR_OK;
        tr_pickle_release(&pickle);
        n_tried++;
        bytes[i] ^= (uint8_t)(1 << i % 8);
        tr_pickle_array array;
        if (tr_pickle_read(&pickle, bytes, n, "flipped", &err) == TR_OK &&
            tr_pickle_find(pickle.root, "data") != NULL)
            tr_pickle_as_array(&array, tr_pickle_find(pickle.root, "data"));
        tr_pickle_release(&pickle);
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    cr_expect_eq(n_refused, n_tried, "a part was taken for the whole");
    tr_free(bytes);
    expect_no_leak();
}

Test(convert_cifar, damaged_archives_are_refused)
{
    size_t n;
    uint8_t *bytes = read_bytes(TR_GOLDEN "/cifar/cifar-100-binary.tar.gz", &n);
    for (size_t cut = 0; cut < n - 20; cut += 53) {
        tr_error err = {0};
        write_bytes(in_folder("cut.tar.gz"), bytes, cut);
        cr_expect_eq(tr_convert_cifar100(in_folder("cut.tar.gz"), in_folder("c.h5"), false, &err),
                     TR_ERR_DATA, "%zu of %zu bytes: %s", cut, n, err.text);
        expect_texts(&err, "cut.tar.gz", NULL);
    }
    tr_free(bytes);
}
