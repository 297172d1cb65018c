/* decisions.c -- outputs above a threshold say yes: how many do so rightly and wrongly, precision
 * TP / (TP + FP) and recall TP / (TP + FN), all outputs of all samples together.
 *
 * As in Keras every target but 0 is a yes; with top_k only the k largest outputs of a sample may
 * say yes, the first of equal ones, by themselves without a threshold; class_id looks at one
 * output.
 */
#include <math.h>

#include "metric.h"

enum { TRUE_YES, FALSE_YES, TRUE_NO, FALSE_NO, N_SUMS };

static int64_t n_sums(const tr_metric_settings *settings, int64_t outputs)
{
    (void)settings, (void)outputs;
    return N_SUMS;
}

static bool is_among(const float *row, int64_t width, int64_t j, int64_t k)
{
    int64_t before = 0;
    for (int64_t i = 0; i < width; i++)
        before += row[i] > row[j] || (row[i] == row[j] && i < j);
    return before < k;
}

static bool says_yes(const tr_metric_settings *settings, const float *row, int64_t width, int64_t j)
{
    const bool given = !isnan(settings->threshold);
    if (settings->top_k == 0)
        return (double)row[j] > (given ? settings->threshold : 0.5);
    return is_among(row, width, j, settings->top_k) &&
           (!given || (double)row[j] > settings->threshold);
}

static void add(const tr_metric_task *task, int64_t i, double weight, double *sums)
{
    const tr_metric_settings *settings = task->settings;
    const float *row = task->pred + i * task->width;
    for (int64_t j = 0; j < task->width; j++) {
        if (settings->class_id >= 0 && j != settings->class_id)
            continue;
        const bool yes = tr_target_at(&task->targets, i, j, task->width) != 0.0;
        const bool says = says_yes(settings, row, task->width, j);
        sums[says ? (yes ? TRUE_YES : FALSE_YES) : (yes ? FALSE_NO : TRUE_NO)] += weight;
    }
}

static double share(double part, double rest)
{
    return part + rest == 0.0 ? 0.0 : part / (part + rest);
}

#define RESULT(function, expression)                                                               \
    static double function(const tr_metric_settings *settings, const double *sums,                 \
                           int64_t outputs)                                                        \
    {                                                                                              \
        (void)settings, (void)outputs;                                                             \
        return expression;                                                                         \
    }
RESULT(true_yes, sums[TRUE_YES])
RESULT(false_yes, sums[FALSE_YES])
RESULT(true_no, sums[TRUE_NO])
RESULT(false_no, sums[FALSE_NO])
RESULT(precision, share(sums[TRUE_YES], sums[FALSE_YES]))
RESULT(recall, share(sums[TRUE_YES], sums[FALSE_NO]))

static const tr_key keys[] = {
    TR_METRIC_KEY_THRESHOLD("thresholds", "one number, above which an output says yes (0.5)"),
    {.name = "top_k",
     .kind = TR_KEY_INT,
     .offset = offsetof(tr_metric_settings, top_k),
     .optional = true,
     .min = 1,
     .max = 1048576,
     .doc = "only so many outputs, the largest, say yes (all)"},
    {.name = "class_id",
     .kind = TR_KEY_INT,
     .offset = offsetof(tr_metric_settings, class_id),
     .optional = true,
     .max = 1048576,
     .doc = "only this output, from 0 on (all)"},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

/* `n`: the counts themselves have the threshold alone. */
#define DECISIONS(called, what, n, larger, function)                                               \
    {                                                                                              \
        .name = called, .doc = what, .keys = keys, .n_keys = n, .targets = TR_TARGET_VALUES,       \
        .larger_is_better = larger, .wants_values = true, .n_sums = n_sums, .add = add,            \
        .result = function                                                                         \
    }

const tr_metric_ops tr_true_positives_ops =
    DECISIONS("true_positives", "outputs that say yes where it is", 1, true, true_yes);
const tr_metric_ops tr_false_positives_ops =
    DECISIONS("false_positives", "outputs that say yes where it is not", 1, false, false_yes);
const tr_metric_ops tr_true_negatives_ops =
    DECISIONS("true_negatives", "outputs that say no where it is", 1, true, true_no);
const tr_metric_ops tr_false_negatives_ops =
    DECISIONS("false_negatives", "outputs that say no where it is not", 1, false, false_no);
const tr_metric_ops tr_precision_ops =
    DECISIONS("precision", "share of those that say yes where it is", N_KEYS, true, precision);
const tr_metric_ops tr_recall_ops =
    DECISIONS("recall", "share of what is a yes where they say it", N_KEYS, true, recall);
