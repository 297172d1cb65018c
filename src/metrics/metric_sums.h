/* metric_sums.h -- loss and metrics summed over samples: of a micro-batch, a batch, an epoch.
 *
 * In double, so that their order of addition cannot show in a printed digit.
 */
#ifndef TR_METRIC_SUMS_H
#define TR_METRIC_SUMS_H

#include "trainer/history.h"

typedef struct tr_sums {
    double loss;
    double metrics[TR_MAX_METRICS];
    int64_t n;
} tr_sums;

void tr_sums_add(tr_sums *sums, const tr_sums *more);

/* The means over the samples; zeros of none. */
tr_metrics tr_metrics_of(const tr_sums *sums);

#endif
