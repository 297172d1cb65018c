/* samples.c -- see samples.h. */
#include "samples.h"

#include <math.h>

#include "mem.h"
#include "simd.h"

enum { SLAB_BYTES = 4 << 20 };

void tr_streamed_free(tr_streamed *streamed)
{
    if (streamed == NULL)
        return;
    tr_feed_free(streamed->feed);
    tr_raw_images_close(&streamed->images);
    tr_free(streamed);
}

/* ---- batches ---- */

tr_status tr_samples_expect(const tr_samples *samples, const uint32_t *index, int64_t n,
                            int64_t batch, tr_error *err)
{
    if (samples->streamed == NULL)
        return TR_OK;
    return tr_feed_expect(samples->streamed->feed, index, n, batch, err);
}

tr_status tr_samples_take(const tr_samples *samples, const uint32_t *index, int64_t n,
                          tr_samples *images, const uint32_t **rows, tr_error *err)
{
    *images = *samples;
    *rows = index;
    if (samples->streamed == NULL)
        return TR_OK;
    images->streamed = NULL;
    return tr_feed_take(samples->streamed->feed, index, n, &images->x, rows, err);
}

void tr_samples_rest(const tr_samples *samples)
{
    if (samples->streamed != NULL)
        tr_feed_rest(samples->streamed->feed);
}

/* ---- all of them ---- */

typedef struct image_range {
    int64_t pixels; /* of an image */
    tr_pixel pixel;
    float low, high;
} image_range;

TR_SIMD_CLONES
static void range_of_bytes(const uint8_t *x, int64_t n, uint8_t *low, uint8_t *high)
{
    uint8_t least = 255, most = 0;
    for (int64_t i = 0; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    *low = least;
    *high = most;
}

static void add_range(void *user, const void *x, int64_t n)
{
    image_range *range = user;
    if (range->pixel == TR_PIXEL_U8) {
        uint8_t low, high;
        range_of_bytes(x, n * range->pixels, &low, &high);
        range->low = fminf(range->low, (float)low);
        range->high = fmaxf(range->high, (float)high);
        return;
    }
    const float *values = x;
    for (int64_t i = 0; i < n * range->pixels; i++) {
        range->low = values[i] < range->low ? values[i] : range->low;
        range->high = values[i] > range->high ? values[i] : range->high;
    }
}

static image_range no_range(const tr_samples *samples)
{
    return (image_range){samples->h * samples->w * samples->c, samples->pixel, INFINITY, -INFINITY};
}

/* The first time, notes their range on the way: the file may be too large to be read twice. */
static tr_status visit_streamed(const tr_samples *samples, tr_images_visitor *visit, void *user,
                                tr_error *err)
{
    tr_streamed *streamed = samples->streamed;
    const int64_t bytes = (int64_t)tr_raw_image_bytes(&streamed->images);
    const int64_t most = SLAB_BYTES / bytes > 0 ? SLAB_BYTES / bytes : 1;
    image_range range = no_range(samples);
    void *slab = tr_alloc((size_t)(most < samples->n ? most : samples->n), (size_t)bytes);
    tr_status status = slab == NULL ? tr_out_of_memory(err, streamed->images.path) : TR_OK;
    for (int64_t first = 0; first < samples->n && status == TR_OK; first += most) {
        const int64_t left = samples->n - first, n = left < most ? left : most;
        status = tr_raw_images_read_range(&streamed->images, slab, first, n, err);
        if (status != TR_OK)
            break;
        if (!streamed->has_range)
            add_range(&range, slab, n);
        visit(user, slab, n);
    }
    tr_free(slab);
    if (status == TR_OK && !streamed->has_range) {
        streamed->low = range.low;
        streamed->high = range.high;
        streamed->has_range = true;
    }
    return status;
}

tr_status tr_samples_visit(const tr_samples *samples, tr_images_visitor *visit, void *user,
                           tr_error *err)
{
    if (samples->streamed != NULL)
        return visit_streamed(samples, visit, user, err);
    if (samples->n > 0)
        visit(user, samples->x, samples->n);
    return TR_OK;
}

static void ignore(void *user, const void *x, int64_t n)
{
    (void)user, (void)x, (void)n;
}

tr_status tr_samples_range(const tr_samples *samples, float *low, float *high, tr_error *err)
{
    image_range range = no_range(samples);
    tr_streamed *streamed = samples->streamed;
    if (streamed == NULL) {
        TR_TRY(tr_samples_visit(samples, add_range, &range, err));
    } else {
        if (!streamed->has_range)
            TR_TRY(visit_streamed(samples, ignore, NULL, err));
        range.low = streamed->low;
        range.high = streamed->high;
    }
    *low = range.low;
    *high = range.high;
    return TR_OK;
}
