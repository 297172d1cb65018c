/* held_signals.h -- the signals that a run answers in its own time; blocked from the first
 * instruction on (start.c). */
#ifndef TR_HELD_SIGNALS_H
#define TR_HELD_SIGNALS_H

#include <signal.h>
#include <stddef.h>

/* SIGUSR1 asks to save; the others to save and end. */
#define TR_HELD_SIGNALS(X) X(SIGINT) X(SIGTERM) X(SIGHUP) X(SIGUSR1)

#define TR_LISTED(signal) signal,
static const int tr_held_signals[] = {TR_HELD_SIGNALS(TR_LISTED)};
#undef TR_LISTED
enum { TR_N_HELD_SIGNALS = sizeof tr_held_signals / sizeof tr_held_signals[0] };

static inline void tr_fill_held_signals(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < TR_N_HELD_SIGNALS; i++)
        sigaddset(set, tr_held_signals[i]);
}

#endif
