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
#include "h5_type.h"

enum { TR_H5_RANK = 8 };

typedef struct tr_h5_array {
    hid_t id;
    const char *name; /* borrowed */
    int rank;
    int64_t dims[TR_H5_RANK];
    int64_t n_elements;
    bool is_uint8, is_float; /* neither: another integer; h5py's bool is uint8 of 0 and 1 */
    bool is_bool;            /* that bool */
    bool is_text;            /* strings: only from tr_h5_array_open_any() */
    char text[TR_H5_TEXT];   /* "uint8 [60000, 28, 28]" */
    bool outside;            /* values lie in other files, and the policy allows it */
    int depth;               /* files that were opened on the way to this one */
    char file[TR_H5_PATH];   /* the file that has it: an external link may lead to another */
} tr_h5_array;

/* Calls visit(user, file, name, info) for every link of the file but those to groups, which it goes
 * into; `name` is the whole path. Links that are not hard are not followed. visit returns false to
 * stop. False, too, where HDF5 cannot list a group, or there are more groups in each other, or more
 * links, than any writer makes: *fault says which. */
typedef bool tr_h5_visitor(void *user, const tr_h5_file *file, const char *name,
                           const H5L_info_t *info);
bool tr_h5_file_visit(const tr_h5_file *file, tr_h5_visitor *visit, void *user, const char **fault);

/* Where a soft or external link leads: "a link to /pool/t". */
const char *tr_h5_link_text(hid_t group, const char *name, const H5L_info_t *info, char *text,
                            size_t n);

/* Fills rank, dims and text of an array whose id is open; false when HDF5 cannot say, or where it
 * is no array of numbers of at most TR_H5_RANK dimensions. */
bool tr_h5_array_describe(tr_h5_array *array, hid_t type);

/* Where the values lie when they lie in another file ("it is virtual: ..."), or NULL. */
const char *tr_h5_array_outside(hid_t dataset, char *text, size_t n);

/* Opens the dataset `name` (a path from the root) and looks at it: integer or float, of at
 * most 8 dimensions (0: one number), none empty but in a model. */
tr_status tr_h5_array_open(tr_h5_array *out, const tr_h5_file *file, const char *name,
                           tr_error *err);
/* For what one file names in another: `depth` files were opened before. */
tr_status tr_h5_array_open_deeper(tr_h5_array *out, const tr_h5_file *file, const char *name,
                                  int depth, tr_error *err);
/* The same, where strings will do, too; h5_texts.h reads them. */
tr_status tr_h5_array_open_any(tr_h5_array *out, const tr_h5_file *file, const char *name,
                               tr_error *err);
void tr_h5_array_close(tr_h5_array *array); /* a zeroed one is fine */

/* Sets the memory for the array aside, `item_bytes` for each element: refuses what the machine,
 * with the arrays of this file that came before, does not have. */
tr_status tr_h5_array_reserve(tr_h5_file *file, const tr_h5_array *array, size_t item_bytes,
                              tr_error *err);

/* What is wrong with the values in the file ("it was never written"), or NULL; in text[n] or a
 * literal. HDF5 reads zeros where nothing was written, and of a damaged shape whatever lies there.
 */
const char *tr_h5_array_fault(const tr_h5_array *array, char *text, size_t n);

/* The error that says so. */
tr_status tr_h5_array_fail(const tr_h5_file *file, const tr_h5_array *array, const char *fault,
                           tr_error *err);

/* Reads all elements into dst[array->n_elements], converted by HDF5 to `memory_type`. */
tr_status tr_h5_array_read(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                           hid_t memory_type, tr_error *err);

/* The elements from `start` on, `count` in each dimension, into dst[] in row-major order. */
tr_status tr_h5_array_read_box(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                               hid_t memory_type, const int64_t start[TR_H5_RANK],
                               const int64_t count[TR_H5_RANK], tr_error *err);

/* The same where there is no file to name: NULL, or what is wrong, in text[n] or a literal. Of the
 * array only id, rank, dims and n_elements are needed. */
const char *tr_h5_array_try_box(void *dst, const tr_h5_array *array, hid_t memory_type,
                                const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                                char *text, size_t n);

#endif
