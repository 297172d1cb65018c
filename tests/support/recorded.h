/* recorded.h -- a training that real Keras has made, step by step, on 9 x 7 x 3 pixels
 * (tests/golden/frozen_trace.py, rules_trace.py).
 *
 * Test support: every failure is a failed assertion of the running test.
 */
#ifndef TR_TEST_RECORDED_H
#define TR_TEST_RECORDED_H

#include "rig.h"

/* Its images and labels; test_samples_free(). */
tr_samples test_recorded_samples(hid_t file);

/* Makes the steps of /batches and compares the loss of each with those of that variant. */
void test_recorded_losses(test_rig *rig, hid_t file, const char *variant, const tr_samples *samples,
                          double allowed);

/* Ends the training and compares the weights with variant/final; those that are not trained to the
 * bit. */
void test_recorded_weights(test_rig *rig, hid_t file, const char *variant, double allowed);

#endif
