/* h5_list.c -- the datasets of a file in one line; see h5_array.h. */
#include <stdio.h>
#include <string.h>

#include "h5_array.h"

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

/* ---- a walk over the file ---- */

enum { MOST_DEPTH = 64, MOST_LINKS = 1 << 20 };

typedef struct walk {
    const tr_h5_file *file;
    tr_h5_visitor *visit;
    void *user;
    char path[TR_H5_PATH];
    int depth;
    int64_t n_links;
    const char *fault;
} walk;

static herr_t stop(walk *self, const char *fault)
{
    self->fault = fault;
    return 1;
}

/* By opening it: H5Oget_info has another form in each version of HDF5. */
static bool is_group(hid_t group, const char *name)
{
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    const bool found = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    tr_h5_close(object);
    return found;
}

static herr_t walk_group(walk *self, hid_t group);

/* H5Literate visitor. HDF5's own H5Lvisit goes as deep as a file says, on the stack. */
static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    walk *self = user;
    const size_t before = strlen(self->path);
    if (++self->n_links > MOST_LINKS)
        return stop(self, "it has more than a million entries");
    if (snprintf(self->path + before, sizeof self->path - before, "%s%s", before > 0 ? "/" : "",
                 name) >= (int)(sizeof self->path - before))
        return stop(self, "it has groups of too long a name");
    herr_t result = 0;
    if (info->type == H5L_TYPE_HARD && is_group(group, name)) {
        const hid_t inner = H5Gopen2(group, name, H5P_DEFAULT);
        if (inner >= 0)
            result = walk_group(self, inner);
        tr_h5_close(inner);
    } else if (!self->visit(self->user, self->file, self->path, info)) {
        result = 1;
    }
    self->path[before] = '\0';
    return result;
}

static herr_t walk_group(walk *self, hid_t group)
{
    hsize_t at = 0;
    if (++self->depth > MOST_DEPTH)
        return stop(self, "it has more than 64 groups in each other");
    const herr_t result = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, visit_link, self);
    self->depth--;
    return result < 0 ? stop(self, "a group of it cannot be listed") : result;
}

bool tr_h5_file_visit(const tr_h5_file *file, tr_h5_visitor *visit, void *user, const char **fault)
{
    walk self = {.file = file, .visit = visit, .user = user};
    const herr_t result = walk_group(&self, file->id);
    *fault = self.fault;
    return result == 0;
}

/* ---- the list ---- */

struct listing {
    char *text;
    size_t n;
};

/* Adds a dataset's name, type and shape, or where a link leads. What cannot be opened is passed
 * over. */
static bool list_one(void *user, const tr_h5_file *file, const char *name, const H5L_info_t *info)
{
    struct listing *listing = user;
    const char *separator = listing->text[0] == '\0' ? "" : ", ";
    if (info->type != H5L_TYPE_HARD) {
        char text[TR_H5_TEXT];
        tr_text_append(listing->text, listing->n, "%s%.60s (%s)", separator, name,
                       tr_h5_link_text(file->id, name, info, text, sizeof text));
        return strlen(listing->text) + 1 < listing->n;
    }
    tr_h5_array array = {.id = H5Oopen(file->id, name, H5P_DEFAULT)};
    if (array.id >= 0 && H5Iget_type(array.id) == H5I_DATASET) {
        const hid_t type = H5Dget_type(array.id);
        tr_h5_array_describe(&array, type);
        tr_text_append(listing->text, listing->n, "%s%.60s %s", separator, name, array.text);
        tr_h5_close(type);
    }
    tr_h5_close(array.id);
    return strlen(listing->text) + 1 < listing->n;
}

void tr_h5_file_list(const tr_h5_file *file, char *text, size_t n)
{
    text[0] = '\0';
    struct listing listing = {text, n};
    const char *ignored;
    tr_h5_file_visit(file, list_one, &listing, &ignored);
    if (text[0] == '\0')
        tr_text_append(text, n, "no datasets");
    else if (strlen(text) + 1 >= n && n > 4)
        memcpy(text + n - 4, "...", 4);
}
