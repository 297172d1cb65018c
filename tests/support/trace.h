/* trace.h -- optimizers against the steps of real Keras (tests/golden/optimizers.h5). */
#ifndef TR_TEST_TRACE_H
#define TR_TEST_TRACE_H

#include "groups.h"
#include "net.h"

/* Feeds the recorded gradients through the engine's own update, with `keys` as the text of
 * [optimizer] (and what sections may follow), and compares the weights after each of 6 steps and
 * the slots after the last with those of the recorded case. */
void test_optimizer_trace(const char *recorded, const char *optimizer, const char *keys);

/* The update of a vector at once equals its update in ranges of odd sizes, bit for bit. */
void test_optimizer_split(const char *optimizer, const char *keys);

/* Fails unless `keys`, in lines from 1 on, are refused with `expected` at `line`. */
void test_optimizer_refuses(const char *optimizer, const char *keys, int line,
                            const char *expected);

/* An optimizer of a configuration without problems, with `keys` as above. */
tr_optimizer *test_optimizer(const char *name, const char *keys, tr_config **config);

#endif
