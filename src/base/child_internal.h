/* child_internal.h -- what child.c and children.c share. */
#ifndef TR_CHILD_INTERNAL_H
#define TR_CHILD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "trainer/status.h"

/* In a new child: limits, silence, confinement to `reach`. False: it is not confined. */
bool tr_become_child(pid_t parent, int seconds, const char *reach);

/* Of computing, for work on the file at `path`. */
int tr_child_seconds(const char *path);

/* What the end of a child says of `path`. */
tr_status tr_child_died(const char *path, int wait_status, int seconds, tr_error *err);

/* What a child said, as far as it is to be believed; names in a file are no commands to a terminal.
 */
tr_status tr_child_status(tr_status status);
void tr_child_make_plain(char *text, size_t n);
void tr_child_was_unconfined(void);

#endif
