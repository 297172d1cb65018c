/* h5_list.c -- the datasets of a file in one line; see h5_array.h. */
#include <stdio.h>
#include <string.h>

#include "h5_array.h"

struct listing {
    char *text;
    size_t n;
};

const char *tr_h5_link_text(hid_t group, const char *name, const H5L_info_t *info, char *text,
                            size_t n)
{
    char value[TR_H5_PATH] = "";
    const char *file = NULL, *object = NULL;
    unsigned flags;
    snprintf(text, n, "a link that cannot be read");
    if (info->u.val_size >= sizeof value ||
        H5Lget_val(group, name, value, sizeof value, H5P_DEFAULT) < 0)
        return text;
    if (info->type == H5L_TYPE_SOFT)
        snprintf(text, n, "a link to %s", value);
    else if (info->type == H5L_TYPE_EXTERNAL &&
             H5Lunpack_elink_val(value, info->u.val_size, &flags, &file, &object) >= 0)
        snprintf(text, n, "an external link to %s in the file %s", object, file);
    return text;
}

/* H5Lvisit visitor: adds a dataset's name, type and shape, or where a link leads. Links are not
 * followed; what cannot be opened is passed over. */
static herr_t list_one(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    struct listing *listing = user;
    const char *separator = listing->text[0] == '\0' ? "" : ", ";
    if (info->type != H5L_TYPE_HARD) {
        char text[TR_H5_TEXT];
        tr_text_append(listing->text, listing->n, "%s%.60s (%s)", separator, name,
                       tr_h5_link_text(group, name, info, text, sizeof text));
        return strlen(listing->text) + 1 < listing->n ? 0 : 1;
    }
    tr_h5_array array = {.id = H5Oopen(group, name, H5P_DEFAULT)};
    if (array.id >= 0 && H5Iget_type(array.id) == H5I_DATASET) {
        const hid_t type = H5Dget_type(array.id);
        tr_h5_array_describe(&array, type);
        tr_text_append(listing->text, listing->n, "%s%.60s %s", separator, name, array.text);
        tr_h5_close(type);
    }
    tr_h5_close(array.id);
    return strlen(listing->text) + 1 < listing->n ? 0 : 1; /* 1: full, stop */
}

void tr_h5_file_list(const tr_h5_file *file, char *text, size_t n)
{
    text[0] = '\0';
    struct listing listing = {text, n};
    H5Lvisit(file->id, H5_INDEX_NAME, H5_ITER_INC, list_one, &listing);
    if (text[0] == '\0')
        tr_text_append(text, n, "no datasets");
    else if (strlen(text) + 1 >= n && n > 4)
        memcpy(text + n - 4, "...", 4);
}
