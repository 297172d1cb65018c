/* test_feed.c -- images out of a file: the right ones in any order, a ring that is shorter than the
 * order, and a file that changes under the reader.
 */
#include "data_fixture.h"

#include <math.h>

#include "feed.h"
#include "rng.h"

TestSuite(feed, .init = make_folder, .fini = remove_folder);

/* Image i has its number at both ends; the rest is a hole in the file. */
static tr_raw_images make_images(int64_t n, int64_t pixels, int64_t offset)
{
    tr_raw_images images;
    tr_error err = {0};
    const char *path = in_folder("raw");
    const int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, offset + n * pixels), 0);
    for (uint32_t i = 0; i < n; i++) {
        const int64_t at = offset + (int64_t)i * pixels;
        cr_assert_eq(pwrite(fd, &i, sizeof i, at + pixels - 4), 4);
        cr_assert_eq(pwrite(fd, &i, sizeof i, at), 4);
    }
    close(fd);
    cr_assert_eq(tr_raw_images_open(&images, path, "x", &err), TR_OK, "%s", err.text);
    images.offset = offset;
    images.n = n;
    images.pixels = pixels;
    images.pixel = TR_PIXEL_U8;
    return images;
}

static void expect_images(const tr_raw_images *images, const void *x, const uint32_t *rows,
                          const uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *image = (const unsigned char *)x + (int64_t)rows[i] * images->pixels;
        cr_assert_eq(memcmp(image, &index[i], 4), 0, "image %u", index[i]);
        cr_assert_eq(memcmp(image + images->pixels - 4, &index[i], 4), 0, "image %u", index[i]);
    }
}

static void take(tr_feed *feed, const tr_raw_images *images, const uint32_t *index, int64_t n)
{
    const void *x;
    const uint32_t *rows;
    tr_error err = {0};
    cr_assert_eq(tr_feed_take(feed, index, n, &x, &rows, &err), TR_OK, "%s", err.text);
    expect_images(images, x, rows, index, n);
}

static void shuffle(uint32_t *index, int64_t n, uint32_t epoch)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j =
            (int64_t)tr_random_below((uint64_t)i + 1, 5, TR_PURPOSE_SHUFFLE, epoch, (uint64_t)i);
        const uint32_t moved = index[i];
        index[i] = index[j];
        index[j] = moved;
    }
}

/* Orders, batches and sizes; of the last a ring holds two batches, and neither does the order fit.
 */
Test(feed, gives_what_is_asked_for)
{
    static const struct {
        int64_t n, pixels, batch;
    } cases[] = {{1, 8, 1},       {7, 9, 3},      {100, 33, 100},
                 {100, 33, 1000}, {257, 784, 16}, {60, 1 << 20, 25}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int64_t n = cases[c].n, batch = cases[c].batch;
        tr_raw_images images = make_images(n, cases[c].pixels, 11);
        uint32_t *index = tr_alloc((size_t)n, sizeof *index);
        tr_feed *feed = tr_feed_new(&images);
        tr_error err = {0};
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            shuffle(index, epoch == 2 ? 1 : n, epoch); /* the rest then stands in order */
            cr_assert_eq(tr_feed_expect(feed, index, n, batch, &err), TR_OK, "%s", err.text);
            for (int64_t first = 0; first < n; first += batch)
                take(feed, &images, index + first, n - first < batch ? n - first : batch);
        }
        tr_feed_free(feed);
        tr_free(index);
        tr_raw_images_close(&images);
    }
    expect_no_leak();
}

/* Unlike what was expected; twice; in the middle of an order; after a rest. */
Test(feed, gives_what_was_not_expected)
{
    enum { N = 90 };
    tr_raw_images images = make_images(N, 21, 0);
    uint32_t index[N];
    const uint32_t other[] = {5, 5, 88, 0};
    tr_feed *feed = tr_feed_new(&images);
    tr_error err = {0};
    shuffle(index, N, 1);
    take(feed, &images, other, 4);
    cr_assert_eq(tr_feed_expect(feed, index, N, 10, &err), TR_OK);
    take(feed, &images, index, 10);
    take(feed, &images, index, 10);
    take(feed, &images, other, 3);
    take(feed, &images, index + 10, 10);
    cr_assert_eq(tr_feed_expect(feed, index, N, 10, &err), TR_OK);
    cr_assert_eq(tr_feed_expect(feed, index, N, 20, &err), TR_OK);
    take(feed, &images, index, 20);
    tr_feed_rest(feed);
    take(feed, &images, index, 20);
    take(feed, &images, index + 20, 20);
    tr_feed_free(feed);
    tr_raw_images_close(&images);
    expect_no_leak();
}

/* Once the ring is made, batches allocate nothing. */
Test(feed, steps_allocate_nothing)
{
    enum { N = 500 };
    tr_raw_images images = make_images(N, 30, 0);
    uint32_t index[N];
    tr_feed *feed = tr_feed_new(&images);
    tr_error err = {0};
    shuffle(index, N, 1);
    cr_assert_eq(tr_feed_expect(feed, index, N, 10, &err), TR_OK);
    const uint64_t before = tr_alloc_count();
    for (int64_t first = 0; first < N; first += 10)
        take(feed, &images, index + first, 10);
    cr_assert_eq(tr_feed_expect(feed, index, N, 10, &err), TR_OK);
    take(feed, &images, index, 10);
    cr_expect_eq(tr_alloc_count(), before);
    tr_feed_free(feed);
    tr_raw_images_close(&images);
}

/* ---- a file that changes ---- */

static void expect_failure(const char *said, void (*change)(void))
{
    enum { N = 64, PIXELS = 1 << 20 }; /* more than the ring has room for */
    tr_raw_images images = make_images(N, PIXELS, 0);
    uint32_t index[N];
    tr_feed *feed = tr_feed_new(&images);
    tr_error err = {0};
    const void *x;
    const uint32_t *rows;
    shuffle(index, N, 1);
    cr_assert_eq(tr_feed_expect(feed, index, N, 4, &err), TR_OK);
    take(feed, &images, index, 4);
    usleep(20000); /* else it might have the time stamp that it has */
    change();
    tr_status status = TR_OK;
    for (int b = 1; b < N / 4 && status == TR_OK; b++)
        status = tr_feed_take(feed, index + 4 * b, 4, &x, &rows, &err);
    cr_assert_eq(status, TR_ERR_DATA, "%s", said);
    expect_texts(&err, in_folder("raw"), said, NULL);
    cr_expect_eq(tr_feed_take(feed, index, 4, &x, &rows, &err), TR_ERR_DATA, "asked again");
    tr_feed_free(feed);
    tr_raw_images_close(&images);
}

static void truncate_it(void)
{
    cr_assert_eq(truncate(in_folder("raw"), 1000), 0);
}

static void replace_it(void)
{
    write_bytes(in_folder("new"), "x", 1);
    cr_assert_eq(rename(in_folder("new"), in_folder("raw")), 0);
}

static void remove_it(void)
{
    cr_assert_eq(unlink(in_folder("raw")), 0);
}

static void write_to_it(void)
{
    const int fd = open(in_folder("raw"), O_WRONLY);
    cr_assert_eq(pwrite(fd, "x", 1, 100), 1);
    close(fd);
}

Test(feed, tells_that_its_file_changed)
{
    expect_failure("was truncated", truncate_it);
    expect_failure("was replaced", replace_it);
    expect_failure("was removed", remove_it);
    expect_failure("was written to", write_to_it);
    expect_no_leak();
}

Test(feed, refuses_what_is_no_number)
{
    enum { N = 3, PIXELS = 5 };
    float values[N * PIXELS] = {0};
    tr_raw_images images;
    tr_error err = {0};
    const uint32_t index[] = {0, 2, 1};
    const void *x;
    const uint32_t *rows;
    values[PIXELS + 3] = INFINITY;
    write_bytes(in_folder("floats"), values, sizeof values);
    cr_assert_eq(tr_raw_images_open(&images, in_folder("floats"), "x_train", &err), TR_OK);
    images.n = N;
    images.pixels = PIXELS;
    images.pixel = TR_PIXEL_F32;
    tr_feed *feed = tr_feed_new(&images);
    cr_expect_eq(tr_feed_take(feed, index, 2, &x, &rows, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_feed_take(feed, index, 3, &x, &rows, &err), TR_ERR_DATA);
    expect_texts(&err, "x_train holds inf in sample 1, at its number 3", NULL);
    tr_feed_free(feed);
    tr_raw_images_close(&images);
    expect_no_leak();
}
