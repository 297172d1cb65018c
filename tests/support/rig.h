/* rig.h -- a whole engine on made-up samples: what tests of steps share.
 *
 * Test support: every failure is a failed assertion of the running test.
 */
#ifndef TR_TEST_RIG_H
#define TR_TEST_RIG_H

#include "net.h"

/* The MNIST network: 28 x 28 x 1, 10 classes. */
extern const char test_reference_layers[];
/* Odd in every way: asymmetric padding, overlapping pooling, an activation of each kind; 9 x 7 x 3,
 * 4 classes. */
extern const char test_odd_layers[];
/* The layers that are not in the others, dropout among them; 9 x 7 x 3, 4 classes. */
extern const char test_more_layers[];

typedef struct test_rig {
    tr_config *config;
    tr_model *model;
    tr_engine *engine;
} test_rig;

/* `body`: [model] and the layers; batches of up to max_batch samples. */
test_rig test_rig_new(const char *body, const char *optimizer, int threads, int64_t max_batch,
                      const char *const *overrides, size_t n_overrides);
void test_rig_free(test_rig *rig);

/* One training step on the first n samples of a batch of its own for each `step`; the sums. */
tr_sums test_rig_step(test_rig *rig, const tr_samples *samples, int64_t n, uint32_t step);

/* The n sample numbers of batch number `step`, of `of` samples. */
void test_index(uint32_t *index, int64_t n, int64_t of, uint32_t step);

/* In Keras's layout, released with tr_free(): weight w, and its gradient in the last step. */
float *test_rig_weight(const test_rig *rig, int w);
float *test_rig_gradient(const test_rig *rig, int w);

/* Sets all weights from folder/<layer>/<weight> of a golden file. */
void test_rig_load_weights(test_rig *rig, hid_t file, const char *folder);
/* Compares the gradient of the last step with folder/<layer>/<weight>, as test_close() does. */
void test_rig_compare_gradient(const test_rig *rig, hid_t file, const char *folder, double absolute,
                               double relative);

/* The digest after five steps of 77, 77, 19, 1 and 64 samples. */
void test_rig_digest(const char *body, const char *optimizer, const int64_t shape[3], int classes,
                     int threads, const char *const *overrides, size_t n_overrides, char text[33]);

/* The same on given samples. */
void test_rig_digest_of(const char *body, const char *optimizer, const tr_samples *samples,
                        int threads, const char *const *overrides, size_t n_overrides,
                        char text[33]);

/* Adds values in [0, 1): `width` for each of the samples, which lose their class numbers. */
void test_samples_set_values(tr_samples *samples, int64_t width);
void test_samples_free(tr_samples *samples);

/* |a - b| / |b| in the Euclidean norm. */
double test_distance(const float *a, const float *b, size_t n);

bool test_has_avx2(void);

/* Whether this CPU has the instructions, and oneDNN right kernels; without, a test of bfloat16 can
 * only be skipped. */
bool test_has_bfloat16(void);

/* test_golden_layer_with() with the instructions of AVX2; nothing where the CPU lacks them. */
void test_golden_layer_with_avx2(const char *prefix, const test_golden_way *way);
/* The same in bfloat16 within `allowed`, without functions that have a kink. Skips the running test
 * where it cannot run. */
void test_golden_layer_in_bfloat16(const char *prefix, const test_golden_way *way, double allowed);

/* Skips the running test where oneDNN is known to have no Winograd kernels: 3.x, or no AVX-512. */
void test_skip_without_winograd(void);

#endif
