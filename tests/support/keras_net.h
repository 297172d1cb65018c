/* keras_net.h -- the model of a file of Keras, ready to predict: what such tests share.
 *
 * Test support: every failure is a failed assertion of the running test.
 */
#ifndef TR_TEST_KERAS_NET_H
#define TR_TEST_KERAS_NET_H

#include "trainer/checkpoint.h"
#include "trainer/dataset.h"
#include "trainer/model.h"

typedef struct test_keras_net {
    tr_checkpoint_info said;
    tr_config *config;
    tr_model *model;
} test_keras_net;

/* Model and weights from the file alone. */
test_keras_net test_keras_open(const char *path);
void test_keras_close(test_keras_net *net);

/* Predictions of n float images [h, w, c], scaled by the configuration (1); tr_free() them. */
float *test_keras_predict(const test_keras_net *net, const float *x, int64_t n);

/* A .keras archive in test_folder(): config.json, metadata.json of a version, and the bytes of
 * model.weights.h5 (NULL: left out). Its path, in a static buffer. */
const char *test_keras_archive(const char *name, const char *config, const char *version,
                               const void *weights, size_t n, bool deflated);

#endif
