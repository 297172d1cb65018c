/* adamw.c -- Adam with decoupled weight decay by default (Loshchilov & Hutter 2019).
 *
 * The decay itself is what weight_decay does for every optimizer: w -= w weight_decay lr before the
 * update, on all weights, biases too, as in Keras.
 */
#include "adam.h"

static const tr_key keys[] = {TR_ADAM_ROWS, TR_ROW_WEIGHT_DECAY("0.004")};

const tr_optimizer_ops tr_adamw_ops = {
    .name = "adamw",
    .keras_class = "AdamW",
    .doc = "adaptive moments, with weight decay",
    .bytes = sizeof(tr_adam),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = tr_adam_slots,
    .begin = tr_adam_begin,
    .update = tr_adam_update,
};
