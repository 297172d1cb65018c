/* h5_twist.h -- a good HDF5 file changed as the fuzzer's bytes say.
 *
 * Flipped bytes alone hardly ever pass HDF5's own checks. So the first bytes choose changes that a
 * person with h5py could make, in every dimension in which a file may differ from a good one: type,
 * rank, shape, layout, filters, what was never written, external storage, virtual datasets, links
 * of all kinds, attributes; the rest of the bytes flip bits of the file that came out.
 */
#ifndef H5_TWIST_H
#define H5_TWIST_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that are taken one by one; zeros behind the last. */
typedef struct fuzz_choices {
    const uint8_t *at;
    size_t n;
} fuzz_choices;

unsigned fuzz_choose(fuzz_choices *choices, unsigned n); /* 0 to n - 1 */

/* A folder of this process for files, made at the first call; it has a FIFO and a short file for
 * files to point to. */
const char *fuzz_folder(void);

void fuzz_copy(const char *from, const char *to);
void fuzz_h5_twist(const char *path, const fuzz_choices *choices);

#endif
