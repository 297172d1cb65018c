/* test_convert_pictures.c -- a folder of pictures as a dataset: classes, parts, order, splits, what
 * is broken, and that neither children nor kills show in the file.
 */
#include "data_fixture.h"

#include <sys/wait.h>

#include "h5_attributes.h"
#include "run.h"
#include "trainer/convert.h"
#include "zip_write.h"

TestSuite(convert_pictures, .init = make_folder, .fini = remove_folder, .timeout = 120);

/* ---- folders of pictures ---- */

/* Makes the folders on the way to a file in the folder of the test. */
static const char *place(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    return in_folder(name);
}

static void put_text(const char *name, const char *text)
{
    write_bytes(place(name), text, strlen(text));
}

/* A picture of h x w equal pixels. */
static void put_picture(const char *name, int value, int h, int w)
{
    char text[512];
    int n = snprintf(text, sizeof text, "P5 %d %d 255\n", w, h);
    memset(text + n, value, (size_t)(h * w));
    write_bytes(place(name), text, (size_t)(n + h * w));
}

static const char *photos(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/photos", folder);
    return path;
}

static const char *output(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/out.h5", folder);
    return path;
}

static tr_pictures_report convert(const tr_pictures_options *options)
{
    tr_pictures_report report = {0};
    tr_error err = {0};
    cr_assert_eq(tr_convert_pictures(photos(), output(), options, &report, &err), TR_OK, "%s",
                 err.text);
    return report;
}

/* A dataset of whole numbers; *n elements. */
static int *read_numbers(const char *name, size_t *n, hsize_t dims[4])
{
    const hid_t file = H5Fopen(output(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    cr_assert_geq(dataset, 0, "%s", name);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    H5Sget_simple_extent_dims(space, dims, NULL);
    int *values = malloc(*n * sizeof *values);
    cr_assert_geq(H5Dread(dataset, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    const hid_t plist = H5Dget_create_plist(dataset);
    if (name[0] == 'x') {
        cr_expect_eq(H5Pget_layout(plist), H5D_CONTIGUOUS);
        cr_expect_neq(H5Dget_offset(dataset), HADDR_UNDEF);
    }
    H5Pclose(plist);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    return values;
}

/* The first value of each sample, and its class: "12:0 7:1". Static buffer. */
static const char *samples_of(const char *part)
{
    static char text[4096];
    char x[32], y[32];
    hsize_t dims[4], n_dims[4];
    size_t n, n_y;
    snprintf(x, sizeof x, "x_%s", part);
    snprintf(y, sizeof y, "y_%s", part);
    int *pixels = read_numbers(x, &n, dims), *classes = read_numbers(y, &n_y, n_dims);
    cr_assert_eq(dims[0], n_y);
    text[0] = '\0';
    for (size_t i = 0; i < n_y; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d:%d", i == 0 ? "" : " ",
                 pixels[i * (n / n_y)], classes[i]);
    free(pixels);
    free(classes);
    return text;
}

static bool has_dataset(const char *name)
{
    const hid_t file = H5Fopen(output(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool has = H5Lexists(file, name, H5P_DEFAULT) > 0;
    H5Fclose(file);
    return has;
}

/* ---- what is where ---- */

Test(convert_pictures, classes_are_folders)
{
    put_picture("photos/dog/2.pgm", 20, 2, 2);
    put_picture("photos/dog/10.pgm", 10, 2, 2);
    put_picture("photos/cat big/a.pgm", 5, 2, 2);
    put_picture("photos/cat/z.PGM", 3, 2, 2);
    put_picture("photos/cat/more/deep/a.pgm", 1, 2, 2);
    put_picture("photos/cat-like/q.pgm", 7, 2, 2);
    put_picture("photos/lost.pgm", 99, 2, 2);
    put_text("photos/cat/notes.txt", "x");
    put_text("photos/cat/.hidden.pgm", "x");
    put_text("photos/.git/cat/q.pgm", "x");
    put_text("photos/cat/new.webp", "x");
    put_text("photos/nothing/readme", "x");
    put_picture("elsewhere/e.pgm", 98, 2, 2);
    cr_assert_eq(symlink("../../elsewhere/e.pgm", place("photos/cat/e.pgm")), 0);
    cr_assert_eq(symlink("..", place("photos/cat/loop")), 0);
    cr_assert_eq(symlink("z.PGM", place("photos/cat/zz.pgm")), 0);
    tr_pictures_report report = convert(&(tr_pictures_options){0});
    cr_expect_str_eq(samples_of("train"), "1:0 3:0 3:0 5:1 7:2 10:3 20:3");
    cr_expect(report.n_train == 7 && report.n_test == 0 && report.n_validation == 0);
    cr_expect(report.h == 2 && report.w == 2 && report.c == 3 && report.n_classes == 4);
    cr_expect_not(has_dataset("x_test"));
    cr_expect_not_null(strstr(report.notes, "the folder nothing has no pictures"));
    cr_expect_not_null(strstr(report.notes, "2 links"), "%s", report.notes);
    cr_expect_not_null(strstr(report.notes, "1 .txt"));
    cr_expect_not_null(strstr(report.notes, "1 .webp"));
    cr_expect_not_null(strstr(report.notes, "1 hidden"));
    cr_expect_not_null(strstr(report.notes, "1 in no class"));
    tr_free(report.notes);
    expect_no_leak();
}

Test(convert_pictures, parts_are_folders)
{
    put_picture("photos/train/a/1.pgm", 1, 1, 1);
    put_picture("photos/train/b/1.pgm", 2, 1, 1);
    put_picture("photos/test/b/1.pgm", 3, 1, 1);
    put_picture("photos/val/a/1.pgm", 4, 1, 1);
    put_picture("photos/val/b/1.pgm", 5, 1, 1);
    tr_pictures_report report = convert(&(tr_pictures_options){.grey = true});
    cr_expect_str_eq(samples_of("train"), "1:0 2:1");
    cr_expect_str_eq(samples_of("test"), "3:1");
    cr_expect_str_eq(samples_of("validation"), "4:0 5:1");
    cr_expect(report.n_train == 2 && report.n_test == 1 && report.n_validation == 2);
    cr_expect_eq(report.c, 1);
    cr_expect_str_eq(report.notes, "");
    tr_free(report.notes);
}

static void rename_in_photos(const char *from, const char *to)
{
    char old[64], new[64];
    snprintf(old, sizeof old, "photos/%s", from);
    snprintf(new, sizeof new, "photos/%s", to);
    cr_assert_eq(rename(in_folder(old), in_folder(new)), 0, "%s", from);
}

/* Where all folders are parts, they are no classes: in capitals, or without one to train on. */
Test(convert_pictures, parts_are_never_classes)
{
    tr_error err = {0};
    tr_pictures_report report;
    put_picture("photos/Train/a/1.pgm", 1, 1, 1);
    put_picture("photos/Train/b/1.pgm", 2, 1, 1);
    put_picture("photos/TEST/b/1.pgm", 3, 1, 1);
    report = convert(&(tr_pictures_options){0});
    cr_expect_str_eq(samples_of("train"), "1:0 2:1");
    cr_expect_str_eq(samples_of("test"), "3:1");
    tr_free(report.notes);
    put_picture("photos/Bus/1/1.pgm", 1, 1, 1);
    report = convert(&(tr_pictures_options){0}); /* vehicles, say */
    cr_expect_eq(report.n_classes, 3);
    tr_free(report.notes);
    cr_assert_eq(remove(in_folder("photos/Bus/1/1.pgm")), 0);
    rename_in_photos("Train", "val");
    cr_expect_eq(tr_convert_pictures(photos(), output(), &(tr_pictures_options){0}, &report, &err),
                 TR_ERR_DATA);
    expect_texts(&err, "photos: its folders are test or validation sets, and there is no train",
                 NULL);
}

/* What cannot be looked at is not what is gone. */
Test(convert_pictures, folders_that_cannot_be_entered)
{
    put_picture("photos/a/1.pgm", 1, 1, 1);
    put_picture("photos/b/1.pgm", 2, 1, 1);
    put_picture("photos/c/1.pgm", 3, 1, 1);
    if (geteuid() == 0)
        cr_skip_test("root enters every folder");
    chmod(in_folder("photos/c"), 0444);
    tr_error err = {0};
    tr_pictures_report report;
    cr_expect_eq(tr_convert_pictures(photos(), output(), &(tr_pictures_options){0}, &report, &err),
                 TR_ERR_DATA);
    expect_texts(&err, "photos/c/", "1.pgm: cannot be read: Permission denied", NULL);
    chmod(in_folder("photos/c"), 0777);
}

/* Values, class names and attributes are what Python reads (tests/readers does). */
Test(convert_pictures, says_how_it_was_made)
{
    put_picture("photos/a/1.pgm", 1, 4, 6);
    put_picture("photos/b/1.pgm", 200, 9, 3);
    tr_pictures_report report =
        convert(&(tr_pictures_options){.h = 4, .w = 5, .fit = "pad", .grey = true});
    hsize_t dims[4];
    size_t n;
    int64_t channels;
    char size[16], fit[16], digest[64];
    int *pixels = read_numbers("x_train", &n, dims);
    cr_expect(dims[0] == 2 && dims[1] == 4 && dims[2] == 5 && dims[3] == 1);
    /* 4 x 6 becomes 3 x 5 (round(4 / 6 * 5)), 9 x 3 becomes 4 x 1. */
    cr_expect(pixels[0] == 1 && pixels[14] == 1 && pixels[15] == 0);
    cr_expect(pixels[20] == 0 && pixels[22] == 200 && pixels[21] == 0 && pixels[23] == 0);
    const hid_t file = H5Fopen(output(), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_expect(tr_h5_read_text(file, "picture_size", size, sizeof size));
    cr_expect(tr_h5_read_text(file, "picture_fit", fit, sizeof fit));
    cr_expect(tr_h5_read_text(file, "pixels_digest", digest, sizeof digest));
    cr_expect(tr_h5_read_int(file, "picture_channels", &channels));
    H5Fclose(file);
    cr_expect_str_eq(size, "4x5");
    cr_expect_str_eq(fit, "pad");
    cr_expect_eq(channels, 1);
    cr_expect_eq(strlen(digest), 32);
    free(pixels);
    tr_free(report.notes);
}

/* Sample numbers are those of the sorted list, the order that of scikit-learn. */
Test(convert_pictures, test_split_is_scikit_learns)
{
    char name[64];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "photos/%c/%02d.pgm", i < 18 ? 'a' : 'b', i);
        put_picture(name, i + 1, 1, 1);
    }
    for (int stratify = 0; stratify <= 1; stratify++) {
        int32_t y[30];
        char expected[512] = "";
        tr_split split;
        for (int i = 0; i < 30; i++)
            y[i] = i >= 18;
        tr_pictures_report report = convert(
            &(tr_pictures_options){.test_split = 0.3, .split_seed = 7, .stratify = stratify != 0});
        cr_assert_eq(stratify ? tr_split_make_stratified(&split, y, 30, 0.3, 7, NULL)
                              : tr_split_make(&split, 30, 0.3, 7, NULL),
                     TR_OK);
        for (int i = 0; i < 9; i++)
            snprintf(expected + strlen(expected), 16, "%s%u:%d", i == 0 ? "" : " ",
                     split.validation[i] + 1, y[split.validation[i]]);
        cr_expect_str_eq(samples_of("test"), expected);
        expected[0] = '\0';
        for (int i = 0; i < 21; i++)
            snprintf(expected + strlen(expected), 16, "%s%u:%d", i == 0 ? "" : " ",
                     split.train[i] + 1, y[split.train[i]]);
        cr_expect_str_eq(samples_of("train"), expected);
        cr_expect(report.n_train == 21 && report.n_test == 9);
        tr_split_release(&split);
        tr_free(report.notes);
    }
}

/* ---- what is broken ---- */

Test(convert_pictures, broken_ones_are_named_and_left_out)
{
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "photos/%c/%02d.pgm", i < 20 ? 'a' : 'b', i);
        put_picture(name, i + 1, 1, 1);
    }
    put_text("photos/a/00.pgm", "P5 1 1 255\n");
    put_text("photos/a/03.pgm", "no picture");
    put_text("photos/b/39.pgm", "");
    tr_pictures_report report = convert(&(tr_pictures_options){.grey = true});
    cr_expect_eq(report.n_broken, 3);
    cr_expect_eq(report.n_train, 37);
    cr_expect_not_null(strstr(report.notes, "photos/a/00.pgm: is a PGM picture of 1 x 1 pixels"));
    cr_expect_not_null(strstr(report.notes, "photos/a/03.pgm: begins with the bytes"));
    cr_expect_not_null(strstr(report.notes, "photos/b/39.pgm: is empty (0 bytes)"));
    const char *samples = samples_of("train");
    cr_expect_eq(strncmp(samples, "2:0 3:0 5:0 6:0 ", 16), 0, "%s", samples);
    cr_expect_str_eq(samples + strlen(samples) - 9, "38:1 39:1");
    tr_free(report.notes);
    for (int i = 5; i < 17; i++) {
        snprintf(name, sizeof name, "photos/a/%02d.pgm", i);
        put_text(name, "no picture");
    }
    /* In a split, others stay where they are. */
    report = convert(&(tr_pictures_options){.grey = true, .test_split = 0.5});
    cr_expect_eq(report.n_broken, 15);
    cr_expect_eq(report.n_train + report.n_test, 25);
    cr_expect_not_null(strstr(report.notes, "and 5 more pictures"), "%s", report.notes);
    tr_free(report.notes);
    remove(output());
    tr_error err = {0};
    cr_expect_eq(tr_convert_pictures(photos(), output(), &(tr_pictures_options){.strict = true},
                                     &report, &err),
                 TR_ERR_DATA);
    expect_texts(&err, "photos/a/0", NULL);
    cr_expect_eq(access(output(), F_OK), -1);
    expect_no_leak();
}

static void expect_refused(const tr_pictures_options *options, tr_status status, const char *text)
{
    tr_pictures_report report;
    tr_error err = {0};
    cr_expect_eq(tr_convert_pictures(photos(), output(), options, &report, &err), status, "%s: %s",
                 text, err.text);
    expect_texts(&err, text, NULL);
    cr_expect_eq(access(output(), F_OK), -1);
    cr_expect_null(report.notes);
}

Test(convert_pictures, what_makes_no_dataset_is_refused)
{
    const tr_pictures_options plain = {0};
    expect_refused(&plain, TR_ERR_DATA, "photos: cannot be read: No such file");
    put_text("photos/readme.txt", "x");
    expect_refused(&plain, TR_ERR_DATA, "there are no pictures in folders in it");
    put_picture("photos/a/1.pgm", 1, 2, 2);
    expect_refused(&plain, TR_ERR_DATA, "only one class, a;");
    put_picture("photos/b/1.pgm", 1, 2, 3);
    expect_refused(&plain, TR_ERR_CONFIG, "b/1.pgm: is 2 x 3 pixels (height x width), the first");
    expect_refused(&(tr_pictures_options){.h = 1, .w = 1, .fit = "best"}, TR_ERR_CONFIG, "crop");
    expect_refused(&(tr_pictures_options){.h = 5000, .w = 1}, TR_ERR_CONFIG, "1 to 4096");
    expect_refused(&(tr_pictures_options){.test_split = 0.5, .stratify = true}, TR_ERR_DATA,
                   "cannot be split off: class a has only 1 sample");
    expect_refused(&(tr_pictures_options){.test_split = 0.99}, TR_ERR_DATA,
                   "--test-split = 0.99 of 2 samples is all of them: none is left to train on; "
                   "make --test-split smaller");
    put_picture("photos/train/a/1.pgm", 1, 2, 2);
    expect_refused(&plain, TR_ERR_DATA, "beside the folder train there is a picture");
    remove(in_folder("photos/a/1.pgm"));
    remove(in_folder("photos/b/1.pgm"));
    put_picture("photos/train/c/1.pgm", 1, 2, 2);
    put_picture("photos/test/b/1.pgm", 1, 2, 2);
    expect_refused(&plain, TR_ERR_DATA, "the class b has pictures in other parts, but none in tr");
    remove(in_folder("photos/test/b/1.pgm"));
    expect_refused(&(tr_pictures_options){.test_split = 0.5}, TR_ERR_CONFIG, "leave the split out");
    expect_refused(&(tr_pictures_options){.strict = true}, TR_ERR_DATA, "b has no pictures");
    put_text("photos/train/a/1.pgm", "x");
    put_text("photos/train/c/1.pgm", "x");
    expect_refused(&(tr_pictures_options){.h = 1, .w = 1}, TR_ERR_DATA, "none of its 2 pictures");
    expect_refused(&plain, TR_ERR_DATA, "begins with the bytes");
}

/* Whether by faults or by the split. */
Test(convert_pictures, a_class_without_training_pictures_is_said)
{
    tr_error err = {0};
    tr_pictures_report report;
    const tr_pictures_options one = {.test_split = 0.5, .split_seed = 1};
    put_picture("photos/a/1.pgm", 1, 1, 1);
    put_picture("photos/b/1.pgm", 2, 1, 1);
    report = convert(&one);
    cr_expect_not_null(
        strstr(report.notes, "1 of 2 classes have no picture to train on; the first"), "%s",
        report.notes);
    cr_expect_not_null(strstr(report.notes, "(--stratify gives"), "%s", report.notes);
    tr_free(report.notes);
    tr_pictures_options strict = one;
    strict.strict = true;
    cr_expect_eq(tr_convert_pictures(photos(), output(), &strict, &report, &err), TR_ERR_DATA);
    expect_texts(&err, "1 of 2 classes have no picture to train on", NULL);
    remove(in_folder("photos/a/1.pgm"));
    remove(in_folder("photos/b/1.pgm"));
    remove(output());
    put_picture("photos/train/a/1.pgm", 1, 1, 1);
    put_text("photos/train/b/1.pgm", "x");
    put_picture("photos/test/b/1.pgm", 3, 1, 1);
    report = convert(&(tr_pictures_options){0});
    cr_expect_not_null(strstr(report.notes, "to train on; the first: b\n"), "%s", report.notes);
    tr_free(report.notes);
    remove(output());
    put_text("photos/train/a/1.pgm", "x");
    expect_refused(&(tr_pictures_options){.h = 1, .w = 1}, TR_ERR_DATA,
                   "none of its 2 pictures to train on can be read; the first fault: ");
    expect_no_leak();
}

/* Names in a folder are no commands to a terminal. */
Test(convert_pictures, names_are_no_commands)
{
    put_picture("photos/a/1.pgm", 1, 2, 2);
    put_picture("photos/b/1.pgm", 1, 2, 2);
    put_text("photos/b/x\x1b[31m\ny.pgm", "no picture");
    put_text("photos/b/z\xc2\x9b.pgm", "no picture"); /* U+009B is ESC [ to some terminals */
    put_text("photos/e\x1b[31m/readme", "x");
    tr_pictures_report report = convert(&(tr_pictures_options){0});
    cr_expect_null(strchr(report.notes, '\x1b'));
    cr_expect_not_null(strstr(report.notes, "photos/b/x?[31m?y.pgm: begins"), "%s", report.notes);
    cr_expect_not_null(strstr(report.notes, "the folder e?[31m has no"), "%s", report.notes);
    cr_expect_not_null(strstr(report.notes, "photos/b/z?"), "%s", report.notes);
    cr_expect_null(strchr(report.notes, '\x9b'));
    tr_free(report.notes);
    remove(output());
    expect_refused(&(tr_pictures_options){.strict = true}, TR_ERR_DATA, "the folder e?[31m has no");
    put_picture("photos/e\x1b[31m/1.pgm", 1, 2, 2);
    expect_refused(&(tr_pictures_options){0}, TR_ERR_DATA, "folder e?[31m is not UTF-8");
}

/* ---- the file ---- */

static void many_pictures(void)
{
    char name[64];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "photos/%c/%02d.pgm", "abc"[i % 3], i);
        if (i % 11 == 5)
            put_text(name, "broken");
        else
            put_picture(name, i, 1 + i % 7, 1 + i % 5);
    }
}

Test(convert_pictures, children_never_change_the_file)
{
    size_t n_first = 0;
    uint8_t *first = NULL;
    many_pictures();
    for (int children = 1; children <= 5; children += 2) {
        size_t n;
        tr_pictures_report report = convert(&(tr_pictures_options){
            .h = 5, .w = 3, .fit = "stretch", .test_split = 0.25, .n_children = children});
        uint8_t *bytes = read_bytes(output(), &n);
        cr_expect(first == NULL || (n == n_first && memcmp(bytes, first, n) == 0),
                  "%d children make another file", children);
        if (first == NULL) {
            first = bytes;
            n_first = n;
        } else {
            tr_free(bytes);
        }
        tr_free(report.notes);
    }
    tr_free(first);
}

static void count_progress(void *user, int64_t done, int64_t n)
{
    int64_t *last = user;
    cr_expect_eq(done, *last + 1);
    cr_expect_eq(n, 60);
    *last = done;
}

Test(convert_pictures, progress_is_told)
{
    int64_t last = 0;
    many_pictures();
    tr_pictures_report report =
        convert(&(tr_pictures_options){.h = 5, .w = 3, .progress = count_progress, .user = &last});
    cr_expect_eq(last, 60);
    tr_free(report.notes);
}

Test(convert_pictures, survives_any_failed_allocation)
{
    put_picture("photos/a/1.pgm", 1, 2, 2);
    put_picture("photos/b/1.pgm", 1, 2, 2);
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 400; k++) {
        tr_pictures_report report;
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = tr_convert_pictures(photos(), output(), &(tr_pictures_options){.n_children = 1},
                                     &report, &err);
        tr_alloc_fail_after(-1);
        cr_expect(status == TR_OK || err.text[0] != '\0');
        cr_expect_eq(access(output(), F_OK) == 0, status == TR_OK);
        tr_free(report.notes);
    }
    cr_expect_eq(status, TR_OK);
    cr_expect_gt(k, 15);
    expect_no_leak();
}

/* ---- archives ---- */

static void make_archive(const char *name, const char *how)
{
    char command[512];
    snprintf(command, sizeof command, "cd %s && rm -f %s && %s %s photos", folder, name, how, name);
    cr_assert_eq(system(command), 0, "%s", command);
}

static void convert_archive(const char *name, const tr_pictures_options *options)
{
    tr_pictures_report report;
    tr_error err = {0};
    cr_assert_eq(tr_convert_pictures(in_folder(name), output(), options, &report, &err), TR_OK,
                 "%s: %s", name, err.text);
    tr_free(report.notes);
}

/* Packed or not, with the folder around the classes: the bytes that the folder gives. */
Test(convert_pictures, archives_are_folders)
{
    static const char *const archives[][2] = {{"p.tar", "tar cf"}, {"p.tar.gz", "tar czf"}};
    const tr_pictures_options options = {
        .h = 5, .w = 3, .test_split = 0.25, .stratify = true, .n_children = 3};
    size_t n, n_folder;
    many_pictures();
    tr_pictures_report report = convert(&options);
    tr_free(report.notes);
    uint8_t *bytes, *expected = read_bytes(output(), &n_folder);
    for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
        make_archive(archives[i][0], archives[i][1]);
        convert_archive(archives[i][0], &options);
        bytes = read_bytes(output(), &n);
        cr_expect(n == n_folder && memcmp(bytes, expected, n) == 0, "%s", archives[i][0]);
        tr_free(bytes);
    }
    tr_free(expected);
    expect_no_leak();
}

/* Keys, not neighbours, make a pair; classes are sorted as numbers. */
Test(convert_pictures, webdataset_pairs)
{
    char name[64], text[16];
    for (int i = 0; i < 24; i++) {
        snprintf(name, sizeof name, "photos/sample%d.pgm", i);
        put_picture(name, i, 1, 1);
        snprintf(name, sizeof name, "photos/sample%d.cls", i);
        snprintf(text, sizeof text, "%d\n", i % 12);
        put_text(name, text);
    }
    put_text("photos/sample1.json", "{}");
    make_archive("w.tar", "tar cf");
    convert_archive("w.tar", &(tr_pictures_options){.grey = true});
    const char *samples = samples_of("train");
    cr_expect_eq(strncmp(samples, "0:0 12:0 1:1 13:1 14:2 2:2 ", 27), 0, "%s", samples);
    cr_expect_not_null(strstr(samples, "10:10 22:10 11:11 23:11"), "%s", samples);
    put_text("photos/sample7.cls", ".\x1b[31m");
    make_archive("w.tar", "tar cf");
    tr_pictures_report report;
    tr_error err = {0};
    cr_expect_eq(
        tr_convert_pictures(in_folder("w.tar"), output(), &(tr_pictures_options){0}, &report, &err),
        TR_ERR_DATA);
    expect_texts(&err, "photos/sample7.pgm: its class is \".?[31m\"", NULL);
}

Test(convert_pictures, damaged_archives_are_refused)
{
    many_pictures();
    make_archive("p.tar.gz", "tar czf");
    size_t n;
    uint8_t *bytes = read_bytes(in_folder("p.tar.gz"), &n);
    for (size_t cut = 1; cut < 4; cut++) {
        tr_pictures_report report;
        tr_error err = {0};
        write_bytes(in_folder("cut.tar.gz"), bytes, n * cut / 4);
        cr_expect_eq(tr_convert_pictures(in_folder("cut.tar.gz"), output(),
                                         &(tr_pictures_options){0}, &report, &err),
                     TR_ERR_DATA);
        expect_texts(&err, "cut.tar.gz: is no folder, and as an archive", NULL);
    }
    tr_free(bytes);
    put_text("x.tar", "no archive at all");
    tr_pictures_report report;
    cr_expect_eq(
        tr_convert_pictures(in_folder("x.tar"), output(), &(tr_pictures_options){0}, &report, NULL),
        TR_ERR_DATA);
    expect_no_leak();
}

/* A picture that is damaged within a good archive is named as one in a folder is. */
Test(convert_pictures, damaged_pictures_of_an_archive_are_named)
{
    static const char picture[] = "P5 1 1 255\n!";
    const tr_zip_member members[] = {{"a/1.pgm", picture, sizeof picture - 1},
                                     {"a/2.pgm", picture, sizeof picture - 1},
                                     {"b/1.pgm", picture, sizeof picture - 1},
                                     {"b/2.pgm", "", 0}};
    void *bytes = NULL;
    size_t n;
    tr_error err = {0};
    tr_pictures_report report;
    cr_assert_eq(tr_zip_make(&bytes, &n, members, 4, &err), TR_OK);
    char *second = memmem((char *)bytes + 50, n - 50, picture, sizeof picture - 1);
    cr_assert_not_null(second);
    second[sizeof picture - 2] = '?'; /* against its check sum */
    write_bytes(in_folder("p.zip"), bytes, n);
    tr_free(bytes);
    cr_assert_eq(
        tr_convert_pictures(in_folder("p.zip"), output(), &(tr_pictures_options){0}, &report, &err),
        TR_OK, "%s", err.text);
    cr_expect(report.n_broken == 2 && report.n_train == 2, "%s", report.notes);
    cr_expect_not_null(strstr(report.notes, "p.zip/a/2.pgm: cannot be read from the archive: "),
                       "%s", report.notes);
    cr_expect_not_null(strstr(report.notes, "p.zip/b/2.pgm: is empty (0 bytes)"), "%s",
                       report.notes);
    tr_free(report.notes);
}

/* ---- the program ---- */

/* Runs it with this environment; its exit code, or 128 + the signal; output in said[]. */
static char said[8192];
static int run_program(const char *environment, const char *arguments)
{
    char command[2048];
    snprintf(command, sizeof command, "%s %s convert images %s %s %s 2>&1", environment, TR_BINARY,
             arguments, photos(), output());
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
    const int status = pclose(pipe);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Test(convert_pictures, the_command_says_what_it_did)
{
    many_pictures();
    cr_expect_eq(run_program("", "--size 6x4 --test-split 0.2 --gray --threads 2"), 0, "%s", said);
    cr_expect_not_null(strstr(said, "out.h5: 3 classes, pictures of 6 x 4 x 1: 43 to train on, 12 "
                                    "to test; 5 could not be read"),
                       "%s", said);
    cr_expect_not_null(strstr(said, "trainer: note: "), "%s", said);
    static const char *const wrong[][2] = {
        {"--size 0", "--size 0: must be height x width"},
        {"--size 6x", "--size 6x: must be"},
        {"--size 6x4x3", "--size 6x4x3: must be"},
        {"--test-split 1", "more than 0 and less than 1"},
        {"--stratify", "belongs to --test-split"},
        {"--split-seed 3", "belongs to --test-split"},
        {"--threads 0", "a whole number from 1 to 256"},
        {"--size 2x2 --fit best", "must be crop, pad or stretch"},
        {"--fit pad", "--fit belongs to --size"},
        {"--coarse", "--coarse is for cifar100"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_eq(run_program("", wrong[i][0]), 2, "%s: %s", wrong[i][0], said);
        cr_expect_not_null(strstr(said, wrong[i][1]), "%s: %s", wrong[i][0], said);
    }
}

/* Wherever it is killed, or the disk is full: what was there before is there, whole, or the new
 * file; and of what a killed one left, nothing stays behind the next. */
Test(convert_pictures, is_whole_or_absent, .timeout = 240)
{
    char environment[512];
    size_t n_old, n_new, n;
    put_picture("photos/a/1.pgm", 1, 2, 2);
    put_picture("photos/b/1.pgm", 2, 2, 2);
    put_text("photos/a/0.pgm", "broken");
    cr_assert_eq(run_program("", ""), 0, "%s", said);
    uint8_t *new = read_bytes(output(), &n_new);
    cr_assert_eq(run_program("", "--gray"), 0, "%s", said);
    uint8_t *old = read_bytes(output(), &n_old);
    static const char *const what[] = {"kill", "half", "28"};
    for (size_t i = 0; i < 3; i++) {
        int code = -1;
        for (int at = 1; code != 0 && at < 60; at++) {
            snprintf(environment, sizeof environment,
                     "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s "
                     "FAULT_AT=%d FAULT_DO=%s",
                     TR_FAULT, folder, at, what[i]);
            code = run_program(environment, "");
            if (code == 0)
                break;
            cr_expect(i == 2 ? code == 5 : code == 128 + SIGKILL || code == 137,
                      "%s at %d ends with %d: %s", what[i], at, code, said);
            uint8_t *bytes = read_bytes(output(), &n);
            cr_expect((n == n_old && memcmp(bytes, old, n) == 0) ||
                          (n == n_new && memcmp(bytes, new, n) == 0),
                      "%s at %d leaves %zu bytes", what[i], at, n);
            tr_free(bytes);
        }
        cr_expect_eq(code, 0, "%s: never came to its end", what[i]);
        cr_assert_eq(run_program("", "--gray"), 0);
    }
    tr_free(old);
    tr_free(new);
    char command[256];
    snprintf(command, sizeof command, "ls -A %s | grep -c tmp$", folder);
    FILE *pipe = popen(command, "r");
    int n_left = -1;
    cr_assert_eq(fscanf(pipe, "%d", &n_left), 1);
    pclose(pipe);
    cr_expect_eq(n_left, 0, "temporary files are left");
}
