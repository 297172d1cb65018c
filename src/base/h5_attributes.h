/* h5_attributes.h -- small writers and readers of HDF5 attributes in the types h5py writes. */
#ifndef TR_H5_ATTRIBUTES_H
#define TR_H5_ATTRIBUTES_H

#include <stdbool.h>

#include "h5.h"

/* A scalar variable-length string attribute; ASCII or UTF-8. False: HDF5 failed. */
bool tr_h5_write_text(hid_t object, const char *name, const char *text, H5T_cset_t charset);

/* A list of names: variable-length ASCII strings [n]; n = 0 becomes float64 [0], as h5py does; more
 * than an attribute holds become name0, name1, ..., as Keras does. */
bool tr_h5_write_names(hid_t object, const char *name, const char *const *names, size_t n);

bool tr_h5_write_int(hid_t object, const char *name, int64_t value);
bool tr_h5_write_real(hid_t object, const char *name, double value);

/* Reads a list of names of any string type that h5py or Keras wrote (variable or fixed length,
 * padded or not, one piece or chunks name0, name1, ...); absent or empty: *n = 0. Each name and the
 * list are released with tr_h5_free_names(). False: unreadable or out of memory. */
bool tr_h5_read_names(hid_t object, const char *name, char ***names, size_t *n);
void tr_h5_free_names(char **names, size_t n);

/* Reads a scalar; false when it is absent, not of that kind, or longer than n - 1 characters. */
bool tr_h5_read_int(hid_t object, const char *name, int64_t *value);
bool tr_h5_read_real(hid_t object, const char *name, double *value);
bool tr_h5_read_text(hid_t object, const char *name, char *text, size_t n);

#endif
