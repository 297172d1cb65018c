/* self_check.h -- every kernel of a model, training and inference, against plain C. */
#ifndef TR_SELF_CHECK_H
#define TR_SELF_CHECK_H

#include "model_internal.h"
#include "verify.h"

typedef struct tr_self_check_listener {
    void *user;
    /* Once per operation, in program order; `training` says of which program. */
    void (*on_check)(void *user, bool training, const tr_op_check *check);
} tr_self_check_listener;

/* Runs one micro-batch of noise through the training program, forward and backward, and one
 * through the inference program. `model` is built; it is left as it was. A wrong kernel is a report
 * and not a failure. */
tr_status tr_self_check_run(const tr_model *model, const tr_self_check_listener *listener,
                            tr_error *err);

#endif
