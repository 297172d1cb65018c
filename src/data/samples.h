/* samples.h -- how samples are reached, whether their images are in memory or in a file.
 *
 * Whoever goes through many says in which order first; whoever needs a batch takes it. Of images in
 * memory the first does nothing and the second gives what is there.
 */
#ifndef TR_SAMPLES_H
#define TR_SAMPLES_H

#include "feed.h"

/* Images that are read when they are wanted: tr_samples.streamed. */
typedef struct tr_streamed {
    tr_raw_images images;
    tr_feed *feed;
    bool has_range; /* all were looked at */
    float low, high;
} tr_streamed;

void tr_streamed_free(tr_streamed *streamed); /* NULL is fine */

/* From now on samples[index[0 .. n-1]] will be taken, `batch` at a time. */
tr_status tr_samples_expect(const tr_samples *samples, const uint32_t *index, int64_t n,
                            int64_t batch, tr_error *err);

/* Image index[i] is images->x[(*rows)[i]], i < n, until the next call for these samples. */
tr_status tr_samples_take(const tr_samples *samples, const uint32_t *index, int64_t n,
                          tr_samples *images, const uint32_t **rows, tr_error *err);

/* Nothing will be taken for a while. */
void tr_samples_rest(const tr_samples *samples);

/* Calls visit(user, x, n) for all images in order, n of them at a time. */
typedef void tr_images_visitor(void *user, const void *x, int64_t n);
tr_status tr_samples_visit(const tr_samples *samples, tr_images_visitor *visit, void *user,
                           tr_error *err);

/* The smallest and the largest number in the images. */
tr_status tr_samples_range(const tr_samples *samples, float *low, float *high, tr_error *err);

#endif
