/* feed.c -- see feed.h.
 *
 * A disk that serves one request at a time is slow: where reading is seen to wait, the batches that
 * the ring has room for are announced to the kernel before the first of them is read, so that it
 * can fetch them all at once. In the page cache that would only cost time.
 */
#include "feed.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "mem.h"

enum { RING_BYTES = 32 << 20, MOST_SLOTS = 16, LEAST_SLOTS = 2 };

struct tr_feed {
    const tr_raw_images *images;

    /* The order that is expected, and the ring: changed only while the reader has nothing to do. */
    uint32_t *order, *rows;
    int64_t order_room, rows_room; /* samples */
    int64_t n, batch;
    unsigned char *ring;
    size_t ring_bytes, slot_bytes;
    int64_t n_slots;
    /* The reader's own. */
    bool waits;          /* reading does, in this order */
    int64_t n_announced; /* batches */

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Guarded by mutex. */
    int64_t n_batches, n_read, n_taken;
    bool reading, quit;
    tr_status status;
    tr_error err;
};

/* ---- the reader ---- */

static int64_t batch_size(const tr_feed *feed, int64_t b)
{
    const int64_t left = feed->n - b * feed->batch;
    return left < feed->batch ? left : feed->batch;
}

static unsigned char *slot_of(const tr_feed *feed, int64_t b)
{
    return feed->ring + (size_t)(b % feed->n_slots) * feed->slot_bytes;
}

/* The batch that was taken last is still in use. */
static int64_t end_of_ring(const tr_feed *feed)
{
    const int64_t first = feed->n_taken > 0 ? feed->n_taken - 1 : 0;
    return first + feed->n_slots < feed->n_batches ? first + feed->n_slots : feed->n_batches;
}

static bool has_work(const tr_feed *feed)
{
    return feed->status == TR_OK && feed->n_read < end_of_ring(feed);
}

static void announce(tr_feed *feed, int64_t b, int64_t end)
{
    if (feed->n_announced < b)
        feed->n_announced = b;
    for (; feed->waits && feed->n_announced < end; feed->n_announced++)
        tr_raw_images_announce(feed->images, feed->order + feed->n_announced * feed->batch,
                               batch_size(feed, feed->n_announced));
}

/* How often this thread has slept of its own accord: reading from the page cache never does. */
static long times_slept(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static tr_status read_batch(tr_feed *feed, int64_t b, int64_t end, tr_error *err)
{
    const long before = times_slept();
    announce(feed, b, end);
    TR_TRY(tr_raw_images_read(feed->images, slot_of(feed, b), feed->order + b * feed->batch,
                              batch_size(feed, b), err));
    feed->waits = feed->waits || times_slept() > before;
    return TR_OK;
}

static void *serve(void *user)
{
    tr_feed *feed = user;
    pthread_mutex_lock(&feed->mutex);
    while (!feed->quit) {
        if (!has_work(feed)) {
            pthread_cond_wait(&feed->changed, &feed->mutex);
            continue;
        }
        const int64_t b = feed->n_read, end = end_of_ring(feed);
        feed->reading = true;
        pthread_mutex_unlock(&feed->mutex);
        tr_error err;
        const tr_status status = read_batch(feed, b, end, &err);
        pthread_mutex_lock(&feed->mutex);
        feed->reading = false;
        feed->status = status;
        if (status == TR_OK)
            feed->n_read++;
        else
            feed->err = err;
        pthread_cond_broadcast(&feed->changed);
    }
    pthread_mutex_unlock(&feed->mutex);
    return NULL;
}

/* No handler of a signal runs there. */
static tr_status start_thread(tr_feed *feed, tr_error *err)
{
    sigset_t all, before;
    if (feed->has_thread)
        return TR_OK;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    feed->has_thread = pthread_create(&feed->thread, NULL, serve, feed) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return feed->has_thread ? TR_OK
                            : tr_fail(err, TR_ERR_INTERNAL,
                                      "%s: the thread that reads it cannot "
                                      "start",
                                      feed->images->path);
}

/* ---- life ---- */

tr_feed *tr_feed_new(const tr_raw_images *images)
{
    tr_feed *feed = tr_alloc(1, sizeof *feed);
    if (feed == NULL)
        return NULL;
    feed->images = images;
    pthread_mutex_init(&feed->mutex, NULL);
    pthread_cond_init(&feed->changed, NULL);
    return feed;
}

void tr_feed_rest(tr_feed *feed)
{
    if (feed->has_thread) {
        pthread_mutex_lock(&feed->mutex);
        feed->quit = true;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->mutex);
        pthread_join(feed->thread, NULL);
    }
    feed->has_thread = feed->quit = false;
    feed->n_batches = feed->n_read = feed->n_taken = 0;
    tr_free(feed->order);
    tr_free(feed->rows);
    tr_free(feed->ring);
    feed->order = feed->rows = NULL;
    feed->order_room = feed->rows_room = 0;
    feed->ring = NULL;
    feed->ring_bytes = 0;
}

void tr_feed_free(tr_feed *feed)
{
    if (feed == NULL)
        return;
    tr_feed_rest(feed);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->mutex);
    tr_free(feed);
}

/* ---- what comes next ---- */

static size_t slot_bytes_for(size_t image_bytes, int64_t n, int64_t batch)
{
    const size_t bytes = (size_t)(n < batch ? n : batch) * image_bytes;
    return (bytes + TR_ALIGN - 1) / TR_ALIGN * TR_ALIGN;
}

static int64_t slots_for(size_t slot_bytes, int64_t n_batches)
{
    const int64_t most = n_batches < MOST_SLOTS ? n_batches : MOST_SLOTS;
    const int64_t fit = RING_BYTES / (int64_t)slot_bytes;
    const int64_t n = fit < LEAST_SLOTS ? LEAST_SLOTS : fit;
    return n < most ? n : most;
}

size_t tr_feed_ring_bytes(size_t image_bytes, int64_t n, int64_t batch)
{
    if (n == 0)
        return 0;
    const size_t slot = slot_bytes_for(image_bytes, n, batch);
    return slot * (size_t)slots_for(slot, (n + batch - 1) / batch);
}

/* Makes room for `n` items where there is less. */
static bool make_room(void **block, size_t *room, size_t n, size_t item_bytes)
{
    if (*room >= n)
        return true;
    tr_free(*block);
    *block = tr_alloc(n, item_bytes);
    *room = *block == NULL ? 0 : n;
    return *block != NULL;
}

static bool make_rooms(tr_feed *feed, int64_t n, int64_t batch)
{
    size_t order_room = (size_t)feed->order_room, rows_room = (size_t)feed->rows_room;
    const int64_t old_rows = feed->rows_room;
    void *order = feed->order, *rows = feed->rows, *ring = feed->ring;
    const size_t ring_bytes = tr_feed_ring_bytes(tr_raw_image_bytes(feed->images), n, batch);
    const bool made =
        make_room(&order, &order_room, (size_t)n, sizeof *feed->order) &&
        make_room(&rows, &rows_room, (size_t)(n < batch ? n : batch), sizeof *feed->rows) &&
        make_room(&ring, &feed->ring_bytes, ring_bytes, 1);
    feed->order = order;
    feed->order_room = (int64_t)order_room;
    feed->rows = rows;
    feed->rows_room = (int64_t)rows_room;
    feed->ring = ring;
    for (int64_t i = 0; feed->rows_room != old_rows && i < feed->rows_room; i++)
        feed->rows[i] = (uint32_t)i;
    return made;
}

/* Under the mutex; afterwards the reader has nothing to do. */
static void stop_reading(tr_feed *feed)
{
    feed->n_batches = 0;
    while (feed->reading)
        pthread_cond_wait(&feed->changed, &feed->mutex);
    feed->n_read = feed->n_taken = 0;
    feed->n_announced = 0;
    feed->waits = false;
    feed->status = TR_OK;
}

tr_status tr_feed_expect(tr_feed *feed, const uint32_t *index, int64_t n, int64_t batch,
                         tr_error *err)
{
    if (n < 1)
        return TR_OK;
    TR_TRY(start_thread(feed, err));
    pthread_mutex_lock(&feed->mutex);
    stop_reading(feed);
    const bool made = make_rooms(feed, n, batch);
    if (made) {
        memcpy(feed->order, index, (size_t)n * sizeof *index);
        feed->n = n;
        feed->batch = batch;
        feed->slot_bytes = slot_bytes_for(tr_raw_image_bytes(feed->images), n, batch);
        feed->n_slots = slots_for(feed->slot_bytes, (n + batch - 1) / batch);
        feed->n_batches = (n + batch - 1) / batch;
        pthread_cond_broadcast(&feed->changed);
    }
    pthread_mutex_unlock(&feed->mutex);
    return made ? TR_OK : tr_out_of_memory(err, feed->images->path);
}

static bool is_next(const tr_feed *feed, const uint32_t *index, int64_t n)
{
    const int64_t b = feed->n_taken;
    return b < feed->n_batches && n == batch_size(feed, b) &&
           memcmp(index, feed->order + b * feed->batch, (size_t)n * sizeof *index) == 0;
}

tr_status tr_feed_take(tr_feed *feed, const uint32_t *index, int64_t n, const void **x,
                       const uint32_t **rows, tr_error *err)
{
    if (!is_next(feed, index, n)) /* n_batches and n_taken are changed by this thread alone */
        TR_TRY(tr_feed_expect(feed, index, n, n, err));
    pthread_mutex_lock(&feed->mutex);
    const int64_t b = feed->n_taken++;
    pthread_cond_broadcast(&feed->changed); /* the batch before is free */
    while (feed->n_read <= b && feed->status == TR_OK)
        pthread_cond_wait(&feed->changed, &feed->mutex);
    const tr_status status = feed->n_read > b ? TR_OK : feed->status;
    if (status != TR_OK)
        feed->n_batches = 0; /* asked for again, it is read again */
    pthread_mutex_unlock(&feed->mutex);
    *x = slot_of(feed, b);
    *rows = feed->rows;
    return status == TR_OK ? TR_OK : tr_fail(err, status, "%s", feed->err.text);
}
