/* h5_place.h -- where the values of an array lie in its file, for reading them without HDF5. */
#ifndef TR_H5_PLACE_H
#define TR_H5_PLACE_H

#include "h5_array.h"

typedef enum tr_h5_place {
    TR_H5_IN_ONE_PIECE, /* as this machine has them in memory */
    TR_H5_IN_HEADER,    /* a few values that HDF5 keeps beside their description */
    TR_H5_IN_CHUNKS,
    TR_H5_PACKED, /* in chunks that went through filters */
    TR_H5_OF_OTHER_TYPE,
    TR_H5_IN_OTHER_FILE,
    TR_H5_N_PLACES
} tr_h5_place;

/* Of an open array of `file`, whose values are wanted as `memory_type`. *offset: of the first, in
 * one piece; else 0. */
tr_h5_place tr_h5_array_place(const tr_h5_array *array, const tr_h5_file *file, hid_t memory_type,
                              int64_t *offset);

/* "it is compressed" */
const char *tr_h5_place_text(tr_h5_place place);

#endif
