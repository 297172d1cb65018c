/* penalty.h -- l1 and l2 of a vector: what regularizers charge weights and results. */
#ifndef TR_PENALTY_H
#define TR_PENALTY_H

#include <stddef.h>

/* l1 sum |x| + l2 sum x^2; zeros: none. */
typedef struct tr_penalty {
    float l1, l2;
} tr_penalty;

/* In double, added in a fixed order. */
double tr_penalty_value(tr_penalty penalty, const float *values, size_t n);

/* gradients[i] += l1 sign(x[i]) + 2 l2 x[i]; of 0 it is 0. */
void tr_penalty_add_gradient(tr_penalty penalty, const float *values, float *gradients, size_t n);

#endif
