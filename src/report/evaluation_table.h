/* evaluation_table.h -- what evaluate() found, as text: one line of numbers, and the classes. */
#ifndef TR_EVALUATION_TABLE_H
#define TR_EVALUATION_TABLE_H

#include <stdio.h>

#include "trainer/fit.h"

/* "test loss 0.04  test accuracy 0.9903 +- 0.0010": shares of right answers come with their
 * standard error. Without a newline. */
void tr_print_metrics(FILE *out, const tr_model *model, const tr_metrics *metrics);

/* The confusion matrix (as far as a screen has room for it: up to 20 classes), and precision,
 * recall, F1 and support of each class. Nothing where the confusion has no classes. */
void tr_print_confusion(FILE *out, const tr_confusion *confusion);

#endif
