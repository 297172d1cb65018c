/* keras.h -- made-up models of Keras: their JSON, translated; files in Keras's layouts.
 *
 * Test support: every failure is a failed assertion of the running test. JSON is written with ' for
 * ", so that it can be read.
 */
#ifndef TR_TEST_KERAS_H
#define TR_TEST_KERAS_H

#include "h5.h"
#include "trainer/status.h"

typedef struct test_translation {
    tr_status status;
    tr_error err;
    char ini[1 << 16], notes[1 << 13], no_measure[2048], carried[1 << 13]; /* JSON */
    bool compiled;
} test_translation;

/* A whole model_config and training_config (NULL: none) of "made.h5". Static buffer. */
const test_translation *test_translate_model(const char *model, const char *training,
                                             const char *version);
/* A Sequential of these entries behind an InputLayer of 8 x 6 x 3, compiled or not. */
const test_translation *test_translate(const char *layers, const char *training,
                                       const char *version);

/* That translation is TR_ERR_DATA and names the file and all of these, separated by '|'. */
void test_translation_refused(const char *layers, const char *version, const char *expected);
void test_translation_has(const test_translation *made, const char *ini);

/* ' becomes ". Static buffers, four in turn. */
const char *test_json(const char *text);

/* A new HDF5 file in test_folder() with those root attributes, as h5py of the time wrote them:
 * `fixed`, fixed-length padded strings. NULL: absent. Close it. */
hid_t test_keras_h5(const char *name, const char *model, const char *training, const char *version,
                    bool fixed);
/* The attribute `name` of n strings. */
void test_keras_names(hid_t object, const char *name, const char *const *names, size_t n,
                      bool fixed);
/* A dataset of that stored type. */
void test_keras_array(hid_t group, const char *name, int n_dims, const int64_t *dims, hid_t stored,
                      const float *values);

/* tests/golden/keras/<name>; static buffers, four in turn. */
const char *test_keras_golden(const char *name);

#endif
