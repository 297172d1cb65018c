/* picture_list.c -- see picture_list.h; folders on disk are picture_folder.c, parts
 * picture_parts.c. */
#include "picture_list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "picture_parts.h"
#include "utf8.h"

static const char *const picture_ends[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png",
                                           ".gif", ".bmp",  ".pgm", ".ppm",  ".pnm"};

bool tr_is_picture_name(const char *name)
{
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end != NULL && i < sizeof picture_ends / sizeof picture_ends[0]; i++)
        if (strcasecmp(end, picture_ends[i]) == 0)
            return true;
    return false;
}

static void free_texts(char **texts, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        tr_free(texts[i]);
    tr_free(texts);
}

void tr_picture_list_release(tr_picture_list *list)
{
    tr_free(list->text);
    tr_free(list->pictures);
    tr_free(list->folders);
    free_texts(list->classes, list->n_classes);
    free_texts(list->empty, list->n_empty);
    *list = (tr_picture_list){0};
}

/* ---- adding ---- */

void tr_picture_list_skip(tr_picture_list *list, const char *kind)
{
    tr_skipped *at = list->skipped, *last = at + TR_SKIPPED_KINDS - 1;
    char text[TR_SKIPPED_KIND] = "";
    for (size_t i = 0; kind[i] != '\0' && i + 1 < sizeof text; i++)
        text[i] = (char)(isprint((unsigned char)kind[i]) ? tolower((unsigned char)kind[i]) : '?');
    while (at < last && at->n > 0 && strcmp(at->kind, text) != 0)
        at++;
    snprintf(at->kind, sizeof at->kind, "%s", at == last ? "others" : text);
    at->n++;
}

/* Hidden is also what one program leaves beside the pictures of another in an archive. */
static bool is_hidden(const char *path)
{
    for (const char *name = path; name != NULL; name = strchr(name, '/')) {
        name += *name == '/';
        if (*name == '.' || strncmp(name, "__MACOSX/", 9) == 0)
            return true;
    }
    return false;
}

static bool add_text(tr_picture_list *list, const char *path, size_t *at)
{
    const size_t n = strlen(path) + 1;
    if (list->room - list->n_text < n) {
        const size_t room = 2 * list->room + n + 4096;
        char *grown = tr_realloc(list->text, list->n_text, room, 1);
        if (grown == NULL)
            return false;
        list->text = grown;
        list->room = room;
    }
    *at = list->n_text;
    memcpy(list->text + *at, path, n);
    list->n_text += n;
    return true;
}

static bool add_folder(tr_picture_list *list, const char *path)
{
    size_t *grown = tr_grown(list->folders, (size_t)list->n_folders, sizeof *grown);
    if (grown == NULL)
        return false;
    list->folders = grown;
    return add_text(list, path, &list->folders[list->n_folders++]);
}

static bool add_picture(tr_picture_list *list, const char *path, int64_t ordinal)
{
    tr_listed_picture *grown = tr_grown(list->pictures, (size_t)list->n, sizeof *grown);
    if (grown == NULL)
        return false;
    list->pictures = grown;
    list->pictures[list->n].ordinal = ordinal;
    return add_text(list, path, &list->pictures[list->n++].path);
}

tr_status tr_picture_list_add(tr_picture_list *list, const char *path, int64_t ordinal,
                              tr_error *err)
{
    const size_t n = strlen(path);
    const bool folder = n > 0 && path[n - 1] == '/';
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    bool fine = true;
    if (n == 0 || (is_hidden(path) && folder))
        return TR_OK;
    if (is_hidden(path))
        tr_picture_list_skip(list, "hidden");
    else if (folder)
        fine = add_folder(list, path);
    else if (tr_is_picture_name(name))
        fine = add_picture(list, path, ordinal);
    else
        tr_picture_list_skip(list, strrchr(name, '.') == NULL ? "no ending" : strrchr(name, '.'));
    return fine ? TR_OK : tr_out_of_memory(err, path);
}

/* ---- order and classes ---- */

/* As strcmp(), name by name: "a/b" is before "a-b/c", as "a" is before "a-b". */
static int compare_paths(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    const int x = *a == '/' ? 1 : (unsigned char)*a + 1, y = *b == '/' ? 1 : (unsigned char)*b + 1;
    return (*a == '\0' ? 0 : x) - (*b == '\0' ? 0 : y);
}

static int compare_pictures(const void *a, const void *b, void *user)
{
    const tr_picture_list *list = user;
    const tr_listed_picture *x = a, *y = b;
    const int by_part = x->part - y->part;
    const int by_path = compare_paths(tr_class_path(list, x), tr_class_path(list, y));
    const int by_whole = strcmp(list->text + x->path, list->text + y->path); /* val/, valid/ */
    return by_part != 0    ? by_part
           : by_path != 0  ? by_path
           : by_whole != 0 ? by_whole
                           : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Does the class of that path have that name? */
static bool is_of_class(const char *path, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(path, name, n) == 0 && path[n] == '/';
}

/* Appends the first name of `path`. */
static bool add_name(char ***names, int64_t *n, const char *path)
{
    char **grown = tr_grown(*names, (size_t)*n, sizeof *grown);
    if (grown == NULL)
        return false;
    *names = grown;
    grown[*n] = tr_format("%.*s", (int)(strchr(path, '/') - path), path);
    return grown[(*n)++] != NULL;
}

static int64_t sort_unique(char **names, int64_t n)
{
    int64_t kept = 0;
    if (n > 1)
        qsort(names, (size_t)n, sizeof *names, compare_texts);
    for (int64_t i = 0; i < n; i++)
        if (kept > 0 && strcmp(names[i], names[kept - 1]) == 0)
            tr_free(names[i]);
        else
            names[kept++] = names[i];
    return kept;
}

/* Pictures are sorted. */
static bool find_classes(tr_picture_list *list)
{
    for (int64_t i = 0; i < list->n; i++) {
        const char *path = tr_class_path(list, &list->pictures[i]);
        if (list->n_classes == 0 || !is_of_class(path, list->classes[list->n_classes - 1]))
            if (!add_name(&list->classes, &list->n_classes, path))
                return false;
    }
    list->n_classes = sort_unique(list->classes, list->n_classes);
    for (int64_t i = 0, class = -1; i < list->n; i++) {
        const char *path = tr_class_path(list, &list->pictures[i]);
        if (class < 0 || !is_of_class(path, list->classes[class]))
            for (class = 0; !is_of_class(path, list->classes[class]);)
                class ++;
        list->pictures[i].class = (int32_t) class;
        list->n_of_part[list->pictures[i].part]++;
    }
    return true;
}

/* Folders where classes are, with no picture in any part. */
static bool find_empty(tr_picture_list *list)
{
    for (int64_t i = 0; i < list->n_folders; i++) {
        const char *path = list->text + list->folders[i], *rest = path;
        const int part = list->has_parts ? tr_part_of(path, &rest) : TR_PART_TRAIN;
        const char *slash = strchr(rest, '/');
        bool found = part < 0 || slash == NULL || slash[1] != '\0';
        for (int64_t k = 0; !found && k < list->n_classes; k++)
            found = is_of_class(rest, list->classes[k]);
        if (!found && !add_name(&list->empty, &list->n_empty, rest))
            return false;
    }
    list->n_empty = sort_unique(list->empty, list->n_empty);
    return true;
}

/* ---- what cannot be trained on ---- */

/* The first class without a picture in the training part, or -1. */
static int64_t untrained_class(const tr_picture_list *list)
{
    int64_t next = 0;
    for (int64_t i = 0; i < list->n_of_part[TR_PART_TRAIN]; i++)
        if (list->pictures[i].class == next)
            next++;
    return next < list->n_classes ? next : -1;
}

static tr_status check(const tr_picture_list *list, const char *path, tr_error *err)
{
    if (list->n == 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: there are no pictures in folders in it; expected a folder for each "
                       "class with its .jpg, .png, .gif, .bmp, .pgm or .ppm pictures",
                       path);
    if (list->n > INT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%s: more than 2147483647 pictures", path);
    for (int64_t i = 0; i < list->n_classes; i++) {
        char clean[1024]; /* in a table it must be what it is */
        tr_utf8_clean(clean, sizeof clean, list->classes[i]);
        if (strcmp(clean, list->classes[i]) != 0)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: the name of the folder %s is not UTF-8, or does things to a "
                           "terminal; rename it",
                           path, clean);
    }
    if (list->n_classes == 1)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: there is only one class, %s; expected a folder for each of several",
                       path, list->classes[0]);
    const int64_t untrained = untrained_class(list);
    if (untrained >= 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the class %s has pictures in other parts, but none in train", path,
                       list->classes[untrained]);
    return TR_OK;
}

tr_status tr_picture_list_finish(tr_picture_list *list, const char *path, bool whole, tr_error *err)
{
    if (whole)
        tr_picture_list_drop_wrapper(list);
    TR_TRY(tr_picture_list_find_parts(list, path, err));
    if (list->n > 1)
        qsort_r(list->pictures, (size_t)list->n, sizeof *list->pictures, compare_pictures, list);
    if (!find_classes(list) || !find_empty(list))
        return tr_out_of_memory(err, path);
    return check(list, path, err);
}
