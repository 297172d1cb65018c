/* children.c -- see children.h.
 *
 * Item i belongs to child i % n_children, whose results lie in a ring of slots of its own. A child
 * waits until one is free (`room`), works, and marks it done; the parent waits for the slot of the
 * next item. So no list is shared, nobody holds a lock while it dies, and whose fault a death is
 * follows from the order alone: the first item of that child that is not done. All that is shared a
 * child may overwrite at any time: what it says is copied before it is looked at, and to wait for a
 * number to change is a hint to look again, no more (a semaphore of the C library that holds
 * nonsense would end the parent).
 */
#include "children.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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
    atomic_uint done; /* items so far; overflows */
    atomic_uint unconfined;
    atomic_uint room[]; /* [n_children] free slots */
} meeting;

struct tr_children {
    tr_children_work work;
    meeting *meeting;
    unsigned char *slots;
    size_t slot_bytes;
    int64_t n_slots; /* of each child */
    pid_t *pids;     /* 0: not running, or waited for */
    int *ends;       /* then: how it ended */
    int64_t next;
    bool holds; /* the slot of item next - 1 is still the caller's */
};

static slot *slot_of(const tr_children *self, int64_t item)
{
    const int64_t n = self->work.n_children, turn = item / n % self->n_slots;
    return (slot *)(void *)(self->slots +
                            (size_t)(item % n * self->n_slots + turn) * self->slot_bytes);
}

/* ---- waiting ---- */

/* Until *number is not `seen` any more, for a slice of time at most, or less. */
static void wait_for_change(atomic_uint *number, unsigned seen)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000L};
    (void)syscall(SYS_futex, number, FUTEX_WAIT, seen, &slice, NULL, 0);
}

static void add_one(atomic_uint *number)
{
    atomic_fetch_add(number, 1);
    (void)syscall(SYS_futex, number, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

/* What the parent has open, a file that it writes among them, is none of its business. */
static void close_all(void)
{
    enum { FIRST = STDERR_FILENO + 1 };
    if (syscall(SYS_close_range, FIRST, UINT_MAX, 0) == 0)
        return;
    for (long fd = FIRST, n = sysconf(_SC_OPEN_MAX); fd < n; fd++) /* before Linux 5.9 */
        close((int)fd);
}

_Noreturn static void be_child(tr_children *self, int64_t first, pid_t parent)
{
    const tr_children_work *work = &self->work;
    atomic_uint *room = &self->meeting->room[first % work->n_children];
    close_all();
    if (!tr_become_child(parent, work->seconds, work->reach))
        atomic_store(&self->meeting->unconfined, 1);
    for (int64_t item = first; item < work->n; item += work->n_children) {
        while (atomic_load(room) == 0)
            wait_for_change(room, 0);
        atomic_fetch_sub(room, 1);
        slot *to = slot_of(self, item);
        allow_seconds(work->seconds);
        tr_alloc_bound_again();
        memset(to->result, 0, work->result_bytes);
        to->status = work->work(work->user, item, to->result, &to->err);
        atomic_store(&to->done, 1);
        add_one(&self->meeting->done);
    }
    _exit(0);
}

/* ---- the parent ---- */

/* All slots are free, whatever a child before it said of them. */
static tr_status start_child(tr_children *self, int64_t first, tr_error *err)
{
    const int k = (int)(first % self->work.n_children);
    for (int64_t i = 0; i < self->n_slots; i++)
        atomic_store(&slot_of(self, first + i * self->work.n_children)->done, 0);
    atomic_store(&self->meeting->room[k], (unsigned)self->n_slots);
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
    self->meeting = tr_shared_alloc(1, sizeof *self->meeting + n * sizeof(atomic_uint));
    self->slots = tr_shared_alloc(n * (size_t)self->n_slots, self->slot_bytes);
    self->pids = tr_alloc(n, sizeof *self->pids);
    self->ends = tr_alloc(n, sizeof *self->ends);
    if (self->meeting == NULL || self->slots == NULL || self->pids == NULL || self->ends == NULL)
        return tr_out_of_memory(err, self->work.reach);
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
    tr_free(self->ends);
    tr_free(self);
}

/* The child of that item ended before it was done, or had to be ended. */
static tr_status bury(tr_children *self, int64_t item, bool late, tr_error *err)
{
    const tr_children_work *work = &self->work;
    char *name = work->name(work->user, item);
    if (name == NULL)
        return tr_out_of_memory(err, NULL);
    const int end = self->ends[item % work->n_children];
    tr_status status = late ? tr_fail(err, TR_ERR_DATA, "%s: reading it came to no end within %d s",
                                      name, work->seconds * WAITING)
                            : tr_child_died(name, end, work->seconds, err);
    tr_free(name);
    if (status == TR_ERR_DATA && item + work->n_children < work->n) {
        tr_error second;
        const tr_status started = start_child(self, item + work->n_children, &second);
        if (started != TR_OK)
            status = tr_fail(err, started, "%s", second.text);
    }
    return status;
}

/* Looks whether child k has ended, or ends it. Its number is another process's then. */
static void look_after(tr_children *self, int k, bool end_it)
{
    int end = 0;
    pid_t ended;
    if (end_it)
        kill(self->pids[k], SIGKILL);
    do
        ended = waitpid(self->pids[k], &end, end_it ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0)
        return;
    self->pids[k] = 0;
    self->ends[k] = ended > 0 ? end : 0; /* somebody else may have waited for it */
}

/* Until the item is done, or its child is no more; that may have ended behind it. */
static tr_status wait_for(tr_children *self, int64_t item, const slot *at, tr_error *err)
{
    const int k = (int)(item % self->work.n_children);
    const int64_t end = now_ms() + (int64_t)self->work.seconds * WAITING * 1000;
    for (;;) {
        const unsigned seen = atomic_load(&self->meeting->done);
        if (atomic_load(&at->done) != 0)
            return TR_OK;
        if (self->pids[k] == 0)
            return bury(self, item, false, err);
        wait_for_change(&self->meeting->done, seen);
        if (atomic_load(&at->done) != 0)
            return TR_OK;
        const bool late = now_ms() >= end;
        look_after(self, k, late);
        if (late)
            return bury(self, item, true, err);
    }
}

/* A copy: the child may still write there. */
static tr_status repeat(tr_status status, const slot *at, tr_error *err)
{
    tr_error said = at->err;
    tr_child_make_plain(said.text, sizeof said.text);
    return tr_fail(err, status, "%s", said.text);
}

tr_status tr_children_next(tr_children *self, const void **result, tr_error *err)
{
    if (self->holds) {
        atomic_store(&slot_of(self, self->next - 1)->done, 0);
        add_one(&self->meeting->room[(self->next - 1) % self->work.n_children]);
        self->holds = false;
    }
    const int64_t item = self->next++;
    slot *at = slot_of(self, item);
    TR_TRY(wait_for(self, item, at, err));
    self->holds = true;
    if (atomic_load(&self->meeting->unconfined) != 0)
        tr_child_was_unconfined();
    const tr_status status = tr_child_status(at->status);
    *result = at->result;
    return status == TR_OK ? TR_OK : repeat(status, at, err);
}
