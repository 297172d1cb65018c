/* picture_parts.c -- see picture_parts.h. */
#include "picture_parts.h"

#include <string.h>
#include <strings.h>

#include "utf8.h"

int tr_part_of(const char *path, const char **rest)
{
    static const struct {
        const char *name;
        int part;
    } names[] = {{"train/", TR_PART_TRAIN},
                 {"test/", TR_PART_TEST},
                 {"validation/", TR_PART_VALIDATION},
                 {"valid/", TR_PART_VALIDATION},
                 {"val/", TR_PART_VALIDATION}};
    *rest = path;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncasecmp(path, names[i].name, strlen(names[i].name)) == 0) {
            *rest = path + strlen(names[i].name);
            return names[i].part;
        }
    return -1;
}

const char *tr_class_path(const tr_picture_list *list, const tr_listed_picture *picture)
{
    const char *path = list->text + picture->path, *rest = path;
    if (list->has_parts)
        tr_part_of(path, &rest);
    return rest;
}

void tr_picture_list_drop_wrapper(tr_picture_list *list)
{
    while (list->n > 0) {
        const char *first = list->text + list->pictures[0].path, *slash = strchr(first, '/');
        const size_t n = slash == NULL ? 0 : (size_t)(slash + 1 - first);
        bool all = n > 0;
        for (int64_t i = 0; all && i < list->n; i++) {
            const char *path = list->text + list->pictures[i].path;
            all = strncmp(path, first, n) == 0 && strchr(path + n, '/') != NULL;
        }
        if (!all)
            return;
        for (int64_t i = 0; i < list->n; i++)
            list->pictures[i].path += n;
        for (int64_t i = 0; i < list->n_folders; i++)
            if (strncmp(list->text + list->folders[i], first, n) == 0)
                list->folders[i] += n;
    }
}

/* There are parts where there is a folder train, or where all folders are called as parts, in
 * capitals or not: a class may be called Train among others. */
static tr_status look_for_parts(tr_picture_list *list, const char *path, tr_error *err)
{
    const char *rest;
    int64_t n_in_folders = 0, n_in_parts = 0;
    bool train = false, plain = false;
    for (int64_t i = 0; i < list->n; i++) {
        const char *text = list->text + list->pictures[i].path;
        const int part = tr_part_of(text, &rest);
        n_in_folders += strchr(text, '/') != NULL;
        n_in_parts += part >= 0;
        train = train || part == TR_PART_TRAIN;
        plain = plain || strncmp(text, "train/", 6) == 0;
    }
    const bool all = n_in_parts > 0 && n_in_parts == n_in_folders;
    list->has_parts = plain || all;
    if (!all || train)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: its folders are test or validation sets, and there is no train beside "
                   "them; expected train, test and validation, or a folder for each class",
                   path);
}

tr_status tr_picture_list_find_parts(tr_picture_list *list, const char *path, tr_error *err)
{
    const char *rest;
    TR_TRY(look_for_parts(list, path, err));
    int64_t n = 0;
    for (int64_t i = 0; i < list->n; i++) {
        tr_listed_picture picture = list->pictures[i];
        const char *text = list->text + picture.path;
        const int part = list->has_parts ? tr_part_of(text, &rest) : TR_PART_TRAIN;
        if (part < 0) {
            char name[256];
            tr_utf8_clean(name, sizeof name, text);
            return tr_fail(err, TR_ERR_DATA,
                           "%s: beside the folder train there is a picture %s; expected train, "
                           "test and validation alone, or classes alone",
                           path, name);
        }
        picture.part = (int8_t)part;
        if (strchr(tr_class_path(list, &picture), '/') == NULL)
            tr_picture_list_skip(list, "in no class");
        else
            list->pictures[n++] = picture;
    }
    list->n = n;
    return TR_OK;
}
