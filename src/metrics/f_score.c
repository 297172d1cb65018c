/* f_score.c -- F = (1 + beta^2) P R / (beta^2 P + R) of each class's precision P and recall R, and
 * their average; f1_score is that of beta = 1.
 *
 * An output says yes above the threshold; without one where it is a sample's largest (all that are,
 * unless it is 0). Keras's average = None, a number per class, is no number to report. Divisors get
 * Keras's epsilon of 1e-7.
 */
#include <math.h>

#include "metric.h"

enum { TRUE_YES, FALSE_YES, FALSE_NO, N_SUMS }; /* per class */

static const char *const averages[] = {"micro", "macro", "weighted", NULL};
enum { MICRO, MACRO, WEIGHTED };

static int64_t n_sums(const tr_metric_settings *settings, int64_t outputs)
{
    return settings->average == MICRO ? N_SUMS : N_SUMS * outputs;
}

static bool says_yes(const tr_metric_settings *settings, float p, float largest)
{
    return isnan(settings->threshold) ? p >= largest && fabs((double)p) > 1e-9
                                      : (double)p > settings->threshold;
}

static void add(const tr_metric_task *task, int64_t i, double weight, double *sums)
{
    const float *row = task->pred + i * task->width;
    const float largest = row[tr_argmax(row, task->width)];
    for (int64_t j = 0; j < task->width; j++) {
        const double t = tr_target_at(&task->targets, i, j, task->width);
        double *own = sums + (task->settings->average == MICRO ? 0 : N_SUMS * j);
        if (says_yes(task->settings, row[j], largest)) {
            own[TRUE_YES] += weight * t;
            own[FALSE_YES] += weight * (1.0 - t);
        } else {
            own[FALSE_NO] += weight * t;
        }
    }
}

static double score(const double *sums, double beta)
{
    const double square = beta * beta, hits = sums[TRUE_YES];
    const double precision = hits / (hits + sums[FALSE_YES] + tr_loss_epsilon);
    const double recall = hits / (hits + sums[FALSE_NO] + tr_loss_epsilon);
    return precision * recall / (square * precision + recall + tr_loss_epsilon) * (1.0 + square);
}

static double result(const tr_metric_settings *settings, const double *sums, int64_t outputs)
{
    if (settings->average == MICRO)
        return score(sums, settings->beta);
    double total = 0.0, mean = 0.0;
    for (int64_t j = 0; j < outputs; j++)
        total += sums[N_SUMS * j + TRUE_YES] + sums[N_SUMS * j + FALSE_NO];
    for (int64_t j = 0; j < outputs; j++) {
        const double *own = sums + N_SUMS * j;
        const double share = settings->average == MACRO
                                 ? 1.0 / (double)outputs
                                 : (own[TRUE_YES] + own[FALSE_NO]) / (total + tr_loss_epsilon);
        mean += share * score(own, settings->beta);
    }
    return mean;
}

static const tr_key keys[] = {
    {.name = "average",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_metric_settings, average),
     .fallback = "macro",
     .choices = averages,
     .doc = "of all answers, of the classes' scores, of these by their number; Keras's own default "
            "is a number per class"},
    TR_METRIC_KEY_THRESHOLD("threshold", "above it an output says yes (the largest do)"),
    {.name = "beta",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_metric_settings, beta),
     .fallback = "1",
     .max = 1e6,
     .above_min = true,
     .doc = "how much more recall counts than precision"},
};

const tr_metric_ops tr_f1_score_ops = {.name = "f1_score",
                                       .doc = "harmonic mean of precision and recall",
                                       .keys = keys,
                                       .n_keys = sizeof keys / sizeof *keys - 1, /* no beta */
                                       .targets = TR_TARGET_VALUES,
                                       .larger_is_better = true,
                                       .wants_values = true,
                                       .n_sums = n_sums,
                                       .add = add,
                                       .result = result};
const tr_metric_ops tr_fbeta_score_ops = {.name = "fbeta_score",
                                          .doc = "the same with weights of the two",
                                          .keras_class = "FBetaScore",
                                          .keys = keys,
                                          .n_keys = sizeof keys / sizeof *keys,
                                          .targets = TR_TARGET_VALUES,
                                          .larger_is_better = true,
                                          .wants_values = true,
                                          .n_sums = n_sums,
                                          .add = add,
                                          .result = result};
