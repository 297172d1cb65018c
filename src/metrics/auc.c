/* auc.c -- the area under a curve over thresholds: hits against false alarms (ROC), or precision
 * against recall (PR), by Keras's num_thresholds evenly spaced thresholds.
 *
 * Sums are two histograms of predictions, of what is a yes and of what is not: bin b holds those in
 * (b, b + 1] / (num_thresholds - 1), bin 0 also 0. How many lie above a threshold is the sum of the
 * bins from there on. With multi_label each output has a curve, and the result is their mean.
 */
#include <math.h>

#include "elementary_math.h"
#include "metric.h"

static const char *const curves[] = {"ROC", "PR", NULL};
enum { ROC, PR };
static const char *const summations[] = {"interpolation", "minoring", "majoring", NULL};
enum { INTERPOLATION, MINORING, MAJORING };

static int64_t n_sums(const tr_metric_settings *settings, int64_t outputs)
{
    return 2 * settings->num_thresholds * (settings->multi_label ? outputs : 1);
}

/* In float32, as Keras computes it. */
static int64_t bin_of(const tr_metric_settings *settings, float prediction)
{
    const float p = settings->logits ? (float)tr_sigmoid((double)prediction) : prediction;
    const float within = !(p > 0.0f) ? 0.0f : p > 1.0f ? 1.0f : p; /* NaN is 0 */
    const float bin = ceilf(within * (float)(settings->num_thresholds - 1)) - 1.0f;
    return bin > 0.0f ? (int64_t)bin : 0;
}

static void add(const tr_metric_task *task, int64_t i, double weight, double *sums)
{
    const int64_t bins = task->settings->num_thresholds;
    for (int64_t j = 0; j < task->width; j++) {
        const bool yes = tr_target_at(&task->targets, i, j, task->width) != 0.0;
        double *own = sums + (task->settings->multi_label ? 2 * bins * j : 0);
        own[(yes ? 0 : bins) + bin_of(task->settings, task->pred[i * task->width + j])] += weight;
    }
}

/* ---- the area ---- */

static double ratio(double a, double b)
{
    return b == 0.0 ? 0.0 : a / b;
}

/* What lies above a threshold. */
typedef struct above {
    double yes, no;
} above;

typedef struct totals {
    double yes, no;
} totals;

/* Between thresholds i and i + 1, of which more lies above the former. Hits are taken to be a
 * straight line over all that is above (Davis and Goadrich), whose precision is integrated. */
static double interpolated(above low, above high, totals all)
{
    const double p_low = low.yes + low.no, p_high = high.yes + high.no, hits = low.yes - high.yes;
    const double slope = ratio(hits, p_low - p_high), begin = high.yes - slope * p_high;
    const double log_ratio = p_low > 0.0 && p_high > 0.0 ? tr_log(p_low / p_high) : 0.0;
    return ratio(slope * (hits + begin * log_ratio), all.yes);
}

static double x_of(int curve, above at, totals all)
{
    return curve == ROC ? ratio(at.no, all.no) : ratio(at.yes, all.yes);
}

static double y_of(int curve, above at, totals all)
{
    return curve == ROC ? ratio(at.yes, all.yes) : ratio(at.yes, at.yes + at.no);
}

static double strip(const tr_metric_settings *settings, above low, above high, totals all)
{
    if (settings->curve == PR && settings->summation == INTERPOLATION)
        return interpolated(low, high, all);
    const double a = y_of(settings->curve, low, all), b = y_of(settings->curve, high, all);
    const double height = settings->summation == INTERPOLATION ? (a + b) / 2.0
                          : settings->summation == MINORING    ? (a < b ? a : b)
                                                               : (a < b ? b : a);
    return (x_of(settings->curve, low, all) - x_of(settings->curve, high, all)) * height;
}

static double area(const tr_metric_settings *settings, const double *yes, const double *no)
{
    const int64_t bins = settings->num_thresholds;
    totals all = {0};
    for (int64_t b = 0; b < bins; b++) {
        all.yes += yes[b];
        all.no += no[b];
    }
    above high = {yes[bins - 1], no[bins - 1]};
    double sum = 0.0;
    for (int64_t b = bins - 2; b >= 0; b--) {
        const above low = {high.yes + yes[b], high.no + no[b]};
        sum += strip(settings, low, high, all);
        high = low;
    }
    return sum;
}

static double result(const tr_metric_settings *settings, const double *sums, int64_t outputs)
{
    const int64_t bins = settings->num_thresholds, n = settings->multi_label ? outputs : 1;
    double mean = 0.0;
    for (int64_t j = 0; j < n; j++)
        mean += area(settings, sums + 2 * bins * j, sums + 2 * bins * j + bins) / (double)n;
    return mean;
}

static const tr_key keys[] = {
    {.name = "num_thresholds",
     .kind = TR_KEY_INT,
     .offset = offsetof(tr_metric_settings, num_thresholds),
     .fallback = "200",
     .min = 2,
     .max = TR_MAX_SUMS / 2,
     .doc = "thresholds that make the curve"},
    {.name = "curve",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_metric_settings, curve),
     .fallback = "ROC",
     .choices = curves,
     .doc = "hits over false alarms, or precision over recall"},
    {.name = "summation_method",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_metric_settings, summation),
     .fallback = "interpolation",
     .choices = summations,
     .doc = "between two thresholds: along the curve, the lower or the higher of both ends"},
    {.name = "multi_label",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(tr_metric_settings, multi_label),
     .fallback = "false",
     .doc = "a curve for each output, and their mean; else one for all together"},
    {.name = "from_logits",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(tr_metric_settings, logits),
     .fallback = "false",
     .doc = "the network's outputs are logits"},
};

const tr_metric_ops tr_auc_ops = {.name = "auc",
                                  .doc = "area under the curve of decisions over their threshold",
                                  .keras_class = "AUC",
                                  .keys = keys,
                                  .n_keys = sizeof keys / sizeof *keys,
                                  .targets = TR_TARGET_VALUES,
                                  .larger_is_better = true,
                                  .wants_values = true,
                                  .n_sums = n_sums,
                                  .add = add,
                                  .result = result};
