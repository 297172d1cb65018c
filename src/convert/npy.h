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

/* Reads type, rank, dims and n of the array from the first n bytes of a file (TR_NPY_HEADER_MAX, or
 * all it has); *length is where the values begin. TR_ERR_DATA, naming `name`: not .npy, another
 * version, Fortran order, a type that is none of tr_number in little-endian order, an empty array.
 */
tr_status tr_npy_parse(tr_array *array, size_t *length, const void *bytes, size_t n,
                       const char *name, tr_error *err);

/* A header of version 1.0, padded as the format asks for; returns its length. */
size_t tr_npy_header(char header[TR_NPY_HEADER_MAX], const tr_array *array);

#endif
