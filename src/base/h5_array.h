/* h5_array.h -- one numeric array of somebody else's HDF5 file: look at it, then read it whole.
 *
 * Looking (type, shape, does it fit into memory) is cheap and apart from reading, so that every
 * mistake of a file is found before gigabytes of it are read. Every failure is a sentence that
 * names the file, the dataset, what was found there and what was expected. A damaged file may crash
 * HDF5 all the same: call these functions in a child process only (base/child.h).
 */
#ifndef TR_H5_ARRAY_H
#define TR_H5_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h5_file.h"

enum { TR_H5_RANK = 8 };

typedef struct tr_h5_array {
    hid_t id;
    const char *name; /* borrowed */
    int rank;
    int64_t dims[TR_H5_RANK];
    int64_t n_elements;
    bool is_uint8, is_float; /* neither: another integer */
    char text[TR_H5_TEXT];   /* "uint8 [60000, 28, 28]" */
} tr_h5_array;

/* "uint8", "float32", "string", ...; cut to fit. */
void tr_h5_type_text(hid_t type, char *text, size_t n);

/* Opens the dataset `name` (a path from the root) and looks at it: integer or float, of 1 to 8
 * dimensions, none empty; in a model also one number (rank 0) and empty ones. */
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

/* The elements from `start` on, `count` in each dimension, into dst[] in row-major order. */
tr_status tr_h5_array_read_box(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                               hid_t memory_type, const int64_t start[TR_H5_RANK],
                               const int64_t count[TR_H5_RANK], tr_error *err);

#endif
