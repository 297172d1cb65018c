/* wrong_kernels.h -- kernels of oneDNN that kernel_check.h found wrong: never planned again.
 *
 * A tr_dnn keeps the list. Planning asks it for every primitive descriptor, and goes on to oneDNN's
 * next implementation of the same operation (descriptors.h); a reorder has no next one and becomes
 * a copy in plain C. An entry speaks of one layer, direction and program, since a kernel is wrong
 * for a shape: it may be the right and best one elsewhere. For src/dnn and src/model.
 */
#ifndef TR_WRONG_KERNELS_H
#define TR_WRONG_KERNELS_H

#include "program.h"

typedef struct tr_wrong_kernel {
    tr_op_info op; /* op.impl: `impl` */
    bool training; /* of the training program */
    char impl[64];
    tr_layout from, to;  /* of a reorder */
    int primitive, prop; /* oneDNN's names of the operation */
} tr_wrong_kernel;

size_t tr_wrong_kernels(const tr_dnn *dnn); /* their number */
tr_wrong_kernel tr_wrong_kernel_at(const tr_dnn *dnn, size_t i);

/* Adds the kernel of operation i. TR_ERR_CONFIG, naming it, where nothing can stand in for it. */
tr_status tr_wrong_kernel_add(tr_dnn *dnn, const tr_program *program, size_t i, tr_error *err);

/* Of a plan that failed because every implementation of an operation is on the list:
 * TR_ERR_CONFIG, naming layer, operation, the last kernel, oneDNN's version and what to do. */
tr_status tr_wrong_kernels_refuse(const tr_dnn *dnn, tr_error *err);

#endif
