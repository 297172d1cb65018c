/* h5_texts.h -- the strings of somebody else's HDF5 array, one after the other.
 *
 * Of any string type that h5py, MATLAB or we write: of variable or fixed length, ended by NUL or
 * padded with NULs or blanks, said to be ASCII or UTF-8. What they hold is not trusted: see utf8.h.
 */
#ifndef TR_H5_TEXTS_H
#define TR_H5_TEXTS_H

#include "h5_array.h"

/* Calls take(user, i, text, err) for each string of an array with is_text, in order; a failure of
 * it ends the reading. In a child process (h5_array.h). */
typedef tr_status tr_h5_text_taker(void *user, int64_t i, const char *text, tr_error *err);
tr_status tr_h5_texts_read(const tr_h5_file *file, const tr_h5_array *array, tr_h5_text_taker *take,
                           void *user, tr_error *err);

#endif
