/* child.h -- work on somebody else's file (HDF5, a picture) in a child process.
 *
 * HDF5 1.10 believes its files: a flipped bit in a header, and it divides by zero while opening a
 * dataset, smashes its stack while converting numbers or reads past a block. No check of ours can
 * come before that, and a crash in our process would cost the user a core dump where a sentence
 * is wanted. So whatever reads a file runs in a child, and a crash there is an error of the file.
 * Against a file that is made to take the reader over, the child gives up all that reading does not
 * need (confine.h): it opens that file and no other, writes nothing, starts nothing, and ends after
 * limits of computing time, of time by the clock, and of memory.
 *
 * What the child finds comes back through memory of tr_shared_alloc(); all else that it writes is
 * lost with it. Call from one thread at a time, like HDF5 itself.
 */
#ifndef TR_CHILD_H
#define TR_CHILD_H

#include <stdbool.h>

#include "trainer/status.h"

/* Runs work(job, err) in a child process and returns its status and error text. The child sees all
 * of our memory as it is at the call, threads excepted; it must not print and starts no threads.
 * When it dies: TR_ERR_DATA, with a text that names `path`; TR_INTERRUPTED, TR_TERMINATED and
 * TR_ERR_INTERNAL when it was stopped from outside. TR_ERR_INTERNAL when it cannot be started. */
tr_status tr_in_child(tr_status (*work)(void *job, tr_error *err), void *job, const char *path,
                      tr_error *err);

/* The same, where the child may open `only_file`; NULL: any, to read (a dataset that lies in
 * several files). */
tr_status tr_in_child_reaching(const char *only_file, tr_status (*work)(void *job, tr_error *err),
                               void *job, const char *path, tr_error *err);

/* False where the kernel let a child of this process do more than it should. */
bool tr_children_are_confined(void);

/* In a child process of any kind: no handler of the program runs there, a crash is one again. */
void tr_default_signals(void);

/* Test hook: children end after so much time by the clock; 0: as they do. */
void tr_child_wait_at_most(int milliseconds);

#endif
