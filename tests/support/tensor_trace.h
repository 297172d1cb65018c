/* tensor_trace.h -- optimizers that see whole tensors, and several at once, against the steps of
 * real Keras (tests/golden/optimizer_tensors.h5). */
#ifndef TR_TEST_TENSOR_TRACE_H
#define TR_TEST_TENSOR_TRACE_H

/* Every recorded variant whose name begins so: the recorded gradients go through the engine's own
 * update, and the weights after each step and the slots after the last are Keras's; at least
 * `least` variants are there. */
void test_tensor_traces(const char *prefix, int least);

#endif
