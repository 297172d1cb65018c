/* last_words.c -- see last_words.h. */
#include "last_words.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/status.h"

static void say_and_exit(void)
{
    static const char text[] =
        "trainer: error: crashed, inside of it or of a library; was memory out? Files that were "
        "written before are whole\n";
    const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written; /* nothing can be done about it */
    _exit(TR_ERR_INTERNAL);
}

/* A library's exit(), from whatever thread: HDF5 1.10 gives up with -1 where it has no memory for
 * an identifier. No code of ours is negative. */
static void at_exit(int code, void *user)
{
    (void)user;
    if (code < 0)
        say_and_exit();
}

#ifndef TR_SANITIZED
static void at_signal(int number)
{
    (void)number;
    say_and_exit();
}
#endif

void tr_last_words(void)
{
    on_exit(at_exit, NULL);
#ifndef TR_SANITIZED
    /* Room of its own: HDF5 calls itself without end where it runs out of memory while it starts.
     */
    static char room[1 << 16];
    const stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    sigaltstack(&stack, NULL);
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    const struct sigaction action = {.sa_handler = at_signal, .sa_flags = SA_ONSTACK};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
#endif
}
