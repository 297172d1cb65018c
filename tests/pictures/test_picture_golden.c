/* test_picture_golden.c -- contract: pictures of every kind, at any size, are to the bit what PIL
 * makes of them (tests/golden/pictures.py).
 */
#include "data_fixture.h"

#include "net.h"
#include "picture_read.h"

TestSuite(picture_golden, .init = make_folder, .fini = remove_folder);

/* ---- the golden file ---- */

typedef struct golden_array {
    uint8_t *values;
    hsize_t dims[3];
    size_t n;
} golden_array;

static golden_array read_array(hid_t group, const char *name)
{
    golden_array array = {.dims = {1, 1, 1}, .n = 1};
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    cr_assert_geq(dataset, 0, "%s", name);
    H5Sget_simple_extent_dims(space, array.dims, NULL);
    for (int i = 0; i < 3; i++)
        array.n *= array.dims[i];
    array.values = malloc(array.n);
    cr_assert_geq(H5Dread(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values),
                  0);
    H5Sclose(space);
    H5Dclose(dataset);
    return array;
}

typedef struct walk {
    const char *picture, *path;
    int n;
} walk;

/* "RGB_crop_16x20", or "L": at its own size. */
static tr_picture_rules parse_way(const char *way)
{
    tr_picture_rules rules = {.channels = way[0] == 'L' ? 1 : 3};
    char fit[16];
    long long h, w;
    if (sscanf(way, "%*[^_]_%15[^_]_%lldx%lld", fit, &h, &w) == 3) {
        cr_assert(tr_fit_parse(&rules.fit, fit));
        rules.h = h;
        rules.w = w;
    }
    return rules;
}

static herr_t expect_way(hid_t group, const char *way, const H5L_info_t *info, void *user)
{
    walk *self = user;
    tr_image image = {0};
    tr_error err = {0};
    (void)info;
    if (strcmp(way, "file") == 0)
        return 0;
    const golden_array golden = read_array(group, way);
    const tr_picture_rules rules = parse_way(way);
    cr_assert_eq(tr_picture_read(&image, self->path, &rules, &err), TR_OK, "%s %s: %s",
                 self->picture, way, err.text);
    cr_assert(image.h == (int64_t)golden.dims[0] && image.w == (int64_t)golden.dims[1] &&
                  image.c == (int64_t)golden.dims[2],
              "%s %s: %lld x %lld x %lld", self->picture, way, (long long)image.h,
              (long long)image.w, (long long)image.c);
    size_t n_other = 0, first = 0;
    for (size_t i = golden.n; i-- > 0;)
        if (image.pixels[i] != golden.values[i]) {
            n_other++;
            first = i;
        }
    cr_expect_eq(n_other, 0, "%s %s: %zu of %zu values differ, first %zu: %d, PIL has %d",
                 self->picture, way, n_other, golden.n, first, image.pixels[first],
                 golden.values[first]);
    self->n++;
    tr_image_release(&image);
    free(golden.values);
    return 0;
}

static herr_t expect_picture(hid_t file, const char *name, const H5L_info_t *info, void *user)
{
    walk *self = user;
    (void)info;
    const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    const golden_array bytes = read_array(group, "file");
    self->picture = name;
    self->path = in_folder("picture");
    write_bytes(self->path, bytes.values, bytes.n);
    free(bytes.values);
    H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, expect_way, user);
    H5Gclose(group);
    return 0;
}

/* Decoding, EXIF's turns, alpha, grey, inks, and every fit: nothing is off by a level. */
Test(picture_golden, is_pils_to_the_bit, .timeout = 120)
{
    walk self = {0};
    const hid_t file = test_golden_open("pictures.h5");
    H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, expect_picture, &self);
    H5Fclose(file);
    cr_expect_gt(self.n, 300, "%d", self.n);
}
