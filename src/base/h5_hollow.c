/* h5_hollow.c -- see h5_hollow.h.
 *
 * HDF5 writes a contiguous dataset without storage as a layout message with an address of all ones
 * (File Format Specification, "Data Layout Message", version 3): 3, 1, address, size. The address
 * is put in; so is the end of the file in the superblock (version 0, at 40), beyond which HDF5
 * would not read. h5_write.c asks for that format whatever the library's default, and what is found
 * otherwise is an error, not a guess.
 */
#include "h5_hollow.h"

#include <string.h>

#include "h5_write.h"

enum { END_OF_FILE = 40, ADDRESS = 8, MOST_HEADER = 1024 };

int64_t tr_h5_hollow_bytes(const tr_h5_hollow *array)
{
    int64_t n = array->is_float ? sizeof(float) : 1;
    for (int i = 0; i < array->n_dims; i++)
        n *= array->dims[i];
    return n;
}

/* Where the header of an object lies in its file; HDF5 1.12 made it a matter of the file's kind. */
static bool find_header(hid_t object, uint64_t *address)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    haddr_t found;
    if (H5Oget_info3(object, &info, H5O_INFO_BASIC) < 0 ||
        H5VLnative_token_to_addr(object, info.token, &found) < 0)
        return false;
    *address = found;
#else
    H5O_info_t info;
    if (H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0)
        return false;
    *address = info.addr;
#endif
    return true;
}

tr_status tr_h5_write_hollow(hid_t file, tr_h5_hollow *array, tr_error *err)
{
    hsize_t extent[4];
    for (int i = 0; i < array->n_dims; i++)
        extent[i] = (hsize_t)array->dims[i];
    const hid_t space = H5Screate_simple(array->n_dims, extent, NULL);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && creation >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0 &&
        H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_LATE) >= 0 &&
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(file, array->name, array->is_float ? H5T_IEEE_F32LE : H5T_STD_U8LE,
                             space, links, creation, H5P_DEFAULT);
    const bool fine = dataset >= 0 && find_header(dataset, &array->header);
    tr_h5_close(dataset);
    tr_h5_close(links);
    tr_h5_close(creation);
    tr_h5_close(space);
    return fine ? TR_OK : tr_h5_write_failed(err, array->name);
}

static void put_address(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < ADDRESS; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* The layout message, which must be there once. */
static uint8_t *find_layout(uint8_t *image, size_t n, const tr_h5_hollow *array)
{
    uint8_t message[2 + 2 * ADDRESS] = {3, 1};
    memset(message + 2, 0xff, ADDRESS);
    put_address(message + 2 + ADDRESS, (uint64_t)tr_h5_hollow_bytes(array));
    if (array->header >= n)
        return NULL;
    const size_t most = n - array->header < MOST_HEADER ? n - array->header : MOST_HEADER;
    return memmem(image + array->header, most, message, sizeof message);
}

tr_status tr_h5_place_hollow(void *image, size_t n, const tr_h5_hollow *arrays, int n_arrays,
                             int64_t file_bytes, tr_error *err)
{
    static const uint8_t head[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 0};
    uint8_t *bytes = image;
    bool fine = n > END_OF_FILE + ADDRESS && memcmp(bytes, head, sizeof head) == 0 &&
                bytes[13] == ADDRESS && bytes[14] == ADDRESS;
    for (int i = 0; fine && i < n_arrays; i++) {
        uint8_t *layout = find_layout(bytes, n, &arrays[i]);
        fine = layout != NULL;
        if (fine)
            put_address(layout + 2, (uint64_t)arrays[i].offset);
    }
    if (!fine)
        return tr_fail(err, TR_ERR_INTERNAL,
                       "HDF5 made a file of another format than it was asked for");
    put_address(bytes + END_OF_FILE, (uint64_t)file_bytes);
    return TR_OK;
}
