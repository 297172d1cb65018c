/* optimizer_list.h -- the variables of the optimizers in the order of Keras 3's
 * optimizer.variables.
 *
 * iteration, learning_rate (not with a schedule), then the slots of the weights that are trained:
 * average of all, gradient_accumulator of all, then the optimizer's own weight by weight,
 * except that those which Keras makes apart (RMSprop's, velocity_hat) follow for all weights;
 * Nadam's product, last. That is Keras 3.16's order; 3.3 to 3.9 list the product right after
 * learning_rate, and average and accumulator together, weight by weight. Several optimizers are
 * Keras's MultiOptimizer: its own iteration and learning_rate, which is 0, then the lists of those
 * with layers of their own, in file order, and last that of [optimizer].
 */
#ifndef TR_OPTIMIZER_LIST_H
#define TR_OPTIMIZER_LIST_H

#include "h5.h"
#include "snapshot.h"

typedef enum tr_variable_kind {
    TR_VARIABLE_ITERATION,     /* int64 scalar */
    TR_VARIABLE_LEARNING_RATE, /* float32 scalar */
    TR_VARIABLE_PRODUCT,       /* float32 scalar: Nadam's */
    TR_VARIABLE_SLOT           /* float32, shape of the weight */
} tr_variable_kind;

typedef struct tr_variable {
    tr_variable_kind kind;
    int slot, weight; /* of a SLOT */
    int optimizer;    /* its number; -1: MultiOptimizer itself */
    char name[256];   /* Keras 3's: "adam/conv1_kernel_momentum"; of several optimizers, where Keras
                       * would number equal ones, "optimizer.NAME/conv1_kernel_momentum" */
} tr_variable;

/* The list for a snapshot with the state of an optimizer; *out is freed with tr_free(). */
tr_status tr_optimizer_list(tr_variable **out, size_t *n, const tr_snapshot *snapshot,
                            tr_error *err);

/* Values of an optimizer's scalars after snapshot->progress.iterations steps. */
tr_status tr_optimizer_scalars(const tr_snapshot *snapshot, int optimizer, float *learning_rate,
                               float *product, tr_error *err);

typedef enum tr_variables_layout {
    TR_VARIABLES_KERAS3,   /* datasets of those names, and the attribute weight_names */
    TR_VARIABLES_NUMBERED, /* "0", "1", ...: Keras 3's .weights.h5 */
    TR_VARIABLES_KERAS2 /* as KERAS3, without learning_rate and product, which it does not keep */
} tr_variables_layout;

/* Writes the list below `group`; of one optimizer alone, or (TR_ALL_OPTIMIZERS) all of it. */
enum { TR_ALL_OPTIMIZERS = -2 };
tr_status tr_optimizer_list_write(hid_t group, const tr_snapshot *snapshot, int optimizer,
                                  tr_variables_layout layout, tr_error *err);

/* The same as the root group optimizer_weights of a whole-model HDF5 file. Keras 2 goes on from it;
 * Keras 3 restores iteration and learning_rate and then refuses fit() until the model is compiled
 * anew, as with its own files. */
tr_status tr_optimizer_group_write(hid_t file, const tr_snapshot *snapshot,
                                   tr_variables_layout layout, tr_error *err);

#endif
