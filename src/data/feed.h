/* feed.h -- batches of images that stay in their file: a reader thread fills a ring with those that
 * come next.
 *
 * Who trains or evaluates tells the order first (expect) and then takes batch after batch in it.
 * What is taken depends on the file and on the samples asked for alone, never on the thread, so the
 * bits are those of images in memory. A batch that was not expected is read when it is asked for.
 * Memory: the ring, and the order. Steps allocate nothing. For one thread at a time.
 */
#ifndef TR_FEED_H
#define TR_FEED_H

#include "raw_images.h"

typedef struct tr_feed tr_feed;

/* `images` outlive it. NULL: out of memory. */
tr_feed *tr_feed_new(const tr_raw_images *images);
void tr_feed_free(tr_feed *feed);

/* From now on samples[index[0 .. n-1]] will be taken, `batch` at a time; index is copied. */
tr_status tr_feed_expect(tr_feed *feed, const uint32_t *index, int64_t n, int64_t batch,
                         tr_error *err);

/* The images index[0 .. n-1] are *x[0 .. n-1] until the next call for the feed. rows[i] is i. */
tr_status tr_feed_take(tr_feed *feed, const uint32_t *index, int64_t n, const void **x,
                       const uint32_t **rows, tr_error *err);

/* Ends the thread and gives the memory back, until there is something to expect again. */
void tr_feed_rest(tr_feed *feed);

/* Bytes that the ring takes for batches of that size. */
size_t tr_feed_ring_bytes(size_t image_bytes, int64_t n, int64_t batch);

#endif
