/* loss_case.h -- what every loss must pass, in each of its modes; and golden cases of losses and
 * metrics (tests/golden/losses.h5, losses_keras.h5).
 *
 * Test support: every failure is a failed assertion of the running test.
 */
#ifndef TR_TEST_LOSS_CASE_H
#define TR_TEST_LOSS_CASE_H

#include "loss.h"
#include "metric.h"

/* What the predictions are. */
typedef enum test_mode {
    TEST_TAKEN_OVER,    /* logits, the final activation is left to the loss */
    TEST_FROM_LOGITS,   /* logits, [loss] from_logits = true */
    TEST_PROBABILITIES, /* clipped, or at least positive */
    TEST_VALUES
} test_mode;

tr_loss test_loss(const char *name, test_mode mode, double label_smoothing);

/* Values and gradients of every golden case; where the final activation is taken over, also what
 * the network is said to predict. */
void test_loss_golden(const char *name, test_mode mode);

/* The gradient equals central differences of the loss itself, for every form of targets. */
void test_loss_slopes(const char *name, test_mode mode);

/* Rows of padding count nothing, whatever they hold, and get a zero gradient. */
void test_loss_padding(const char *name, test_mode mode);

/* NaN anywhere among a sample's predictions makes its loss NaN, and its gradient. */
void test_loss_nan(const char *name, test_mode mode);

/* All of these. */
void test_loss_all(const char *name, test_mode mode);

/* All golden cases of a metric that is a mean over samples. */
void test_metric_golden(const char *name);

/* All cases of tests/golden/metrics_keras.h5 that begin so: Keras's result for samples, weighted or
 * not, in two halves that are added. */
void test_metric_results(const char *prefix);

#endif
