/* bundle.h -- a few files of known names, from a folder or from the archive that they came in. */
#ifndef TR_BUNDLE_H
#define TR_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

typedef struct tr_bundle_file {
    const char *name; /* without folders */
    size_t most;      /* bytes that it may have */
    uint8_t *bytes;   /* of tr_shared_alloc(); NULL: not there */
    size_t n;
} tr_bundle_file;

/* Reads those of files[n] that `path` has: a folder, or a .tar, packed or not, or a .zip, in
 * whatever folders within; of two with one name the first. In child processes. TR_ERR_DATA: there
 * is no such path, an archive that is damaged, a file larger than it may be. Release also after a
 * failure. */
tr_status tr_bundle_read(tr_bundle_file *files, int n, const char *path, tr_error *err);
void tr_bundle_release(tr_bundle_file *files, int n);

#endif
