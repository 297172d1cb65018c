/* h5_read.h -- one numeric array of somebody else's HDF5 file: look at it, then read it whole.
 *
 * Looking (type, shape, does it fit into memory) is cheap and apart from reading, so that every
 * mistake of a file is found before gigabytes of it are read. Every failure is a sentence that
 * names the file, the dataset, what was found there and what was expected. A damaged file may crash
 * HDF5 all the same: call these functions in a child process only (base/child.h).
 */
#ifndef TR_H5_READ_H
#define TR_H5_READ_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

enum { TR_H5_RANK = 8, TR_H5_TEXT = 160 };

typedef struct tr_h5_file {
    hid_t id;
    const char *path;    /* borrowed */
    uint64_t bytes_left; /* physical memory not yet taken by arrays of this file */
} tr_h5_file;

typedef struct tr_h5_array {
    hid_t id;
    const char *name; /* borrowed */
    int rank;
    int64_t dims[TR_H5_RANK];
    int64_t n_elements;
    bool is_uint8, is_float; /* neither: another integer */
    char text[TR_H5_TEXT];   /* "uint8 [60000, 28, 28]" */
} tr_h5_array;

/* Opens for reading. On failure *out holds nothing to close (closing it is fine). */
tr_status tr_h5_file_open(tr_h5_file *out, const char *path, tr_error *err);
void tr_h5_file_close(tr_h5_file *file); /* a zeroed one is fine */

/* Sets *has: is there an entry `name` in the root group? Fails when the file cannot tell. */
tr_status tr_h5_file_has(const tr_h5_file *file, const char *name, bool *has, tr_error *err);

/* The numeric datasets of the file as "a uint8 [3], b float32 [2, 2]", cut to fit; "no datasets".
 */
void tr_h5_file_list(const tr_h5_file *file, char *text, size_t n);

/* "uint8", "float32", "string", ...; cut to fit. */
void tr_h5_type_text(hid_t type, char *text, size_t n);

/* Opens the dataset `name` and looks at it: integer or float, of 1 to 8 dimensions, none empty. */
tr_status tr_h5_array_open(tr_h5_array *out, const tr_h5_file *file, const char *name,
                           tr_error *err);
void tr_h5_array_close(tr_h5_array *array); /* a zeroed one is fine */

/* Sets the memory for the array aside, `item_bytes` for each element: refuses what the machine,
 * with the arrays of this file that came before, does not have. */
tr_status tr_h5_array_reserve(tr_h5_file *file, const tr_h5_array *array, size_t item_bytes,
                              tr_error *err);

/* What is wrong with the room that the values have in the file ("it was never written"), or NULL.
 * HDF5 reads zeros where nothing was written, and of a damaged shape whatever lies there. */
const char *tr_h5_array_fault(const tr_h5_array *array);

/* Reads all elements into dst[array->n_elements], converted by HDF5 to `memory_type`. */
tr_status tr_h5_array_read(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                           hid_t memory_type, tr_error *err);

#endif
