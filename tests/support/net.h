/* net.h -- a small network from INI text, to feed by hand; and golden files.
 *
 * Test support: every failure is a failed assertion of the running test.
 */
#ifndef TR_TEST_NET_H
#define TR_TEST_NET_H

#include <hdf5.h>

#include "engine.h"
#include "model_internal.h"
#include "replica.h"

/* ---- configurations ---- */

/* Writes `text` to a fresh file and returns its path (static buffer of the test process). */
const char *test_file(const char *name, const char *text);

/* A fresh folder below $TMPDIR or /tmp, made once per test process. */
const char *test_folder(void);

/* Loads a configuration: the needed [data], [compile], [output] sections around `body`, which has
 * [model], the layers and whatever else. The test fails when it has problems. */
tr_config *test_config(const char *body, const char *const *overrides, size_t n_overrides);

/* ---- a network ---- */

typedef struct test_net {
    tr_config *config;
    tr_model *model;
    tr_replica *replica;
    float *gradients; /* [n_floats] */
    int64_t n;        /* micro-batch */
} test_net;

/* `layers`: INI sections of the layers; a flatten is added behind them, so that the output is
 * their result in Keras's order. Weights are initialised from seed 0. */
test_net *test_net_new(const char *layers, const int64_t shape[3], int64_t n);
test_net *test_net_new_with(const char *layers, const int64_t shape[3], int64_t n,
                            const char *const *overrides, size_t n_overrides);
void test_net_free(test_net *net);

/* A checkpoint of the model, with the state of its optimizer at zero. */
tr_status test_save(const tr_model *model, const char *path, tr_error *err);

int64_t test_net_outputs(const test_net *net); /* per sample */

/* src [n, h, w, c] -> dst [n, outputs], then diff_dst -> gradients; diff_src [n, h, w, c]. */
void test_net_forward(test_net *net, const float *src, float *dst);
void test_net_backward(test_net *net, const float *diff_dst, float *diff_src);
/* Gradient of weight i in Keras's layout. */
void test_net_gradient(const test_net *net, int i, float *values);

/* ---- golden files ---- */

hid_t test_golden_open(const char *name); /* tests/golden/<name> */
/* A whole dataset as float; *n its elements. Released with tr_free(). */
float *test_golden_floats(hid_t file, const char *path, size_t *n);
bool test_golden_has(hid_t file, const char *path);
char *test_golden_text(hid_t object, const char *attribute);

/* Fails unless |a - b| <= absolute + relative * |b| everywhere; says where. */
void test_close(const char *what, const float *a, const float *b, size_t n, double absolute,
                double relative);

/* A net for a case of a golden file: its layers, its weights. */
test_net *test_net_golden(hid_t file, const char *group, const char *const *overrides,
                          size_t n_overrides);

/* Runs every case of layers*.h5 whose name starts with `prefix`, forward and backward. */
void test_golden_layer(const char *prefix);

/* The same under other settings of the engine, with the tolerance that they deserve; without any,
 * by kernels of our own, too. */
typedef struct test_golden_way {
    const char *const *overrides;
    size_t n_overrides;
    double absolute, relative; /* as in test_close() */
    const char *file;          /* NULL: all of layers*.h5 */
    bool smooth; /* leave out functions with a kink: near it any error turns a gradient on or off */
} test_golden_way;
void test_golden_layer_with(const char *prefix, const test_golden_way *way);

/* All problems of a network, "" where it is fine; in a static buffer. `body`: [model], layers. */
const char *test_problems_of(const char *body);
/* The network has a problem whose text contains that. */
void test_refused(const char *body, const char *expected);

/* Deterministic numbers in [-1, 1). */
void test_fill(float *values, size_t n, unsigned seed);

/* A dataset of n u8 images with labels in [0, classes), deterministic; tr_free x and y. */
tr_samples test_samples(int64_t n, const int64_t shape[3], int classes);

#endif
