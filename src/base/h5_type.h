/* h5_type.h -- the types of elements that a file may have, by name. */
#ifndef TR_H5_TYPE_H
#define TR_H5_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "h5.h"

/* "uint8", "float32", "bfloat16", "bool", "string", ...; cut to fit. */
void tr_h5_type_text(hid_t type, char *text, size_t n);

/* An enumeration of one byte, FALSE = 0 and TRUE = 1, as h5py stores NumPy's bool. */
bool tr_h5_type_is_bool(hid_t type);

/* The type of a dataset's elements in the file, of an enumeration that of its integers. Close it.
 */
hid_t tr_h5_stored_type(hid_t dataset);

/* Adds to text[n] behind its present end; what does not fit is cut. */
void tr_text_append(char *text, size_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
