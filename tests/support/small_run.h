/* small_run.h -- a run of a shipped configuration that takes a moment: a small dataset of real
 * shape.
 */
#ifndef TR_TEST_SMALL_RUN_H
#define TR_TEST_SMALL_RUN_H

#include <stdint.h>

enum { TEST_SMALL_N = 230 };

/* An HDF5 file like data/mnist.h5 with TEST_SMALL_N images of noise in each part, in
 * test_folder(); labels 0 to 9 in turn. */
const char *test_small_data(void);

/* The same at `path`. */
void test_write_small_data(const char *path);

/* The same with images of another shape: height, width, channels. */
void test_write_small_images(const char *path, const int64_t shape[3]);

/* Arguments of a run of two epochs, on such a file with images of the size that the configuration
 * takes, into test_folder()/run, in the place of an earlier one there; `more` is appended. Static
 * buffer. */
const char *test_short_run(const char *config, const char *more);

/* The same where no earlier run is, or `more` says what to do with it. */
const char *test_first_run(const char *config, const char *more);

#endif
