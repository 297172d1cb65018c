/* child.c -- a child process that may crash; see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child_internal.h"
#include "confine.h"
#include "mem.h"

/* Computing time of a reader, to end endless loops: enough to inflate every byte of the file a
 * thousandfold, the most that gzip can do, and at most what fills any machine's memory. */
enum { LEAST_SECONDS = 3, BYTES_PER_SECOND = 100000, MOST_SECONDS = 600 };

/* By the clock ten times that, and half a minute: a slow disk and a busy machine are no fault of
 * the file, but what waits for something that never comes must end. */
enum { WAITING = 10, LEAST_WAITING = 30, SLICE_MS = 1000 };

/* What libraries may take for themselves beside what tr_alloc() gives, and open at once. */
static const size_t slack_bytes = (size_t)1 << 29;
enum { MOST_OPEN = 256 };

static atomic_int test_milliseconds;
static atomic_bool unconfined;

/* What the child tells, in shared memory. */
typedef struct child_report {
    bool finished, unconfined;
    tr_status status;
    tr_error err;
} child_report;

/* ---- the child ---- */

int tr_child_seconds(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || info.st_size / BYTES_PER_SECOND >= MOST_SECONDS - LEAST_SECONDS)
        return MOST_SECONDS;
    return LEAST_SECONDS + (int)(info.st_size / BYTES_PER_SECOND);
}

/* Whether we are asked to end is the parent's business: what it blocks or ignores stays so, and its
 * end is ours. */
void tr_default_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,
                                  SIGABRT, SIGTRAP, SIGXCPU, SIGPIPE};
    static const int requests[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        signal(crashes[i], SIG_DFL);
        sigaddset(&set, crashes[i]);
    }
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct sigaction action;
        if (sigaction(requests[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            signal(requests[i], SIG_DFL);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void lower_limit(int resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur > most) {
        limit.rlim_cur = most;
        setrlimit(resource, &limit);
    }
}

/* "*** stack smashing detected ***" and reports of sanitizers are not for the user. */
static void silence(void)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
}

/* When memory runs out under a file that inflates without end, the kernel shall kill the reader of
 * that file first. A kernel that has no such wish list is no reason to fail. */
static void offer_to_die_first(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1000", 4) != 4)
        errno = 0;
    close(fd);
}

bool tr_become_child(pid_t parent, int seconds, const char *reach)
{
    tr_default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(1);
    lower_limit(RLIMIT_CORE, 0);
    lower_limit(RLIMIT_CPU, (rlim_t)seconds);
    lower_limit(RLIMIT_FSIZE, 0);
    lower_limit(RLIMIT_NOFILE, MOST_OPEN);
    silence();
    offer_to_die_first();
    tr_alloc_bound_others(slack_bytes);
    return tr_confine(reach);
}

_Noreturn static void be_child(tr_status (*work)(void *job, tr_error *err), void *job,
                               child_report *report, pid_t parent, int seconds,
                               const char *only_file)
{
    report->unconfined = !tr_become_child(parent, seconds, only_file);
    report->status = work(job, &report->err);
    report->finished = true;
    _exit(0); /* flushes nothing: our buffers and HDF5's open files are the parent's */
}

/* ---- the parent ---- */

tr_status tr_child_died(const char *path, int wait_status, int seconds, tr_error *err)
{
    if (!WIFSIGNALED(wait_status)) /* a sanitizer exits */
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the library that read it crashed (exit code %d): the file is damaged",
                       path, WEXITSTATUS(wait_status));
    const int number = WTERMSIG(wait_status);
    switch (number) {
    case SIGINT:
        return tr_fail(err, TR_INTERRUPTED, "%s: interrupted while reading it", path);
    case SIGTERM:
        return tr_fail(err, TR_TERMINATED, "%s: terminated while reading it", path);
    case SIGHUP:
        return tr_fail(err, TR_HUNG_UP, "%s: hung up while reading it", path);
    case SIGKILL:
        return tr_fail(err, TR_ERR_INTERNAL,
                       "%s: the process that read it was killed; was the machine out of memory?",
                       path);
    case SIGXCPU:
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the library that read it came to no end within %d s of computing: the "
                       "file is damaged",
                       path, seconds);
    default:
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the library that read it crashed (signal %d): the file is damaged",
                       path, number);
    }
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The way a child ended; 0 when the embedding program leaves its children to the kernel. `alive`
 * ends when the last process that holds its other end does, which a second child that was started
 * beside this one may be: hence the slices. *late: it was ended for taking too long. */
static int wait_for(pid_t child, int alive, int64_t most_ms, bool *late)
{
    const int64_t end = now_ms() + most_ms;
    int wait_status = 0;
    *late = false;
    for (;;) {
        const int64_t left = *late ? SLICE_MS : end - now_ms();
        struct pollfd other = {.fd = alive, .events = POLLIN};
        const int ready = left <= 0 ? 0 : poll(&other, 1, left < SLICE_MS ? (int)left : SLICE_MS);
        const pid_t ended = waitpid(child, &wait_status, ready > 0 ? 0 : WNOHANG);
        if (ended == child)
            return wait_status;
        if (ended < 0 && errno != EINTR)
            return 0;
        if (ended == 0 && !*late && now_ms() >= end) {
            *late = true;
            kill(child, SIGKILL);
        }
    }
}

tr_status tr_child_status(tr_status status)
{
    switch (status) {
    case TR_OK:
    case TR_ERR_CONFIG:
    case TR_ERR_DATA:
    case TR_ERR_NUMERIC:
    case TR_ERR_IO:
    case TR_HUNG_UP:
    case TR_INTERRUPTED:
    case TR_TERMINATED:
        return status;
    default:
        return TR_ERR_INTERNAL;
    }
}

void tr_child_make_plain(char *text, size_t n)
{
    text[n - 1] = '\0';
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\n') || *text == 127)
            *text = '?';
        else if ((unsigned char)*text == 0xc2 && (unsigned char)text[1] < 0xa0 && text[1] != '\0')
            text[0] = text[1] = '?'; /* U+0080 to U+009F */
}

void tr_child_was_unconfined(void)
{
    unconfined = true;
}

bool tr_children_are_confined(void)
{
    return !unconfined;
}

void tr_child_wait_at_most(int milliseconds)
{
    test_milliseconds = milliseconds;
}

tr_status tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job, const char *path,
                      tr_error *err)
{
    return tr_in_child_reaching(path, work, job, path, err);
}

tr_status tr_in_child_reaching(const char *only_file, tr_status (*work)(void *job, tr_error *err),
                               void *job, const char *path, tr_error *err)
{
    child_report *report = tr_shared_alloc(1, sizeof *report);
    int ends[2];
    if (report == NULL)
        return tr_out_of_memory(err, path);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        const int cause = errno;
        tr_shared_free(report);
        return tr_fail(err, TR_ERR_INTERNAL, "%s: it cannot be read: %s", path, strerror(cause));
    }
    const int seconds = tr_child_seconds(path);
    const int64_t waiting = test_milliseconds > 0
                                ? test_milliseconds
                                : ((int64_t)seconds * WAITING + LEAST_WAITING) * 1000;
    const pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(work, job, report, parent, seconds, only_file);
    }
    const int cause = errno;
    close(ends[1]);
    tr_status status;
    if (child < 0) {
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: a process to read it in cannot be started: %s",
                         path, strerror(cause));
    } else {
        bool late;
        const int wait_status = wait_for(child, ends[0], waiting, &late);
        if (report->unconfined)
            tr_child_was_unconfined();
        if (late) {
            status = tr_fail(err, TR_ERR_DATA,
                             "%s: reading it came to no end within %lld s; is it a file that can "
                             "be read at all?",
                             path, (long long)((waiting + 999) / 1000));
        } else if (report->finished) {
            status = tr_child_status(report->status);
            tr_child_make_plain(report->err.text, sizeof report->err.text);
            if (status != TR_OK)
                status = tr_fail(err, status, "%s", report->err.text);
        } else {
            status = tr_child_died(path, wait_status, seconds, err);
        }
    }
    close(ends[0]);
    tr_shared_free(report);
    return status;
}
