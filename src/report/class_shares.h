/* class_shares.h -- precision, recall and F1 of the classes of an evaluation, or of its answers:
 *
 *     precision = right / said, recall = right / there, F1 = their harmonic mean
 *
 * as scikit-learn's classification_report defines them. NaN where nothing can be divided; averages
 * take that as 0, as scikit-learn does.
 */
#ifndef TR_CLASS_SHARES_H
#define TR_CLASS_SHARES_H

#include "trainer/fit.h"

typedef struct tr_class_shares {
    double precision, recall, f1;
    int64_t said, there; /* samples */
} tr_class_shares;

/* Classes, or answers; 0: there are neither. */
int64_t tr_class_shares_n(const tr_evaluation *evaluation);
tr_class_shares tr_class_shares_of(const tr_evaluation *evaluation, int64_t class);

/* Means over the classes, without those that are neither there nor said; `weighted`: by how often
 * they are there. */
tr_class_shares tr_class_shares_average(const tr_evaluation *evaluation, bool weighted);

#endif
