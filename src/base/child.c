/* child.c -- a child process that may crash; see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

/* Computing time of a reader, to end endless loops: enough to inflate every byte of the file a
 * thousandfold, the most that gzip can do, and at most what fills any machine's memory. */
enum { LEAST_SECONDS = 3, BYTES_PER_SECOND = 100000, MOST_SECONDS = 600 };

/* What the child tells, in shared memory. */
typedef struct child_report {
    bool finished;
    tr_status status;
    tr_error err;
} child_report;

/* ---- the child ---- */

static int cpu_seconds(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || info.st_size / BYTES_PER_SECOND >= MOST_SECONDS - LEAST_SECONDS)
        return MOST_SECONDS;
    return LEAST_SECONDS + (int)(info.st_size / BYTES_PER_SECOND);
}

/* No handler of the embedding program is to run here. A crash shall be one; whether we are asked to
 * end is the parent's business: what it blocks or ignores stays so, and its end is ours. */
static void default_signals(void)
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

_Noreturn static void be_child(tr_status (*work)(void *job, tr_error *err), void *job,
                               child_report *report, pid_t parent, int seconds)
{
    default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(1);
    lower_limit(RLIMIT_CORE, 0);
    lower_limit(RLIMIT_CPU, (rlim_t)seconds);
    silence();
    offer_to_die_first();
    report->status = work(job, &report->err);
    report->finished = true;
    _exit(0); /* flushes nothing: our buffers and HDF5's open files are the parent's */
}

/* ---- the parent ---- */

static tr_status fail_dead(const char *path, int wait_status, int seconds, tr_error *err)
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

/* The way a child ended; 0 when the embedding program leaves its children to the kernel. */
static int wait_for(pid_t child)
{
    int wait_status = 0;
    while (waitpid(child, &wait_status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return wait_status;
}

tr_status tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job, const char *path,
                      tr_error *err)
{
    child_report *report = tr_shared_alloc(1, sizeof *report);
    if (report == NULL)
        return tr_out_of_memory(err, path);
    const int seconds = cpu_seconds(path);
    const pid_t parent = getpid(), child = fork();
    if (child == 0)
        be_child(work, job, report, parent, seconds);
    tr_status status;
    if (child < 0) {
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: a process to read it in cannot be started: %s",
                         path, strerror(errno));
    } else {
        const int wait_status = wait_for(child);
        if (report->finished) {
            status = report->status;
            report->err.text[sizeof report->err.text - 1] = '\0';
            if (status != TR_OK)
                tr_fail(err, status, "%s", report->err.text);
        } else {
            status = fail_dead(path, wait_status, seconds, err);
        }
    }
    tr_shared_free(report);
    return status;
}
