/* emnist.c -- see emnist.h. */
#include "emnist.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* The labels of a set count its characters, from `first` on. */
static const struct {
    const char *set, *characters;
    int first;
} sets[] = {
    {"byclass", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 0},
    {"bymerge", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 0},
    {"balanced", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 0},
    {"letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1},
    {"digits", "0123456789", 0},
    {"mnist", "0123456789", 0},
};

/* "letters" of emnist-letters-train-images-idx3-ubyte.gz; false: another file. */
static bool set_of(char set[TR_EMNIST_SET_MAX], const char *file)
{
    static const char head[] = "emnist-", tail[] = "-train-images";
    if (strncmp(file, head, strlen(head)) != 0)
        return false;
    file += strlen(head);
    const char *end = strstr(file, tail);
    if (end == NULL || end == file || end - file >= TR_EMNIST_SET_MAX)
        return false;
    snprintf(set, TR_EMNIST_SET_MAX, "%.*s", (int)(end - file), file);
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The sets of a folder, each once: "balanced, letters"; *n: how many. `last`: one of them. */
static void list_sets(char *text, size_t size, int *n, char last[TR_EMNIST_SET_MAX],
                      const char *folder)
{
    struct dirent **entries = NULL;
    const int n_entries = scandir(folder, &entries, NULL, by_name);
    size_t used = 0;
    char set[TR_EMNIST_SET_MAX];
    *n = 0;
    text[0] = last[0] = '\0';
    for (int i = 0; i < n_entries; i++) {
        if (set_of(set, entries[i]->d_name) && strcmp(set, last) != 0 && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", *n > 0 ? ", " : "", set);
            memcpy(last, set, sizeof set);
            ++*n;
        }
        free(entries[i]);
    }
    free(entries);
}

tr_status tr_emnist_find(char set[TR_EMNIST_SET_MAX], const char *folder, const char *wanted,
                         tr_error *err)
{
    char list[256];
    int n;
    list_sets(list, sizeof list, &n, set, folder);
    if (wanted != NULL && wanted[0] == '\0')
        return tr_fail(err, TR_ERR_CONFIG, "--emnist: names no set; it is one such as letters");
    if (wanted == NULL && n <= 1)
        return TR_OK;
    if (wanted == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: has several sets of EMNIST: %s; say which (--emnist SET)", folder,
                       list);
    char *all = tr_format(", %s,", list), *one = tr_format(", %s,", wanted);
    const bool complete = all != NULL && one != NULL, found = complete && strstr(all, one) != NULL;
    tr_free(all);
    tr_free(one);
    if (!complete)
        return tr_out_of_memory(err, folder);
    if (!found)
        return tr_fail(err, TR_ERR_CONFIG, "%s: has no emnist-%s-train-images-idx3-ubyte; %s%s",
                       folder, wanted, n == 0 ? "nor any other set of EMNIST" : "it has: ", list);
    snprintf(set, TR_EMNIST_SET_MAX, "%s", wanted);
    return TR_OK;
}

tr_status tr_emnist_turn(tr_idx *images, tr_error *err)
{
    const int64_t h = images->dims[1], w = images->dims[2];
    uint8_t *turned = tr_alloc((size_t)images->n_values, 1);
    if (turned == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < images->dims[0]; i++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++)
                turned[(i * w + x) * h + y] = images->values[(i * h + y) * w + x];
    tr_free(images->values);
    images->values = turned;
    images->dims[1] = w;
    images->dims[2] = h;
    return TR_OK;
}

tr_status tr_emnist_classes(const char **characters, tr_idx *labels, const char *set,
                            const char *path, tr_error *err)
{
    *characters = NULL;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (strcmp(set, sets[i].set) != 0)
            continue;
        const int first = sets[i].first, n = (int)strlen(sets[i].characters);
        for (int64_t k = 0; k < labels->n_values; k++) {
            const int label = labels->values[k];
            if (label < first || label >= first + n)
                return tr_fail(err, TR_ERR_DATA,
                               "%s: label %lld is %d; those of EMNIST's set %s are %d to %d", path,
                               (long long)k, label, set, first, first + n - 1);
            labels->values[k] = (uint8_t)(label - first);
        }
        *characters = sets[i].characters;
    }
    return TR_OK;
}
