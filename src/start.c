/* start.c -- the program's first instructions: signals wait from here on.
 *
 * The loader needs 3 to 7 ms for oneDNN, HDF5 and cairo, and a signal in that time would end a run
 * that is just starting: SIGUSR1, which only asks it to save, too. No code of ours could run
 * earlier in the same program, since libraries come first. So this one, which needs none, blocks
 * the signals and becomes the program proper (libexec/trainer beside it; main.c); what is blocked
 * stays so through exec, and what came waits. cli/signals.c answers.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "held_signals.h"

int main(int argc, char **argv)
{
    static const char program[] = "libexec/trainer";
    char path[PATH_MAX + sizeof program];
    sigset_t held;
    tr_fill_held_signals(&held);
    sigprocmask(SIG_BLOCK, &held, NULL);
    const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    path[n > 0 ? n : 0] = '\0';
    char *name = strrchr(path, '/');
    memcpy(name == NULL ? path : name + 1, program, sizeof program);
    if (argc > 0)
        execv(path, argv);
    fprintf(stderr,
            "trainer: error: %s, which does the work, cannot be started: %s; it belongs "
            "beside this program\n",
            path, strerror(errno));
    return 1;
}
