/* children.c -- see children.h.
 *
 * Item i belongs to child i % n_children, whose results lie in a ring of slots of its own. A child
 * waits until one is free (semaphore `room`), works, and marks it done; the parent waits for the
 * slot of the next item. So no list is shared, nobody holds a lock while it dies, and whose fault a
 * death is follows from the order alone: the first item of that child that is not done. Semaphores
 * are a hint to look at the slots: one that a child overwrote costs time, no more.
 */
#include "children.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child_internal.h"
#include "mem.h"

enum { MOST_SLOTS = 32, LEAST_SLOTS = 2, ALL_BYTES = 1 << 25, WAITING = 10, SLICE_MS = 100 };

typedef struct slot {
    atomic_int done;
    tr_status status;
    tr_error err;
    _Alignas(TR_ALIGN) unsigned char result[];
} slot;

/* Shared with the children. */
typedef struct meeting {
    sem_t done; /* posted for each item */
    atomic_bool unconfined;
    sem_t room[]; /* [n_children] */
} meeting;

struct tr_children {
    tr_children_work work;
    meeting *meeting;
    unsigned char *slots;
    size_t slot_bytes;
    int64_t n_slots; /* of each child */
    pid_t *pids;     /* 0: not running */
    int64_t next;
    bool holds; /* the slot of item next - 1 is still the caller's */
};

static slot *slot_of(const tr_children *self, int64_t item)
{
    const int64_t n = self->work.n_children, turn = item / n % self->n_slots;
    return (slot *)(void *)(self->slots +
                            (size_t)(item % n * self->n_slots + turn) * self->slot_bytes);
}

/* ---- a child ---- */

/* The limit counts from the child's birth. */
static void allow_seconds(int seconds)
{
    struct timespec used;
    struct rlimit limit;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0 || getrlimit(RLIMIT_CPU, &limit) != 0)
        return;
    limit.rlim_cur = (rlim_t)used.tv_sec + (rlim_t)seconds + 1;
    if (limit.rlim_cur <= limit.rlim_max)
        setrlimit(RLIMIT_CPU, &limit);
}

_Noreturn static void be_child(tr_children *self, int64_t first, pid_t parent)
{
    const tr_children_work *work = &self->work;
    if (!tr_become_child(parent, work->seconds, work->reach))
        self->meeting->unconfined = true;
    for (int64_t item = first; item < work->n; item += work->n_children) {
        while (sem_wait(&self->meeting->room[item % work->n_children]) != 0)
            if (errno != EINTR)
                _exit(1);
        slot *to = slot_of(self, item);
        allow_seconds(work->seconds);
        tr_alloc_bound_again();
        memset(to->result, 0, work->result_bytes);
        to->status = work->work(work->user, item, to->result, &to->err);
        atomic_store(&to->done, 1);
        sem_post(&self->meeting->done);
    }
    _exit(0);
}

/* ---- the parent ---- */

static tr_status start_child(tr_children *self, int64_t first, tr_error *err)
{
    const int k = (int)(first % self->work.n_children);
    if (sem_init(&self->meeting->room[k], 1, (unsigned)self->n_slots) != 0)
        return tr_fail(err, TR_ERR_INTERNAL, "no semaphore can be made: %s", strerror(errno));
    const pid_t parent = getpid(), child = fork();
    if (child == 0)
        be_child(self, first, parent);
    if (child < 0)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: a process to read it in cannot be started: %s",
                       self->work.reach, strerror(errno));
    self->pids[k] = child;
    return TR_OK;
}

static tr_status start_all(tr_children *self, tr_error *err)
{
    const size_t n = (size_t)self->work.n_children;
    const size_t row = sizeof(slot) + self->work.result_bytes;
    self->slot_bytes = (row + TR_ALIGN - 1) / TR_ALIGN * TR_ALIGN;
    const int64_t fit = (int64_t)(ALL_BYTES / (n * self->slot_bytes));
    self->n_slots = fit > MOST_SLOTS ? MOST_SLOTS : fit < LEAST_SLOTS ? LEAST_SLOTS : fit;
    self->meeting = tr_shared_alloc(1, sizeof *self->meeting + n * sizeof(sem_t));
    self->slots = tr_shared_alloc(n * (size_t)self->n_slots, self->slot_bytes);
    self->pids = tr_alloc(n, sizeof *self->pids);
    if (self->meeting == NULL || self->slots == NULL || self->pids == NULL)
        return tr_out_of_memory(err, self->work.reach);
    if (sem_init(&self->meeting->done, 1, 0) != 0)
        return tr_fail(err, TR_ERR_INTERNAL, "no semaphore can be made: %s", strerror(errno));
    for (int64_t k = 0; k < self->work.n_children; k++)
        TR_TRY(start_child(self, k, err));
    return TR_OK;
}

tr_status tr_children_start(tr_children **out, const tr_children_work *work, tr_error *err)
{
    tr_children *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return tr_out_of_memory(err, work->reach);
    self->work = *work;
    if (self->work.n_children > work->n)
        self->work.n_children = (int)work->n;
    if (self->work.n_children < 1)
        self->work.n_children = 1;
    const tr_status status = start_all(self, err);
    if (status == TR_OK)
        *out = self;
    else
        tr_children_end(self);
    return status;
}

void tr_children_end(tr_children *self)
{
    if (self == NULL)
        return;
    for (int k = 0; self->pids != NULL && k < self->work.n_children; k++)
        if (self->pids[k] > 0) {
            kill(self->pids[k], SIGKILL);
            while (waitpid(self->pids[k], NULL, 0) < 0 && errno == EINTR)
                continue;
        }
    tr_shared_free(self->meeting);
    tr_shared_free(self->slots);
    tr_free(self->pids);
    tr_free(self);
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_a_slice(sem_t *done)
{
    const int64_t until = now_ms(CLOCK_REALTIME) + SLICE_MS;
    const struct timespec end = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
    while (sem_timedwait(done, &end) != 0 && errno == EINTR)
        continue;
}

/* The child of that item ended before it was done. */
static tr_status bury(tr_children *self, int64_t item, int wait_status, bool late, tr_error *err)
{
    const tr_children_work *work = &self->work;
    char *name = work->name(work->user, item);
    if (name == NULL)
        return tr_out_of_memory(err, NULL);
    self->pids[item % work->n_children] = 0;
    tr_status status = late ? tr_fail(err, TR_ERR_DATA, "%s: reading it came to no end within %d s",
                                      name, work->seconds * WAITING)
                            : tr_child_died(name, wait_status, work->seconds, err);
    tr_free(name);
    if (status == TR_ERR_DATA && item + work->n_children < work->n) {
        tr_error second;
        const tr_status started = start_child(self, item + work->n_children, &second);
        if (started != TR_OK)
            status = tr_fail(err, started, "%s", second.text);
    }
    return status;
}

/* Until the item is done, or its child is no more. */
static tr_status wait_for(tr_children *self, int64_t item, slot *at, tr_error *err)
{
    const pid_t child = self->pids[item % self->work.n_children];
    const int64_t end = now_ms(CLOCK_MONOTONIC) + (int64_t)self->work.seconds * WAITING * 1000;
    while (atomic_load(&at->done) == 0) {
        int wait_status = 0;
        wait_a_slice(&self->meeting->done);
        if (atomic_load(&at->done) != 0)
            break;
        const bool late = now_ms(CLOCK_MONOTONIC) >= end;
        if (late)
            kill(child, SIGKILL);
        const pid_t ended = waitpid(child, &wait_status, late ? 0 : WNOHANG);
        if (ended != 0 && !(ended < 0 && errno == EINTR) && atomic_load(&at->done) == 0)
            return bury(self, item, wait_status, late, err);
    }
    return TR_OK;
}

tr_status tr_children_next(tr_children *self, const void **result, tr_error *err)
{
    if (self->holds) {
        atomic_store(&slot_of(self, self->next - 1)->done, 0);
        sem_post(&self->meeting->room[(self->next - 1) % self->work.n_children]);
        self->holds = false;
    }
    const int64_t item = self->next++;
    slot *at = slot_of(self, item);
    TR_TRY(wait_for(self, item, at, err));
    self->holds = true;
    if (self->meeting->unconfined)
        tr_child_was_unconfined();
    const tr_status status = tr_child_status(at->status);
    *result = at->result;
    tr_child_make_plain(at->err.text, sizeof at->err.text);
    return status == TR_OK ? TR_OK : tr_fail(err, status, "%s", at->err.text);
}
