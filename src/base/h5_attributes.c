/* h5_attributes.c -- attributes as h5py and Keras write them; see h5_attributes.h. */
#include "h5_attributes.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"

/* ---- writing ---- */

static hid_t text_type(H5T_cset_t charset)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, charset) >= 0)
        return type;
    tr_h5_close(type);
    return H5I_INVALID_HID;
}

/* Takes `type` and `space` over. */
static bool write_attribute(hid_t object, const char *name, hid_t type, hid_t space,
                            const void *values)
{
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool ok = attribute >= 0 && (values == NULL || H5Awrite(attribute, type, values) >= 0);
    tr_h5_close(attribute);
    tr_h5_close(space);
    tr_h5_close(type);
    return ok;
}

bool tr_h5_write_text(hid_t object, const char *name, const char *text, H5T_cset_t charset)
{
    return write_attribute(object, name, text_type(charset), H5Screate(H5S_SCALAR), &text);
}

static bool write_list(hid_t object, const char *name, const char *const *names, size_t n)
{
    const hsize_t dims = n;
    if (n == 0)
        return write_attribute(object, name, H5Tcopy(H5T_IEEE_F64LE),
                               H5Screate_simple(1, &dims, NULL), NULL);
    return write_attribute(object, name, text_type(H5T_CSET_ASCII),
                           H5Screate_simple(1, &dims, NULL), names);
}

/* An attribute holds at most 64 KB, of which a name takes 16 bytes (the text lies elsewhere). */
bool tr_h5_write_names(hid_t object, const char *name, const char *const *names, size_t n)
{
    enum { MOST = 4000 };
    if (n <= MOST)
        return write_list(object, name, names, n);
    bool ok = true;
    for (size_t first = 0, i = 0; ok && first < n; first += MOST, i++) {
        char chunk[64];
        snprintf(chunk, sizeof chunk, "%s%zu", name, i);
        ok = write_list(object, chunk, names + first, n - first < MOST ? n - first : MOST);
    }
    return ok;
}

bool tr_h5_write_int(hid_t object, const char *name, int64_t value)
{
    return write_attribute(object, name, H5Tcopy(H5T_STD_I64LE), H5Screate(H5S_SCALAR), &value);
}

bool tr_h5_write_real(hid_t object, const char *name, double value)
{
    return write_attribute(object, name, H5Tcopy(H5T_IEEE_F64LE), H5Screate(H5S_SCALAR), &value);
}

/* ---- reading ---- */

void tr_h5_free_names(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++)
        tr_free(names[i]);
    tr_free(names);
}

static bool read_variable(hid_t attribute, hid_t type, hid_t space, char **names, size_t n)
{
    /* HDF5 converts no character sets: the memory type takes the file's. */
    char **raw = tr_alloc(n, sizeof *raw);
    const hid_t memory = text_type(H5Tget_cset(type));
    bool ok = raw != NULL && memory >= 0 && H5Aread(attribute, memory, raw) >= 0;
    for (size_t i = 0; ok && i < n; i++) {
        names[i] = tr_strdup(raw[i] == NULL ? "" : raw[i]);
        ok = names[i] != NULL;
    }
    if (raw != NULL && memory >= 0)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, raw);
    tr_h5_close(memory);
    tr_free(raw);
    return ok;
}

static bool read_fixed(hid_t attribute, hid_t type, char **names, size_t n)
{
    const size_t width = H5Tget_size(type);
    char *raw = tr_alloc(n, width);
    bool ok = raw != NULL && width > 0 && H5Aread(attribute, type, raw) >= 0;
    for (size_t i = 0; ok && i < n; i++) {
        const char *item = raw + i * width;
        size_t length = strnlen(item, width);
        while (H5Tget_strpad(type) == H5T_STR_SPACEPAD && length > 0 && item[length - 1] == ' ')
            length--;
        names[i] = tr_format("%.*s", (int)length, item);
        ok = names[i] != NULL;
    }
    tr_free(raw);
    return ok;
}

/* Appends the strings of one attribute to the list. */
static bool append(hid_t object, const char *name, char ***names, size_t *n)
{
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    const hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    const hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    bool ok = type >= 0 && count >= 0 && count < 1000000;
    if (ok && count > 0) {
        char **grown = tr_realloc(*names, *n, *n + (size_t)count, sizeof **names);
        ok = grown != NULL && H5Tget_class(type) == H5T_STRING;
        if (grown != NULL)
            *names = grown;
        if (ok) {
            char **at = grown + *n;
            ok = H5Tis_variable_str(type) > 0
                     ? read_variable(attribute, type, space, at, (size_t)count)
                     : read_fixed(attribute, type, at, (size_t)count);
            *n += (size_t)count; /* also on failure: those that were made are freed with the list */
        }
    }
    tr_h5_close(space);
    tr_h5_close(type);
    tr_h5_close(attribute);
    return ok;
}

bool tr_h5_read_names(hid_t object, const char *name, char ***names, size_t *n)
{
    char **list = NULL;
    size_t count = 0;
    bool ok = true;
    if (H5Aexists(object, name) > 0) {
        ok = append(object, name, &list, &count);
    } else {
        /* Keras splits a list of more than 64 KB into name0, name1, ... */
        for (int i = 0; ok; i++) {
            char chunk[64];
            snprintf(chunk, sizeof chunk, "%s%d", name, i);
            if (H5Aexists(object, chunk) <= 0)
                break;
            ok = append(object, chunk, &list, &count);
        }
    }
    if (!ok) {
        tr_h5_free_names(list, count);
        return false;
    }
    *names = list;
    *n = count;
    return true;
}

/* ---- reading scalars ---- */

static bool read_scalar(hid_t object, const char *name, hid_t memory, void *value)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    const hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    const bool ok = type >= 0 && H5Tget_class(type) == H5Tget_class(memory) && space >= 0 &&
                    H5Sget_simple_extent_npoints(space) == 1 &&
                    H5Aread(attribute, memory, value) >= 0;
    tr_h5_close(space);
    tr_h5_close(type);
    tr_h5_close(attribute);
    return ok;
}

bool tr_h5_read_int(hid_t object, const char *name, int64_t *value)
{
    return read_scalar(object, name, H5T_NATIVE_INT64, value);
}

bool tr_h5_read_real(hid_t object, const char *name, double *value)
{
    return read_scalar(object, name, H5T_NATIVE_DOUBLE, value);
}

bool tr_h5_read_text(hid_t object, const char *name, char *text, size_t n)
{
    char **found = NULL;
    size_t count = 0;
    if (H5Aexists(object, name) <= 0 || !tr_h5_read_names(object, name, &found, &count))
        return false;
    const bool ok = count == 1 && strlen(found[0]) < n;
    if (ok)
        strcpy(text, found[0]);
    tr_h5_free_names(found, count);
    return ok;
}
