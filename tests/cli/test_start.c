/* test_start.c -- signals while a run starts: it saves, or there is nothing to save; a signal never
 * just kills it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_run.h"
#include "net.h"
#include "often.h"
#include "rng.h"

static char output[512], log_path[512];

static const char *log_text(void)
{
    static char text[65536];
    const int fd = open(log_path, O_RDONLY);
    const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

/* SigBlk of /proc/PID/status; 0: it is gone. */
static unsigned long long blocked_signals(pid_t child)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "SigBlk: %llx", &mask) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return mask;
}

/* Whether start.c has become the program already, whose libraries may still be on their way. */
static bool is_program(pid_t child)
{
    char path[64], target[1024];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)child);
    const ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    return strstr(target, "libexec/trainer") != NULL;
}

/* Returns as soon as its first instructions have been run, on a machine however busy. `ignored`:
 * as nohup does; 0: none. */
static pid_t start(const char *config, int ignored)
{
    /* fork() itself blocks all signals for a moment, in glibc 2.41. */
    const unsigned long long held = 1ull << (SIGTERM - 1), others = 1ull << (SIGUSR2 - 1);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        char folder[600];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(out, 1);
        dup2(out, 2);
        if (ignored != 0)
            signal(ignored, SIG_IGN);
        snprintf(folder, sizeof folder, "output.directory=%s", output);
        execl(TR_BINARY, "trainer", "-c", config, "--resume", "--threads", "1", "--set", folder,
              (char *)NULL);
        _exit(99);
    }
    for (bool blocked = false; !blocked;) {
        const bool loads = is_program(child);
        blocked = (blocked_signals(child) & (held | others)) == held;
        cr_assert_eq(waitpid(child, NULL, WNOHANG), 0, "it ended: %s", log_text());
        cr_assert(blocked || !loads, "a signal would end it while its libraries are loaded");
    }
    return child;
}

/* Whether the signals wait once the program has run as many instructions as the one system call
 * takes: no clock, and no scheduler, decides. */
Test(start, signals_wait_within_a_dozen_instructions)
{
#if defined(TR_STATIC_START) && (defined(__x86_64__) || defined(__aarch64__))
    enum { INSTRUCTIONS = 12 };
    const unsigned long long held =
        1ull << (SIGHUP - 1) | 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1) | 1ull << (SIGUSR1 - 1);
    int status = 0, n = 0;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        execl(TR_BINARY, "trainer", "--version", (char *)NULL);
        _exit(99);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        cr_skip_test("no process may trace another here");
    while (WIFSTOPPED(status) && n < INSTRUCTIONS && (blocked_signals(child) & held) != held) {
        n++;
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
        waitpid(child, &status, 0);
    }
    const unsigned long long blocked = blocked_signals(child);
    kill(child, SIGKILL);
    cr_expect_gt(n, 0, "they were blocked before");
    cr_assert_eq(blocked & held, held, "after %d instructions %llx", n, blocked);
#else
    cr_skip_test("the C library comes first here");
#endif
}

static int code_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void prepare(void)
{
    snprintf(output, sizeof output, "%s/started", test_folder());
    snprintf(log_path, sizeof log_path, "%s/log", test_folder());
}

/* The signal, up to 200 ms after the start. */
static int code_after(const char *config, int number, int i)
{
    const pid_t child = start(config, 0);
    usleep(
        (useconds_t)tr_random_below(200000, (uint64_t)number, TR_PURPOSE_SHUFFLE, 0, (uint64_t)i));
    kill(child, number);
    return code_of(child);
}

static void ends_saved(int number)
{
    prepare();
    const char *config = test_crash_config(100000, 1000);
    for (int i = 0; i < test_often(30); i++) {
        const int code = code_after(config, number, i);
        cr_assert_eq(code, 128 + number, "run %d ends with %d: %s", i, code, log_text());
        cr_assert(strstr(log_text(), "nothing to save") != NULL ||
                      strstr(log_text(), "which are saved in ") != NULL,
                  "%s", log_text());
        cr_assert_null(strstr(log_text(), "error"), "%s", log_text());
    }
}

Test(start, sigterm_ends_it_saved, .timeout = 280)
{
    ends_saved(SIGTERM);
}

Test(start, sighup_ends_it_saved, .timeout = 280)
{
    ends_saved(SIGHUP);
}

Test(start, sigint_ends_it_saved, .timeout = 280)
{
    ends_saved(SIGINT);
}

/* It is remembered until there is something to save. */
Test(start, sigusr1_never_ends_it, .timeout = 280)
{
    prepare();
    const char *config = test_crash_config(60, 1000);
    int saved = 0;
    for (int i = 0; i < test_often(30); i++) {
        char command[600];
        snprintf(command, sizeof command, "rm -rf %s", output);
        cr_assert_eq(system(command), 0);
        const int code = code_after(config, SIGUSR1, i);
        cr_assert_eq(code, 0, "run %d ends with %d: %s", i, code, log_text());
        saved += strstr(log_text(), "trainer: saved after ") != NULL;
    }
    cr_assert_gt(saved, 0);
}

/* What nohup, and a script that puts it into the background, ask for. */
Test(start, ignored_signals_stay_ignored, .timeout = 280)
{
    static const int numbers[] = {SIGHUP, SIGINT};
    prepare();
    const char *config = test_crash_config(60, 1000);
    for (int i = 0; i < 2; i++) {
        char command[600];
        snprintf(command, sizeof command, "rm -rf %s", output);
        cr_assert_eq(system(command), 0);
        const pid_t child = start(config, numbers[i]);
        kill(child, numbers[i]);
        usleep(50000);
        kill(child, numbers[i]);
        const int code = code_of(child);
        cr_assert_eq(code, 0, "signal %d: %d: %s", numbers[i], code, log_text());
    }
}
