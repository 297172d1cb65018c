/* trace.h -- optimizers against the steps of real Keras (tests/golden/optimizers.h5). */
#ifndef TR_TEST_TRACE_H
#define TR_TEST_TRACE_H

/* Feeds the recorded gradients to the optimizer with `keys` as its [optimizer] section and compares
 * the weights after each of 6 steps with those of the recorded case. */
void test_optimizer_trace(const char *recorded, const char *optimizer, const char *keys);

/* The update of a vector at once equals its update in ranges of odd sizes, bit for bit. */
void test_optimizer_split(const char *optimizer, const char *keys);

#endif
