/* inspect_attributes.c -- attributes as text; see inspect.h. */
#include <stdio.h>
#include <string.h>

#include "h5.h"
#include "inspect.h"
#include "mem.h"

enum { SHORT = 120, MANY = 8, LARGEST_TEXT = 1 << 24 };

/* A text that is not short is only measured: a whole model in JSON is no line of a list. */
static void put_text(char *value, size_t n, const char *text, size_t length)
{
    if (length <= SHORT && memchr(text, '\n', length) == NULL)
        snprintf(value, n, "%.*s", (int)length, text);
    else
        snprintf(value, n, "(text of %zu bytes)", length);
}

static bool read_text(char *value, size_t n, hid_t attribute, hid_t type)
{
    const size_t width = H5Tget_size(type);
    bool ok = false;
    if (H5Tis_variable_str(type) > 0) {
        char *text = NULL;
        /* HDF5 converts no character sets: the memory type takes the file's. */
        const hid_t memory = H5Tcopy(H5T_C_S1);
        ok = H5Tset_size(memory, H5T_VARIABLE) >= 0 &&
             H5Tset_cset(memory, H5Tget_cset(type)) >= 0 && H5Aread(attribute, memory, &text) >= 0;
        if (ok)
            put_text(value, n, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
        H5free_memory(text);
        tr_h5_close(memory);
    } else if (width > 0 && width <= LARGEST_TEXT) {
        char *text = tr_alloc(width, 1);
        ok = text != NULL && H5Aread(attribute, type, text) >= 0;
        if (ok)
            put_text(value, n, text, strnlen(text, width));
        tr_free(text);
    }
    return ok;
}

static bool read_numbers(char *value, size_t n, hid_t attribute, bool is_float, int count)
{
    double reals[MANY] = {0};
    int64_t wholes[MANY] = {0};
    size_t used = 0;
    if (is_float ? H5Aread(attribute, H5T_NATIVE_DOUBLE, reals) < 0
                 : H5Aread(attribute, H5T_NATIVE_INT64, wholes) < 0)
        return false;
    for (int i = 0; i < count && used < n; i++) {
        const char *before = i > 0 ? ", " : "";
        used += (size_t)(is_float ? snprintf(value + used, n - used, "%s%.9g", before, reals[i])
                                  : snprintf(value + used, n - used, "%s%lld", before,
                                             (long long)wholes[i]));
    }
    return true;
}

/* H5Aiterate visitor. */
static herr_t visit(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    (void)info;
    tr_inspection *found = user;
    if (found->n_attributes == TR_INSPECT_ATTRIBUTES)
        return 1;
    tr_inspect_attribute *out = &found->attributes[found->n_attributes++];
    snprintf(out->name, sizeof out->name, "%s", name);
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    const hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    const hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    bool ok = false;
    if (class == H5T_STRING && count == 1)
        ok = read_text(out->value, sizeof out->value, attribute, type);
    else if ((class == H5T_INTEGER || class == H5T_FLOAT) && count >= 1 && count <= MANY)
        ok = read_numbers(out->value, sizeof out->value, attribute, class == H5T_FLOAT, (int)count);
    if (!ok) {
        char text[32] = "unreadable";
        if (type >= 0)
            tr_h5_type_text(type, text, sizeof text);
        snprintf(out->value, sizeof out->value, "(%lld of %s)", (long long)count, text);
    }
    tr_h5_close(space);
    tr_h5_close(type);
    tr_h5_close(attribute);
    return 0;
}

void tr_inspect_attributes(tr_inspection *inspection, hid_t file, const char *group)
{
    if (group[0] != '\0' && H5Lexists(file, group, H5P_DEFAULT) <= 0)
        return;
    const hid_t id = H5Oopen(file, group[0] == '\0' ? "/" : group, H5P_DEFAULT);
    const int64_t first = inspection->n_attributes;
    hsize_t at = 0;
    if (id >= 0)
        H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, &at, visit, inspection);
    for (int64_t i = first; i < inspection->n_attributes; i++)
        snprintf(inspection->attributes[i].group, sizeof inspection->attributes[i].group, "%s",
                 group);
    tr_h5_close(id);
}
