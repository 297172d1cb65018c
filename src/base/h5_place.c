/* h5_place.c -- see h5_place.h. */
#include "h5_place.h"

#include <string.h>

/* Bytes of h5py's bool are read as numbers, too. */
static bool same_bytes(hid_t type, const tr_h5_array *array, hid_t memory_type)
{
    return array->is_uint8 ? H5Tequal(memory_type, H5T_NATIVE_UINT8) > 0 && H5Tget_size(type) == 1
                           : H5Tequal(type, memory_type) > 0;
}

static tr_h5_place chunked_place(hid_t plist)
{
    return H5Pget_nfilters(plist) > 0 ? TR_H5_PACKED : TR_H5_IN_CHUNKS;
}

tr_h5_place tr_h5_array_place(const tr_h5_array *array, const tr_h5_file *file, hid_t memory_type,
                              int64_t *offset)
{
    const hid_t plist = H5Dget_create_plist(array->id), type = H5Dget_type(array->id);
    const H5D_layout_t layout = H5Pget_layout(plist);
    tr_h5_place place = TR_H5_IN_ONE_PIECE;
    *offset = 0;
    if (strcmp(array->file, file->path) != 0 || H5Pget_external_count(plist) != 0 ||
        layout == H5D_VIRTUAL)
        place = TR_H5_IN_OTHER_FILE;
    else if (layout == H5D_COMPACT)
        place = TR_H5_IN_HEADER;
    else if (layout != H5D_CONTIGUOUS)
        place = chunked_place(plist);
    else if (!same_bytes(type, array, memory_type))
        place = TR_H5_OF_OTHER_TYPE;
    else
        *offset = (int64_t)H5Dget_offset(array->id);
    tr_h5_close(type);
    tr_h5_close(plist);
    return place;
}

const char *tr_h5_place_text(tr_h5_place place)
{
    static const char *const texts[TR_H5_N_PLACES] = {
        [TR_H5_IN_ONE_PIECE] = "it lies in one piece",
        [TR_H5_IN_HEADER] = "it lies in a header of the file",
        [TR_H5_IN_CHUNKS] = "it lies in chunks",
        [TR_H5_PACKED] = "it is compressed",
        [TR_H5_OF_OTHER_TYPE] = "it is neither uint8 nor float32 of this machine's byte order",
        [TR_H5_IN_OTHER_FILE] = "it lies in another file"};
    return texts[place];
}
