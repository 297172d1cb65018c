/* pickle_machine.h -- the state of the stack machine that reads a pickle, and what its operations
 * do with it; for pickle.c.
 *
 * The first failure stays, and what is done after it counts for nothing: operations need not look
 * at every step.
 */
#ifndef TR_PICKLE_MACHINE_H
#define TR_PICKLE_MACHINE_H

#include "pickle.h"

enum { TR_PICKLE_MOST_VALUES = 1 << 21 };

typedef struct tr_pickle_machine {
    const uint8_t *bytes;
    size_t n, at;
    tr_pickle *tree;
    size_t n_values;
    tr_pickle_value **stack, **memo;
    size_t n_stack, n_memo;
    const char *wrong; /* the end of a sentence; NULL: nothing yet */
    bool out_of_memory;
} tr_pickle_machine;

/* Where a list, a tuple or a dictionary begins on the stack. */
extern tr_pickle_value tr_pickle_mark;

void tr_pickle_fail(tr_pickle_machine *self, const char *wrong);

/* Appends to any list of values; false: out of memory. */
bool tr_pickle_append(tr_pickle_machine *self, tr_pickle_value ***items, size_t *n,
                      tr_pickle_value *value);

/* A new value; never NULL: after a failure one that does not count. */
tr_pickle_value *tr_pickle_new(tr_pickle_machine *self, tr_pickle_kind kind);

void tr_pickle_push(tr_pickle_machine *self, tr_pickle_value *value);
/* Never NULL. */
tr_pickle_value *tr_pickle_pop(tr_pickle_machine *self);
tr_pickle_value *tr_pickle_top(tr_pickle_machine *self);

/* The number of values above the newest mark. */
size_t tr_pickle_above_mark(tr_pickle_machine *self);

/* The topmost n values become items of `value`, and go. */
void tr_pickle_take(tr_pickle_machine *self, tr_pickle_value *value, size_t n);

#endif
