/* zip_write.h -- a ZIP archive as bytes in memory, for tr_file_write().
 *
 * Members are stored, not packed (Keras's .keras and NumPy's .npz files are, and floats hardly
 * shrink), and carry a fixed time, so that the same members give the same bytes.
 */
#ifndef TR_ZIP_WRITE_H
#define TR_ZIP_WRITE_H

#include <stddef.h>

#include "trainer/status.h"

typedef struct tr_zip_member {
    const char *name;
    const void *bytes;
    size_t n;
} tr_zip_member;

/* *bytes is released with tr_free(). TR_ERR_INTERNAL: out of memory. */
tr_status tr_zip_make(void **bytes, size_t *n, const tr_zip_member *members, size_t n_members,
                      tr_error *err);

#endif
