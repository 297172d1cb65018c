/* h5_path.c -- see h5_path.h. */
#include "h5_path.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SOFT_LINKS = 16 };

typedef struct walk {
    const tr_h5_file *file;
    const char *path;      /* as asked for */
    char *resolved;        /* of hard links, without a "/" at its ends */
    char todo[TR_H5_PATH]; /* what comes behind it */
    int soft_links;
    tr_h5_target *target;
    tr_error *err;
} walk;

const char *tr_h5_advice(tr_h5_policy policy)
{
    return policy == TR_H5_MODEL
               ? "a model must lie whole in its file"
               : "a dataset that lies in several files is read with [data] external_files = true";
}

static tr_h5_way fail(const walk *self, tr_h5_way way, const char *what)
{
    (void)tr_fail(self->err, TR_ERR_DATA, "%s: %s: %s", self->file->path,
                  self->path[0] == '\0' ? "/" : self->path, what);
    return way;
}

static tr_h5_way fail_outside(const walk *self, const H5L_info_t *info)
{
    char value[TR_H5_PATH] = "";
    const char *to = NULL, *object = NULL;
    unsigned flags;
    if (info->type == H5L_TYPE_EXTERNAL && info->u.val_size < sizeof value &&
        H5Lget_val(self->file->id, self->resolved, value, sizeof value, H5P_DEFAULT) >= 0)
        H5Lunpack_elink_val(value, info->u.val_size, &flags, &to, &object);
    if (self->target != NULL &&
        (to == NULL || strlen(to) >= TR_H5_PATH ||
         snprintf(self->target->object, TR_H5_PATH, "%s/%s", object, self->todo) >= TR_H5_PATH))
        return fail(self, TR_H5_WAY_UNKNOWN, "an external link on the way cannot be read");
    if (self->target != NULL)
        strcpy(self->target->file, to);
    (void)tr_fail(
        self->err, TR_ERR_DATA,
        "%s: %s: %s is an external link to %.200s in the file %.200s, which is not followed; "
        "%s",
        self->file->path, self->path, self->resolved, object == NULL ? "something" : object,
        to == NULL ? "of an unknown name" : to, tr_h5_advice(self->file->policy));
    return TR_H5_WAY_OUTSIDE;
}

/* Takes the next component of `todo` off; false: none is left. */
static bool next_component(char *todo, char component[TR_H5_PATH])
{
    do {
        const size_t skip = strspn(todo, "/"), n = strcspn(todo + skip, "/");
        memcpy(component, todo + skip, n);
        component[n] = '\0';
        memmove(todo, todo + skip + n, strlen(todo + skip + n) + 1);
    } while (strcmp(component, ".") == 0);
    return component[0] != '\0';
}

/* Puts what the soft link `resolved` stands for in front of `todo`. */
static tr_h5_way replace_soft_link(walk *self, const H5L_info_t *info)
{
    char target[TR_H5_PATH], rest[TR_H5_PATH];
    if (++self->soft_links > MOST_SOFT_LINKS)
        return fail(self, TR_H5_WAY_UNKNOWN, "its soft links lead in a circle");
    if (info->u.val_size > sizeof target ||
        H5Lget_val(self->file->id, self->resolved, target, sizeof target, H5P_DEFAULT) < 0)
        return fail(self, TR_H5_WAY_UNKNOWN, "a soft link on the way cannot be read");
    target[sizeof target - 1] = '\0';
    memcpy(rest, self->todo, sizeof rest);
    if (snprintf(self->todo, sizeof self->todo, "%s/%s", target, rest) >= (int)sizeof self->todo)
        return fail(self, TR_H5_WAY_UNKNOWN, "its name is too long");
    char *slash = strrchr(self->resolved, '/');
    if (target[0] == '/' || slash == NULL)
        self->resolved[0] = '\0';
    else
        *slash = '\0';
    return TR_H5_WAY_INSIDE;
}

static tr_h5_way step(walk *self, const char *component)
{
    const size_t used = strlen(self->resolved);
    if (snprintf(self->resolved + used, TR_H5_PATH - used, "%s%s", used == 0 ? "" : "/",
                 component) >= (int)(TR_H5_PATH - used))
        return fail(self, TR_H5_WAY_UNKNOWN, "its name is too long");
    const htri_t exists = H5Lexists(self->file->id, self->resolved, H5P_DEFAULT);
    if (exists == 0)
        return fail(self, TR_H5_WAY_NOWHERE, "is not in the file");
    H5L_info_t info;
    if (exists < 0 || H5Lget_info(self->file->id, self->resolved, &info, H5P_DEFAULT) < 0)
        return fail(self, TR_H5_WAY_UNKNOWN, "HDF5 cannot look for it; is the file damaged?");
    if (info.type == H5L_TYPE_HARD)
        return TR_H5_WAY_INSIDE;
    return info.type == H5L_TYPE_SOFT ? replace_soft_link(self, &info) : fail_outside(self, &info);
}

tr_h5_way tr_h5_path_resolve(const tr_h5_file *file, const char *path, char resolved[TR_H5_PATH],
                             tr_h5_target *target, tr_error *err)
{
    walk self = {.file = file, .path = path, .resolved = resolved, .target = target, .err = err};
    char component[TR_H5_PATH];
    resolved[0] = '\0';
    if (strlen(path) >= sizeof self.todo)
        return fail(&self, TR_H5_WAY_UNKNOWN, "its name is too long");
    strcpy(self.todo, path);
    while (next_component(self.todo, component)) {
        const tr_h5_way way = step(&self, component);
        if (way != TR_H5_WAY_INSIDE)
            return way;
    }
    if (resolved[0] == '\0')
        strcpy(resolved, "/");
    return TR_H5_WAY_INSIDE;
}
