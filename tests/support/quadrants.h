/* quadrants.h -- a run of a small problem: which quadrant of an 8 x 8 image is bright?
 *
 * Three epochs of seven steps, the last of which is short; a fifth of the images validates.
 */
#ifndef TR_TEST_QUADRANTS_H
#define TR_TEST_QUADRANTS_H

#include "snapshot.h"
#include "trainer/fit.h"

enum { TEST_QUADRANTS_SIDE = 8, TEST_QUADRANTS_TRAIN = 403, TEST_QUADRANTS_TEST = 101 };

typedef struct test_quadrants {
    tr_config *config;
    tr_model *model;
    tr_dataset *dataset;
    tr_run *run;
} test_quadrants;

/* Its dataset, made once per test process. */
const char *test_quadrants_data(void);

/* A run with these "section.key=value"; fails as the library fails. */
tr_status test_quadrants_make(test_quadrants *made, const char *const *overrides,
                              size_t n_overrides, tr_error *err);
void test_quadrants_discard(test_quadrants *made);

/* A life of the run in test_folder()/output: up to `steps` further steps, then SIGINT; 0: to its
 * end. resumed NULL: it starts anew; else it resumes and tells where it went on. */
tr_status test_quadrants_live(const char *const *overrides, size_t n, const char *output,
                              int64_t steps, tr_resumed *resumed, tr_error *err);

/* What last.h5 there holds; `made` is to be discarded after the snapshot is freed. */
tr_snapshot *test_quadrants_load(const char *const *overrides, size_t n, const char *output,
                                 test_quadrants *made);

/* Fails unless the last.h5 of two runs hold the same bits: weights, state of the optimizer,
 * history. */
void test_quadrants_same_ends(const char *const *overrides, size_t n, const char *one,
                              const char *other, const char *what);

/* test_folder()/run/<name>; tr_free(). */
char *test_quadrants_path(const char *name);

#endif
