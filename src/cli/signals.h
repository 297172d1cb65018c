/* signals.h -- what signals do to a run.
 *
 * No handler may ever run: oneDNN's kernels use the stack pointer as a general register, and the
 * kernel would write a handler's frame wherever it points at that moment, into the heap. So the
 * signals are blocked before anything else happens (start.c), and a thread of their own waits for
 * them.
 *
 *     SIGINT, SIGTERM, SIGHUP   while a run is prepared: the end, at once, since nothing is there
 *                               to save; while it trains: control->stop. The second one: the end.
 *     SIGUSR1                   control->save, also for the training that has not begun
 *
 * A signal that the parent had ignored (nohup, a job in the background of a script) stays so.
 */
#ifndef TR_SIGNALS_H
#define TR_SIGNALS_H

#include "trainer/fit.h"

/* Before the first thread of OpenMP, which inherits the mask. */
tr_status tr_signals_watch(tr_control *control, tr_error *err);

/* From now on there may be something to save. */
void tr_signals_training_begins(void);

/* For commands that leave signals to the system: what start.c held back comes now. */
void tr_signals_release(void);

#endif
