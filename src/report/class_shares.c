/* class_shares.c -- see class_shares.h. */
#include "class_shares.h"

#include <math.h>

int64_t tr_class_shares_n(const tr_evaluation *evaluation)
{
    return evaluation->confusion.n_classes > 0 ? evaluation->confusion.n_classes
                                               : evaluation->n_answers;
}

static double share(double part, double whole)
{
    return whole > 0.0 ? part / whole : (double)NAN;
}

static tr_class_shares shares(int64_t right, int64_t said, int64_t there)
{
    return (tr_class_shares){.precision = share((double)right, (double)said),
                             .recall = share((double)right, (double)there),
                             .f1 = share(2.0 * (double)right, (double)(said + there)),
                             .said = said,
                             .there = there};
}

tr_class_shares tr_class_shares_of(const tr_evaluation *evaluation, int64_t class)
{
    const tr_confusion *confusion = &evaluation->confusion;
    const int64_t n = confusion->n_classes;
    int64_t said = 0, there = 0;
    if (n == 0) {
        const tr_answer_counts *counts = &evaluation->answers[class];
        return shares(counts->right, counts->right + counts->wrong, counts->right + counts->missed);
    }
    for (int64_t k = 0; k < n; k++) {
        said += confusion->counts[k * n + class];
        there += confusion->counts[class * n + k];
    }
    return shares(confusion->counts[class * n + class], said, there);
}

static double or_zero(double value)
{
    return isnan(value) ? 0.0 : value;
}

tr_class_shares tr_class_shares_average(const tr_evaluation *evaluation, bool weighted)
{
    tr_class_shares sum = {0};
    double weights = 0.0;
    for (int64_t i = 0; i < tr_class_shares_n(evaluation); i++) {
        const tr_class_shares of = tr_class_shares_of(evaluation, i);
        const bool counts = of.there > 0 || of.said > 0 || evaluation->confusion.n_classes == 0;
        const double weight = weighted ? (double)of.there : counts ? 1.0 : 0.0;
        sum.precision += weight * or_zero(of.precision);
        sum.recall += weight * or_zero(of.recall);
        sum.f1 += weight * or_zero(of.f1);
        sum.said += of.said;
        sum.there += of.there;
        weights += weight;
    }
    sum.precision = share(sum.precision, weights);
    sum.recall = share(sum.recall, weights);
    sum.f1 = share(sum.f1, weights);
    return sum;
}
