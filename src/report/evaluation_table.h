/* evaluation_table.h -- what evaluate() found, as text: one line of numbers, and the classes. */
#ifndef TR_EVALUATION_TABLE_H
#define TR_EVALUATION_TABLE_H

#include <stdio.h>

#include "trainer/fit.h"

/* "test loss 0.04  test accuracy 0.9903 +- 0.0010": shares of right answers come with their
 * standard error. Without a newline. */
void tr_print_metrics(FILE *out, const tr_model *model, const tr_metrics *metrics);

/* As far as a screen has room for it: the confusion matrix of up to 20 classes, of more the most
 * frequent confusions; precision, recall, F1 and support of each class or answer, of more than 50
 * the worst ones. Nothing where the network has neither classes nor answers. */
void tr_print_classes(FILE *out, const tr_evaluation *evaluation, const tr_legend *legend);

#endif
