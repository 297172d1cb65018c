/* optimizer.h -- what an optimizer is: an elementwise update of a range of the flat parameters.
 *
 * One optimizer = one file closed by one tr_optimizer_ops, and one row in optimizer_table.c. It
 * never knows a layer, a thread or a batch. Because the update is elementwise, any split of the
 * vector into ranges gives the same bits. Formulas and defaults are Keras 3's.
 */
#ifndef TR_OPTIMIZER_H
#define TR_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "section.h"
#include "trainer/config.h"

enum { TR_MAX_SLOTS = 3 };

typedef struct tr_optimizer tr_optimizer;

/* One range of the update; all pointers are at its first element. */
typedef struct tr_update {
    float *weights;
    const float *gradients;
    float *slots[TR_MAX_SLOTS];
    size_t n;
} tr_update;

typedef struct tr_optimizer_ops {
    const char *name; /* Keras's */
    const char *doc;
    size_t bytes; /* of the private struct; its first member is a tr_optimizer */
    const tr_key *keys;
    size_t n_keys;
    /* Optional: settings that do not go together become problems. */
    void (*check)(const tr_optimizer *optimizer, const tr_section *section, tr_problems *problems);
    /* Number of slots (flat vectors of state, zero at the start) and their Keras names. */
    int (*slots)(const tr_optimizer *optimizer, const char *names[TR_MAX_SLOTS]);
    /* Scalars of step t (1-based) into the private struct; called once before the step's updates.
     */
    void (*begin)(tr_optimizer *optimizer, int64_t t);
    /* Hot, concurrent on different ranges. */
    void (*update)(const tr_optimizer *optimizer, const tr_update *update);
} tr_optimizer_ops;

struct tr_optimizer {
    const tr_optimizer_ops *ops;
    double learning_rate;
};

extern const tr_optimizer_ops *const tr_optimizer_table[]; /* ends in NULL */
const tr_optimizer_ops *tr_optimizer_find(const char *name);

enum { TR_MAX_OPTIMIZERS = 32 };
void tr_optimizer_names(const char *names[TR_MAX_OPTIMIZERS]); /* NULL-terminated */

/* The optimizer of [compile] optimizer and [optimizer]. Mistakes go to config->problems; *out is
 * NULL when the name is missing or unknown. Free with tr_free(). */
tr_status tr_optimizer_make(tr_optimizer **out, const tr_config *config, tr_error *err);

/* A new optimizer with its keys read from [optimizer]; mistakes go to `problems`. NULL: no memory.
 * Free with tr_free(). */
tr_optimizer *tr_optimizer_new(const tr_optimizer_ops *ops, tr_section *section,
                               tr_problems *problems);

#endif
