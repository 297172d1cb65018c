/* picture_names.c -- see picture_names.h. */
#include "picture_names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "mem.h"
#include "picture_list.h"

void tr_picture_names_release(tr_picture_names *names)
{
    for (int64_t i = 0; i < names->n; i++)
        tr_free(names->pictures[i].path);
    for (int64_t i = 0; i < names->n_groups; i++)
        tr_free(names->groups[i].reach);
    tr_free(names->pictures);
    tr_free(names->groups);
    *names = (tr_picture_names){0};
}

/* Both texts are taken over; NULL: no memory. */
static bool add_group(tr_picture_names *names, char *reach)
{
    tr_picture_group *grown =
        reach == NULL ? NULL : tr_grown(names->groups, (size_t)names->n_groups, sizeof *grown);
    if (grown == NULL) {
        tr_free(reach);
        return false;
    }
    names->groups = grown;
    names->groups[names->n_groups++] = (tr_picture_group){.reach = reach};
    return true;
}

static bool add_picture(tr_picture_names *names, char *path, int64_t label)
{
    tr_named_picture *grown =
        path == NULL ? NULL : tr_grown(names->pictures, (size_t)names->n, sizeof *grown);
    if (grown == NULL) {
        tr_free(path);
        return false;
    }
    names->pictures = grown;
    names->pictures[names->n++] = (tr_named_picture){path, (int32_t)label};
    names->n_labels += label >= 0;
    names->groups[names->n_groups - 1].n++;
    return true;
}

/* ---- a folder ---- */

static int by_path(const void *a, const void *b, void *text)
{
    const tr_listed_picture *x = a, *y = b;
    return strcmp((const char *)text + x->path, (const char *)text + y->path);
}

static int64_t label_of(const char *path, const tr_legend *legend)
{
    char folder[TR_CLASS_NAME_MAX];
    for (const char *end; (end = strchr(path, '/')) != NULL; path = end + 1) {
        const size_t n = (size_t)(end - path);
        if (n == 0 || n >= sizeof folder)
            continue;
        memcpy(folder, path, n);
        folder[n] = '\0';
        const int64_t class = tr_legend_find(legend, folder);
        if (class >= 0)
            return class;
    }
    return -1;
}

static tr_status add_folder(tr_picture_names *names, const char *folder, const tr_legend *legend,
                            tr_error *err)
{
    tr_picture_list list = {0};
    tr_status status = tr_picture_list_walk(&list, folder, err);
    if (status == TR_OK && list.n == 0)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: no pictures in it; expected .jpg, .png, .gif, .bmp, .pgm or .ppm "
                         "files, or folders with them",
                         folder);
    if (status == TR_OK && !add_group(names, tr_strdup(folder)))
        status = tr_out_of_memory(err, folder);
    if (status == TR_OK)
        qsort_r(list.pictures, (size_t)list.n, sizeof *list.pictures, by_path, list.text);
    for (int64_t i = 0; i < list.n && status == TR_OK; i++) {
        const char *path = list.text + list.pictures[i].path;
        if (!add_picture(names, tr_path_join(folder, path), label_of(path, legend)))
            status = tr_out_of_memory(err, folder);
    }
    tr_picture_list_release(&list);
    return status;
}

/* ---- a file ---- */

/* "." for a name alone. NULL: no memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return tr_strdup(".");
    return tr_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* Files of one folder are read together; what a link leads to, alone. */
static tr_status add_file(tr_picture_names *names, const char *path, bool plain, tr_error *err)
{
    char *reach = plain ? folder_of(path) : tr_strdup(path);
    if (reach == NULL)
        return tr_out_of_memory(err, path);
    const char *last = names->n_groups > 0 ? names->groups[names->n_groups - 1].reach : "";
    bool fine = true;
    if (strcmp(last, reach) == 0)
        tr_free(reach);
    else
        fine = add_group(names, reach);
    return fine && add_picture(names, tr_strdup(path), -1) ? TR_OK : tr_out_of_memory(err, path);
}

tr_status tr_picture_names_add(tr_picture_names *names, const char *argument,
                               const tr_legend *legend, tr_error *err)
{
    struct stat info, link;
    const bool there = stat(argument, &info) == 0 && lstat(argument, &link) == 0;
    if (there && S_ISDIR(info.st_mode))
        return add_folder(names, argument, legend, err);
    return add_file(names, argument, there && S_ISREG(link.st_mode), err);
}
