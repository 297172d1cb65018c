/* npy.h -- the header of NumPy's .npy format, versions 1.0 and 2.0.
 *
 *     93 "NUMPY" major minor | length of the text, 2 or 4 bytes, little-endian | text | values
 *
 * The text is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 */
#ifndef TR_NPY_H
#define TR_NPY_H

#include "arrays.h"

enum { TR_NPY_HEADER_MAX = 1024 }; /* of the arrays that we know, with much room */

/* An array as it lies in a file. */
typedef struct tr_npy {
    tr_array array;   /* what it becomes; no values */
    size_t length;    /* where the values begin */
    int stored_bytes; /* of an element */
    bool half;        /* float16, which becomes float32 */
    bool swapped;     /* big-endian */
    bool fortran;     /* the first index runs fastest */
} tr_npy;

/* Reads all that from the first n bytes of a file (TR_NPY_HEADER_MAX, or all it has). TR_ERR_DATA,
 * naming `name`: not .npy, another version, a type that is no number, an empty array. bool becomes
 * uint8. */
tr_status tr_npy_parse(tr_npy *out, const void *bytes, size_t n, const char *name, tr_error *err);

/* The stored values are what the array holds, as they are. */
bool tr_npy_is_plain(const tr_npy *npy);

/* values[n] of the array's type, in C order, from the stored ones. */
void tr_npy_convert(void *values, const tr_npy *npy, const void *stored);

/* A header of version 1.0, padded as the format asks for; returns its length. */
size_t tr_npy_header(char header[TR_NPY_HEADER_MAX], const tr_array *array);

#endif
