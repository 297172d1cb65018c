/* earlier_run.c -- see earlier_run.h. */
#include "earlier_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "file.h"
#include "mem.h"

const char tr_events_file[] = "events.out.tfevents.0.trainer";
static const char list_name[] = ".trainer-overwrites";

/* ---- names ---- */

/* The number in "epoch_NNNN" with `rest` behind it; 0: it is none. */
static long long epoch_of(const char *name, const char **rest)
{
    static const char prefix[] = "epoch_";
    const size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || strspn(name + n, "0123456789") < 4)
        return 0;
    char *end;
    errno = 0;
    const long long epoch = strtoll(name + n, &end, 10);
    *rest = end;
    return errno == 0 ? epoch : 0;
}

static bool is_one_of(const char *text, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(text, *names) == 0)
            return true;
    return false;
}

/* A file that a run makes, or `trainer export` of its checkpoint unless told another name. */
static bool is_of_a_run(const char *name)
{
    static const char *const reports[] = {"config.ini",    "history.csv", "history.jsonl",
                                          "history.svg",   "history.png", "evaluation.json",
                                          "confusion.csv", NULL};
    static const char *const endings[] = {".h5", ".weights.h5", ".keras", NULL};
    const char *rest = NULL;
    if (strncmp(name, "last.", 5) == 0 || strncmp(name, "best.", 5) == 0)
        rest = name + 4;
    else if (epoch_of(name, &rest) == 0)
        return is_one_of(name, reports);
    return is_one_of(rest, endings);
}

/* Or what is left of the writing of one. */
static bool is_leftover(const char *entry)
{
    char name[TR_TEMPORARY_MAX];
    const size_t n = strlen(entry), n_around = strlen(".") + strlen(".XXXXXX.tmp");
    if (n <= n_around || n >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(n - n_around), entry + 1);
    return is_of_a_run(name) && tr_temporary_is_of(entry, name);
}

/* ---- what is there ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_old(const struct dirent *entry)
{
    return strcmp(entry->d_name, "last.h5") != 0 && is_of_a_run(entry->d_name);
}

static int is_old_or_left(const struct dirent *entry)
{
    return is_old(entry) || is_leftover(entry->d_name);
}

/* Their names with `between` after each but the last. */
static tr_status list(char **names, const char *folder, int (*wanted)(const struct dirent *),
                      const char *between, tr_error *err)
{
    struct dirent **entries = NULL;
    char *text = tr_strdup("");
    const int n = scandir(folder, &entries, wanted, by_name);
    for (int i = 0; i < n; i++) {
        char *longer = text == NULL
                           ? NULL
                           : tr_format("%s%s%s", text, i == 0 ? "" : between, entries[i]->d_name);
        tr_free(text);
        text = longer;
        free(entries[i]); /* scandir's own */
    }
    free(entries);
    *names = text;
    return text == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

tr_status tr_earlier_files(char **names, const char *folder, tr_error *err)
{
    return list(names, folder, is_old, ", ", err);
}

static bool is_there(const char *folder, const char *name)
{
    char *path = tr_path_join(folder, name);
    const bool found = path != NULL && access(path, F_OK) == 0;
    tr_free(path);
    return found;
}

static int is_epoch(const struct dirent *entry)
{
    const char *rest = "";
    return epoch_of(entry->d_name, &rest) > 0 && strcmp(rest, ".h5") == 0;
}

/* epoch_10000.h5 comes after epoch_9999.h5. */
static int by_epoch(const struct dirent **a, const struct dirent **b)
{
    const char *rest;
    const long long x = epoch_of((*a)->d_name, &rest), y = epoch_of((*b)->d_name, &rest);
    return (x > y) - (x < y);
}

tr_status tr_earlier_checkpoint(char **path, const char *folder, tr_error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_epoch, by_epoch);
    const char *name = is_there(folder, "last.h5")   ? "last.h5"
                       : n > 0                       ? entries[n - 1]->d_name
                       : is_there(folder, "best.h5") ? "best.h5"
                                                     : NULL;
    *path = name == NULL ? NULL : tr_path_join(folder, name);
    const tr_status status = name != NULL && *path == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return status;
}

/* ---- the list of what has to go ---- */

static int open_plain(const char *folder, const char *name)
{
    struct stat info;
    char *path = tr_path_join(folder, name);
    const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    tr_free(path);
    if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Of last.h5; "-": there is none. */
static bool digest_last(const char *folder, char text[TR_DIGEST_TEXT])
{
    char block[1 << 15];
    snprintf(text, TR_DIGEST_TEXT, "-");
    const int fd = open_plain(folder, "last.h5");
    if (fd < 0)
        return true;
    tr_digest *digest = tr_digest_new();
    ssize_t n = 0;
    while (digest != NULL && (n = read(fd, block, sizeof block)) > 0)
        tr_digest_add(digest, block, (size_t)n);
    if (digest != NULL)
        tr_digest_text(digest, text);
    tr_digest_free(digest);
    close(fd);
    return digest != NULL && n == 0;
}

tr_status tr_earlier_condemn(const char *folder, tr_error *err)
{
    char digest[TR_DIGEST_TEXT], *names = NULL;
    if (!digest_last(folder, digest))
        return tr_out_of_memory(err, NULL);
    TR_TRY(list(&names, folder, is_old_or_left, "\n", err));
    char *text = tr_format("%s\n%s\n", digest, names), *path = tr_path_join(folder, list_name);
    const tr_status status = text == NULL || path == NULL
                                 ? tr_out_of_memory(err, NULL)
                                 : tr_file_write(path, text, strlen(text), err);
    tr_free(names);
    tr_free(text);
    tr_free(path);
    return status;
}

/* The list's text; NULL: there is none that can be read. */
static char *read_list(const char *folder)
{
    enum { MOST = 1 << 22 };
    const int fd = open_plain(folder, list_name);
    char *text = fd < 0 ? NULL : tr_alloc(MOST, 1);
    const ssize_t n = text == NULL ? -1 : read(fd, text, MOST - 1);
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        tr_free(text);
        return NULL;
    }
    return text; /* which tr_alloc() ended with zeros */
}

/* TensorBoard would draw those of two runs as one. */
static void remove_events(int folder)
{
    static const char *const parts[] = {"train", "validation"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const int part = openat(folder, parts[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (part < 0)
            continue;
        const bool removed = unlinkat(part, tr_events_file, 0) == 0;
        close(part);
        if (removed)
            unlinkat(folder, parts[i], AT_REMOVEDIR); /* where it is empty */
    }
}

tr_status tr_earlier_settle(const char *folder, tr_error *err)
{
    char digest[TR_DIGEST_TEXT], *rest = NULL, *text = read_list(folder);
    if (text == NULL)
        return TR_OK;
    const char *then = strtok_r(text, "\n", &rest);
    if (!digest_last(folder, digest)) {
        tr_free(text);
        return tr_out_of_memory(err, NULL);
    }
    const int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool landed = then != NULL && strcmp(digest, "-") != 0 && strcmp(then, digest) != 0;
    for (const char *name; at >= 0 && landed && (name = strtok_r(NULL, "\n", &rest)) != NULL;)
        if (strcmp(name, "last.h5") != 0 && (is_of_a_run(name) || is_leftover(name)))
            unlinkat(at, name, 0);
    if (at >= 0 && landed)
        remove_events(at);
    if (at >= 0) {
        fsync(at);
        unlinkat(at, list_name, 0);
        close(at);
    }
    tr_free(text);
    return TR_OK;
}
