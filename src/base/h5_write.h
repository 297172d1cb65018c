/* h5_write.h -- a new HDF5 file that is whole or absent.
 *
 * The file is built in memory (HDF5's core driver) and written by tr_file_write(): HDF5 never
 * touches the disk, so a full disk is one clear error and cannot leave half a file or a library
 * that fails again at exit.
 */
#ifndef TR_H5_WRITE_H
#define TR_H5_WRITE_H

#include "h5.h"
#include "trainer/status.h"

/* Calls fill(user, file, err) on an empty file in memory; the bytes of what it made, which
 * tr_file_write() puts on disk, are released with tr_free(). */
tr_status tr_h5_make_image(void **image, size_t *n,
                           tr_status (*fill)(const void *user, hid_t file, tr_error *err),
                           const void *user, tr_error *err);

/* The same, put at `path`. */
tr_status tr_h5_write_file(const char *path,
                           tr_status (*fill)(const void *user, hid_t file, tr_error *err),
                           const void *user, tr_error *err);

/* A contiguous dataset; intermediate groups of its name are made. `stored`, `memory`: HDF5 types.
 */
tr_status tr_h5_write_dataset(hid_t group, const char *name, int n_dims, const int64_t *dims,
                              hid_t stored, hid_t memory, const void *values, tr_error *err);

/* The same of n texts in UTF-8, of one length, padded with zeros. */
tr_status tr_h5_write_texts(hid_t group, const char *name, const char *const *texts, int64_t n,
                            tr_error *err);

/* TR_ERR_INTERNAL: "HDF5 cannot make <what>: <cause>". */
tr_status tr_h5_write_failed(tr_error *err, const char *what);

#endif
