/* metric_sums.h -- loss and metrics summed over samples: of a micro-batch, a batch, an epoch.
 *
 * In double, so that their order of addition cannot show in a printed digit.
 */
#ifndef TR_METRIC_SUMS_H
#define TR_METRIC_SUMS_H

#include "trainer/history.h"

enum { TR_MAX_SUMS = 4096 }; /* of all metrics */

typedef struct tr_sums {
    double loss;
    int64_t n;                   /* samples */
    int64_t n_sums;              /* used */
    double metrics[TR_MAX_SUMS]; /* metric.h says whose */
} tr_sums;

void tr_sums_add(tr_sums *sums, const tr_sums *more);

#endif
