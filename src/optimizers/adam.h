/* adam.h -- what adam.c and adamw.c share: they differ in a default. */
#ifndef TR_ADAM_H
#define TR_ADAM_H

#include "optimizer.h"

typedef struct tr_adam {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    bool amsgrad;
    float alpha, one_minus_beta_1, one_minus_beta_2, eps; /* of the step at hand */
} tr_adam;

#define TR_ADAM_ROWS                                                                               \
    TR_ROW_LEARNING_RATE("0.001"),                                                                 \
        TR_ROW_SHARE(tr_adam, beta_1, "0.9", "decay of the mean gradient"),                        \
        TR_ROW_SHARE(tr_adam, beta_2, "0.999", "decay of the mean squared gradient"),              \
        TR_ROW_EPSILON(tr_adam),                                                                   \
    {                                                                                              \
        .name = "amsgrad", .kind = TR_KEY_BOOL, .offset = offsetof(tr_adam, amsgrad),              \
        .fallback = "false", .doc = "divide by the largest mean squared gradient so far"           \
    }

int tr_adam_slots(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                  tr_slot slots[TR_MAX_SLOTS]);
void tr_adam_begin(tr_optimizer *optimizer, int64_t t);
void tr_adam_update(const tr_optimizer *optimizer, const tr_update *range);

#endif
