/* h5_file.h -- somebody else's HDF5 file: opened, and what may be reached from it.
 *
 * The one way in for datasets and models. A name in a file can lead out of it (external and soft
 * links, virtual datasets, external storage), so every component of every path is looked at before
 * HDF5 may follow it, and what the caller's policy does not allow is refused by name. Opening needs
 * no lock: file systems of clusters have none. What a damaged file does to HDF5 is the business of
 * base/child.h: call these functions in a child process only.
 */
#ifndef TR_H5_FILE_H
#define TR_H5_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h5.h"
#include "trainer/status.h"

enum { TR_H5_TEXT = 160, TR_H5_PATH = 1024 };

/* What a file may be, and what it may lead to. */
typedef enum tr_h5_policy {
    TR_H5_MODEL,                /* a model or checkpoint: nothing outside of the file, ever */
    TR_H5_DATASET,              /* nothing outside; messages say how to allow it */
    TR_H5_DATASET_WITH_EXTERNAL /* the user allowed it: other plain files, all of their data there
                                 */
} tr_h5_policy;

typedef struct tr_h5_file {
    hid_t id;
    const char *path;    /* borrowed */
    uint64_t bytes_left; /* physical memory not yet taken by arrays of this file */
    tr_h5_policy policy;
} tr_h5_file;

/* Opens for reading. On failure *out holds nothing to close (closing it is fine). */
tr_status tr_h5_file_open(tr_h5_file *out, const char *path, tr_h5_policy policy, tr_error *err);

/* The same of a whole file in memory (a model inside of an archive), which HDF5 copies; `path` is
 * for messages. */
tr_status tr_h5_file_open_image(tr_h5_file *out, const void *bytes, size_t n, const char *path,
                                tr_error *err);
void tr_h5_file_close(tr_h5_file *file); /* a zeroed one is fine */

/* Sets *has: is there an entry `name` (a path from the root group)? One that leads out of the file
 * is there. Fails when the file cannot tell. */
tr_status tr_h5_file_has(const tr_h5_file *file, const char *name, bool *has, tr_error *err);

/* Opens the group at `path` ("" is the root) for its attributes and for H5Literate; what lies in it
 * is opened by its whole path, again through here or through h5_array.h. Close with tr_h5_close().
 * On failure *out is negative. */
tr_status tr_h5_group_open(hid_t *out, const tr_h5_file *file, const char *path, tr_error *err);

/* The datasets of the file as "a uint8 [3], b float32 [2, 2]", cut to fit; "no datasets". */
void tr_h5_file_list(const tr_h5_file *file, char *text, size_t n);

#endif
