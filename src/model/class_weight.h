/* class_weight.h -- [fit] class_weight, as parsed: how much each class counts in the training.
 *
 * Keras's: a sample of class c counts that much in loss and gradients, and in weighted metrics; in
 * validation and test it does not. "balanced" is scikit-learn's n / (classes * count), by the
 * training samples.
 */
#ifndef TR_CLASS_WEIGHT_H
#define TR_CLASS_WEIGHT_H

#include "loss.h"

typedef struct tr_class_weight {
    int n_classes; /* 0: not asked for */
    bool balanced; /* else `given` */
    tr_reals given;
} tr_class_weight;

/* For a loss and a network with `width` outputs. Mistakes go to config->problems. */
void tr_class_weight_parse(tr_class_weight *out, const tr_config *config, const tr_loss *loss,
                           int64_t width);

#endif
