/* test_child.c -- work in a child process: its result, its crashes, and that it leaves nothing. */
#include "child.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

static const char path[] = "some/file.h5";
static int private_number = 1;

static tr_status multiply(void *job, tr_error *err)
{
    (void)err;
    int *number = job;
    *number *= 6;
    private_number = 2;
    return TR_OK;
}

static tr_status refuse(void *job, tr_error *err)
{
    return tr_fail(err, TR_ERR_IO, "%s %d", (const char *)job, 17);
}

Test(child, result_and_text_come_back)
{
    int *number = tr_shared_alloc(1, sizeof *number);
    tr_error err = {.text = "untouched"};
    *number = 7;
    cr_expect_eq(tr_in_child(multiply, number, path, &err), TR_OK);
    cr_expect_eq(*number, 42);
    cr_expect_eq(private_number, 1);
    cr_expect_str_eq(err.text, "untouched");
    tr_shared_free(number);
    char word[] = "no";
    cr_expect_eq(tr_in_child(refuse, word, path, &err), TR_ERR_IO);
    cr_expect_eq(err.status, TR_ERR_IO);
    cr_expect_str_eq(err.text, "no 17");
    cr_expect_eq(tr_in_child(refuse, word, path, NULL), TR_ERR_IO);
}

/* ---- crashes ---- */

static tr_status call_abort(void *job, tr_error *err)
{
    (void)job, (void)err;
    fprintf(stderr, "*** stack smashing detected ***\n");
    abort();
}

/* A sanitizer's own checks would end the child another way. */
__attribute__((no_sanitize("undefined"))) static tr_status read_null(void *job, tr_error *err)
{
    (void)job, (void)err;
    volatile int *volatile null = NULL;
    return (tr_status)*null;
}

__attribute__((no_sanitize("undefined"))) static tr_status divide_by_zero(void *job, tr_error *err)
{
    (void)job, (void)err;
    volatile int zero = 0;
    volatile int quotient = 1 / zero;
    (void)quotient;
    raise(SIGFPE); /* a machine whose integer division does not trap */
    return TR_OK;
}

static tr_status leave(void *job, tr_error *err)
{
    (void)job, (void)err;
    _exit(7);
}

static void ignore_signal(int number)
{
    (void)number;
}

Test(child, crashes_are_errors_of_the_file)
{
    const struct {
        tr_status (*work)(void *job, tr_error *err);
        const char *text;
    } cases[] = {{call_abort, "crashed (signal 6)"},
                 {divide_by_zero, "crashed (signal 8)"},
                 {read_null, "crashed (signal 11)"},
                 {leave, "crashed (exit code 7)"}};
    signal(SIGABRT, ignore_signal); /* handlers of the parent are not for the child */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_error err = {0};
        cr_expect_eq(tr_in_child(cases[i].work, NULL, path, &err), TR_ERR_DATA, "case %zu", i);
        cr_expect_eq(err.status, TR_ERR_DATA);
        cr_expect_not_null(strstr(err.text, cases[i].text), "%s", err.text);
        cr_expect_not_null(strstr(err.text, "the file is damaged"), "%s", err.text);
        cr_expect_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    }
}

static tr_status raise_signal(void *job, tr_error *err)
{
    (void)err;
    raise(*(int *)job);
    return TR_OK;
}

Test(child, stopped_from_outside_is_no_error_of_the_file)
{
    const struct {
        int number;
        tr_status status;
    } cases[] = {{SIGINT, TR_INTERRUPTED},
                 {SIGTERM, TR_TERMINATED},
                 {SIGHUP, TR_HUNG_UP},
                 {SIGKILL, TR_ERR_INTERNAL}};
    signal(SIGINT, ignore_signal);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_error err = {0};
        int number = cases[i].number;
        cr_expect_eq(tr_in_child(raise_signal, &number, path, &err), cases[i].status);
        cr_expect_not_null(strstr(err.text, path));
        cr_expect_null(strstr(err.text, "damaged"));
    }
}

/* Who holds them back, or ignores them, answers for the child, too. */
Test(child, requests_to_end_are_the_parents)
{
    int hang_up = SIGHUP, terminate = SIGTERM;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    cr_expect_eq(tr_in_child(raise_signal, &hang_up, path, NULL), TR_OK);
    cr_expect_eq(tr_in_child(raise_signal, &terminate, path, NULL), TR_OK);
}

Test(child, prints_nothing)
{
    char name[] = "/tmp/trainer-test-XXXXXX", text[64];
    const int fd = mkstemp(name), terminal = dup(STDERR_FILENO);
    cr_assert(fd >= 0 && terminal >= 0);
    dup2(fd, STDERR_FILENO);
    const tr_status status = tr_in_child(call_abort, NULL, path, NULL);
    (void)tr_in_child(read_null, NULL, path, NULL);
    dup2(terminal, STDERR_FILENO);
    cr_expect_eq(status, TR_ERR_DATA);
    cr_expect_eq(pread(fd, text, sizeof text, 0), 0);
    close(fd);
    close(terminal);
    unlink(name);
}

static tr_status look_at_limits(void *job, tr_error *err)
{
    struct rlimit core, cpu;
    (void)job;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0)
        return tr_fail(err, TR_ERR_IO, "would dump core");
    if (getrlimit(RLIMIT_CPU, &cpu) != 0 || cpu.rlim_cur == RLIM_INFINITY)
        return tr_fail(err, TR_ERR_IO, "may loop without end");
    return TR_OK;
}

Test(child, has_limits)
{
    tr_error err = {0};
    struct rlimit core;
    getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = core.rlim_max; /* often 0 where tests run */
    setrlimit(RLIMIT_CORE, &core);
    cr_expect_eq(tr_in_child(look_at_limits, NULL, path, &err), TR_OK, "%s", err.text);
}

static tr_status limit_of_cpu(void *job, tr_error *err)
{
    struct rlimit cpu;
    if (getrlimit(RLIMIT_CPU, &cpu) != 0)
        return tr_fail(err, TR_ERR_IO, "no limit");
    *(rlim_t *)job = cpu.rlim_cur;
    return TR_OK;
}

/* Nobody waits ten minutes for a damaged file of a few kilobytes; a large one may take them. */
Test(child, small_files_are_given_up_sooner)
{
    char name[] = "/tmp/trainer-test-XXXXXX";
    rlim_t *seconds = tr_shared_alloc(1, sizeof *seconds);
    const int fd = mkstemp(name);
    static const struct {
        off_t bytes;
        rlim_t seconds;
    } cases[] = {{0, 3},          {16968, 3},      {5000000, 53},
                 {59699999, 599}, {59700000, 600}, {600000000, 600}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(ftruncate(fd, cases[i].bytes), 0);
        cr_assert_eq(tr_in_child(limit_of_cpu, seconds, name, NULL), TR_OK);
        cr_expect_eq(*seconds, cases[i].seconds, "%lld: %lld", (long long)cases[i].bytes,
                     (long long)*seconds);
    }
    unlink(name);
    close(fd);
    tr_shared_free(seconds);
}

/* ---- what is short ---- */

static tr_status allocate(void *job, tr_error *err)
{
    (void)job;
    void *block = tr_alloc(1, 1);
    if (block == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory in the child");
    tr_free(block);
    return TR_OK;
}

Test(child, out_of_memory)
{
    for (int successes = 0; successes < 3; successes++) {
        tr_error err = {0};
        tr_alloc_fail_after(successes);
        const tr_status status = tr_in_child(allocate, NULL, path, &err);
        tr_alloc_fail_after(-1);
        cr_expect_eq(status, successes < 2 ? TR_ERR_INTERNAL : TR_OK);
        cr_expect_eq(strstr(err.text, "out of memory") != NULL, successes < 2);
    }
}

/* In a process of its own, which may give away its rights: root is not bound by the limit. */
Test(child, no_process_left)
{
    tr_error *err = tr_shared_alloc(1, sizeof *err);
    const pid_t bound = fork();
    if (bound == 0) {
        const struct rlimit none = {0};
        if ((geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) ||
            setrlimit(RLIMIT_NPROC, &none) != 0)
            _exit(99);
        _exit(tr_in_child(allocate, NULL, path, err));
    }
    int how = 0;
    cr_assert_eq(waitpid(bound, &how, 0), bound);
    cr_expect(WIFEXITED(how) && WEXITSTATUS(how) == TR_ERR_INTERNAL);
    cr_expect_not_null(strstr(err->text, strerror(EAGAIN)), "%s", err->text);
    tr_shared_free(err);
}

/* ---- what is left behind ---- */

static int open_descriptors(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n;
}

static int shared_mappings(void)
{
    char line[512];
    int n = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL)
        n += strstr(line, "/dev/zero") != NULL;
    fclose(file);
    return n;
}

Test(child, many_leave_nothing, .timeout = 120)
{
    int *number = tr_shared_alloc(1, sizeof *number);
    const int descriptors = open_descriptors(), mappings = shared_mappings();
    cr_expect_gt(mappings, 0, "the count sees none");
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(tr_in_child(multiply, number, path, NULL), TR_OK);
        cr_assert_eq(tr_in_child(read_null, NULL, path, NULL), TR_ERR_DATA);
    }
    cr_expect_eq(open_descriptors(), descriptors);
    cr_expect_eq(shared_mappings(), mappings);
    cr_expect_eq(waitpid(-1, NULL, 0), -1);
    cr_expect_eq(errno, ECHILD);
    tr_shared_free(number);
    cr_expect_lt(shared_mappings(), mappings);
}

static tr_status take_time(void *job, tr_error *err)
{
    (void)job, (void)err;
    usleep(100000);
    return TR_OK;
}

Test(child, waits_through_signals)
{
    const struct sigaction action = {.sa_handler = ignore_signal}; /* without SA_RESTART */
    const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    cr_expect_eq(tr_in_child(take_time, NULL, path, NULL), TR_OK);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGCHLD, SIG_IGN); /* the kernel takes the child's end for itself */
    cr_expect_eq(tr_in_child(take_time, NULL, path, NULL), TR_OK);
}

static tr_status stay(void *job, tr_error *err)
{
    (void)err;
    atomic_store((atomic_int *)job, 1);
    sleep(20); /* not longer, should it outlive the test */
    return TR_OK;
}

/* The pipe ends when the last process that holds it does. */
Test(child, dies_with_its_parent, .timeout = 60)
{
    int ends[2];
    atomic_int *started = tr_shared_alloc(1, sizeof *started);
    cr_assert_eq(pipe(ends), 0);
    const pid_t middle = fork();
    if (middle == 0) {
        (void)tr_in_child(stay, started, path, NULL);
        _exit(0);
    }
    close(ends[1]);
    while (atomic_load(started) == 0)
        usleep(1000);
    kill(middle, SIGKILL);
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    cr_expect_eq(poll(&end, 1, 10000), 1);
    cr_expect_eq(waitpid(middle, NULL, 0), middle);
    close(ends[0]);
    tr_shared_free(started);
}

/* ---- what the file wants of its reader ---- */

#ifndef TR_SANITIZED /* then readers are not confined */

static int inherited = -1; /* a file that the parent writes */

/* Whether it can be written through memory. */
static bool can_map(int kind)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, kind, inherited, 0) != MAP_FAILED;
}

/* Each bit: something that reading does not need worked. */
static tr_status misbehave(void *job, tr_error *err)
{
    (void)err;
    unsigned *done = job;
    char *const none[] = {NULL};
    const int other = open("/proc/self/environ", O_RDONLY);
    *done |= (other >= 0) << 0;
    *done |= (open("/tmp/trainer-test-never", O_CREAT | O_WRONLY, 0600) >= 0) << 1;
    *done |= (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) << 2;
    *done |= (kill(getppid(), 0) == 0) << 3;
    *done |= (write(STDOUT_FILENO, "x", 1) == 1) << 4;
    execve("/bin/true", none, none);
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    *done |= (child > 0) << 5;
    *done |= can_map(MAP_SHARED) << 6;
    *done |= can_map(MAP_SHARED_VALIDATE) << 7;
    *done |= !can_map(MAP_PRIVATE) << 8; /* this it may */
    return TR_OK;
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION) >
           0;
}

Test(child, can_read_and_no_more)
{
    unsigned *done = tr_shared_alloc(1, sizeof *done);
    FILE *writing = tmpfile();
    cr_assert(writing != NULL && ftruncate(fileno(writing), 4096) == 0);
    inherited = fileno(writing);
    cr_assert_eq(tr_in_child(misbehave, done, "/proc/version", NULL), TR_OK);
    if (!tr_children_are_confined())
        cr_skip_test("this kernel does not filter system calls");
    cr_expect_eq(*done & ~1u, 0, "%#x", *done);
    if (has_landlock())
        cr_expect_eq(*done & 1, 0, "opened another file");
    fclose(writing);
    tr_shared_free(done);
}

static tr_status open_it(void *job, tr_error *err)
{
    const int fd = open(job, O_RDONLY);
    return fd >= 0 ? TR_OK : tr_fail(err, TR_ERR_DATA, "not opened");
}

Test(child, opens_its_file_and_others_where_it_may)
{
    char one[] = TR_SOURCE "/LICENSE", other[] = TR_SOURCE "/README.md";
    cr_expect_eq(tr_in_child(open_it, one, one, NULL), TR_OK);
    cr_expect_eq(tr_in_child_reaching(NULL, open_it, other, one, NULL), TR_OK);
    if (has_landlock())
        cr_expect_eq(tr_in_child(open_it, other, one, NULL), TR_ERR_DATA);
}

/* A library that believes a size in a file; and ours, which was checked. */
static tr_status take_memory(void *job, tr_error *err)
{
    enum { MUCH = 700 << 20 };
    (void)job;
    void *volatile block = malloc(MUCH);
    if (block != NULL)
        return tr_fail(err, TR_ERR_DATA, "700 MiB for nothing");
    tr_alloc_expect(MUCH);
    block = malloc(MUCH);
    return block == NULL ? tr_fail(err, TR_ERR_DATA, "not for what was expected") : TR_OK;
}

Test(child, libraries_have_a_limit_of_memory)
{
    tr_error err = {0};
    cr_expect_eq(tr_in_child(take_memory, NULL, path, &err), TR_OK, "%s", err.text);
}

#endif

Test(child, waits_not_for_ever)
{
    tr_error err = {0};
    atomic_int *started = tr_shared_alloc(1, sizeof *started);
    tr_child_wait_at_most(300);
    cr_expect_eq(tr_in_child(stay, started, path, &err), TR_ERR_DATA);
    tr_child_wait_at_most(0);
    cr_expect_not_null(strstr(err.text, "some/file.h5: reading it came to no end"), "%s", err.text);
    tr_shared_free(started);
}

static tr_status tell_nonsense(void *job, tr_error *err)
{
    (void)job;
    (void)tr_fail(err, TR_ERR_DATA, "\033[2Jgone");
    return (tr_status)77;
}

Test(child, is_not_believed)
{
    tr_error err = {0};
    cr_expect_eq(tr_in_child(tell_nonsense, NULL, path, &err), TR_ERR_INTERNAL);
    cr_expect_str_eq(err.text, "?[2Jgone");
}
