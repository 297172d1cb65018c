/* loss.h -- what a loss is: per-sample values, their gradient, and the hits that accuracy counts.
 *
 * One loss = one file closed by one tr_loss_ops, and one row in loss_table.c. It works on one
 * micro-batch of plain, contiguous predictions and is called by every thread at once.
 */
#ifndef TR_LOSS_H
#define TR_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tr_loss_task {
    const float *pred; /* [n_padded, classes]: probabilities, or logits when `logits` */
    float *diff;       /* [n_padded, classes]: d(sum of losses * weight)/d pred; NULL: not wanted */
    const int32_t *y;  /* [n] class of each sample */
    int64_t n;         /* real samples */
    int64_t n_padded;  /* rows n.. are padding: diff becomes 0, nothing is counted */
    int64_t classes;
    float weight; /* 1 / batch size, so that gradients of micro-batches add up to the mean's */
    bool logits;  /* the network's final softmax was left to the loss */
} tr_loss_task;

/* Sums over samples, in double, so that their order of addition cannot show in a printed digit. */
typedef struct tr_sums {
    double loss;
    int64_t hits; /* samples whose largest prediction (the first of equals) is their class */
    int64_t n;
} tr_sums;

typedef struct tr_loss_ops {
    const char *name; /* Keras's */
    const char *doc;
    bool takes_logits; /* works on the input of a final softmax: stable, and cheaper */
    tr_sums (*run)(const tr_loss_task *task);
} tr_loss_ops;

extern const tr_loss_ops *const tr_loss_table[];   /* ends in NULL */
const tr_loss_ops *tr_loss_find(const char *name); /* NULL: unknown */

enum { TR_MAX_LOSSES = 32 };
void tr_loss_names(const char *names[TR_MAX_LOSSES]); /* NULL-terminated */

#endif
