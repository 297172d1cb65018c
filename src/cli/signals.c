/* signals.c -- see signals.h. */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "held_signals.h"

static sigset_t watched;
static atomic_bool trains;

/* Files are whole or absent at any instant, so there is nothing to tidy up. */
_Noreturn static void end_unsaved(int number)
{
    char text[96];
    const int n = snprintf(text, sizeof text,
                           "trainer: stopped by %s before the first step: nothing to save\n",
                           tr_signal_name(number));
    /* The terminal may be gone, and the main thread may hold stdio's locks. */
    const ssize_t written = write(STDERR_FILENO, text, (size_t)n);
    (void)written;
    _exit(128 + number);
}

static void *wait_for_signals(void *user)
{
    tr_control *control = user;
    int number = 0;
    for (;;) {
        sigwait(&watched, &number);
        if (number == SIGUSR1)
            control->save = 1;
        else if (!trains)
            end_unsaved(number);
        else if (control->stop == 0)
            control->stop = number;
        else
            break;
    }
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
    raise(number);
    return NULL;
}

/* Those that the parent had not ignored. A blocked signal waits even if it is ignored, so the
 * others are let go. */
static void choose_watched(void)
{
    sigset_t ignored;
    sigemptyset(&ignored);
    tr_fill_held_signals(&watched);
    for (size_t i = 0; i < TR_N_HELD_SIGNALS; i++) {
        struct sigaction action;
        if (sigaction(tr_held_signals[i], NULL, &action) != 0 || action.sa_handler != SIG_IGN)
            continue;
        sigdelset(&watched, tr_held_signals[i]);
        sigaddset(&ignored, tr_held_signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &watched, NULL);
    pthread_sigmask(SIG_UNBLOCK, &ignored, NULL);
}

tr_status tr_signals_watch(tr_control *control, tr_error *err)
{
    pthread_t watcher;
    choose_watched();
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write(2), like a full disk */
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that goes away does not end the training */
    if (pthread_create(&watcher, NULL, wait_for_signals, control) != 0)
        return tr_fail(err, TR_ERR_INTERNAL, "the thread that waits for signals cannot be started");
    pthread_detach(watcher);
    return TR_OK;
}

void tr_signals_training_begins(void)
{
    trains = true;
}

void tr_signals_release(void)
{
    sigset_t held;
    tr_fill_held_signals(&held);
    sigprocmask(SIG_UNBLOCK, &held, NULL);
}
