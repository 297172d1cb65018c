/* file.h -- output files that are whole or absent.
 *
 * A new file is written under a temporary name of its own in the same folder, flushed, renamed over
 * the target, and the folder flushed: the only way the project puts a file in place. A reader, or a
 * kill at any instant, sees the old file or the new one, never a part, and of two writers each has
 * a file of its own.
 */
#ifndef TR_FILE_H
#define TR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "temporary.h"
#include "trainer/status.h"

/* Writes n bytes to `path`. On failure the old file at `path` is untouched and TR_ERR_IO is
 * returned; so it is where `path` is a device or a pipe, which a rename would remove, and where
 * another program wrote the same name at the same moment and its file is what stays. */
tr_status tr_file_write(const char *path, const void *bytes, size_t n, tr_error *err);

/* The same in two steps, for files that shall all be there or none. */
typedef struct tr_new_file {
    char *path;
    const char *name; /* its last component */
    char temporary[TR_TEMPORARY_MAX];
    int folder, fd;
} tr_new_file;

/* Under the temporary name; nothing is left of it on failure. */
tr_status tr_new_file_write(tr_new_file *file, const char *path, const void *bytes, size_t n,
                            tr_error *err);
/* The same, empty, to be written at places in any order; and read again, where it was. */
tr_status tr_new_file_open(tr_new_file *file, const char *path, tr_error *err);
tr_status tr_new_file_write_at(const tr_new_file *file, const void *bytes, size_t n, int64_t offset,
                               tr_error *err);
tr_status tr_new_file_read_at(const tr_new_file *file, void *bytes, size_t n, int64_t offset,
                              tr_error *err);
/* Puts it in place, and releases it in any case. */
tr_status tr_new_file_put(tr_new_file *file, tr_error *err);
/* Removes it unless it is in place. A released one is fine. */
void tr_new_file_discard(tr_new_file *file);

/* Creates the folder and its parents where they are missing, and checks that files can be created
 * in it, so that a wrong output folder is found before the first step and not after an epoch. */
tr_status tr_folder_prepare(const char *path, tr_error *err);

/* Claims the folder for this process until *lock is closed or the process ends, however it ends;
 * TR_ERR_IO when another process has it. Two runs in one folder would tear each other's files. */
tr_status tr_folder_lock(const char *path, int *lock, tr_error *err);

/* Whether the folder of that lock is still what `path` names, or nothing is there: a run whose
 * folder was moved must not write into the next one of that name. */
bool tr_folder_is_locked(const char *path, int lock);

/* Opens somebody's file for reading: *fd is of a plain file, else TR_ERR_DATA. Opening a pipe that
 * nobody writes to would wait for ever, and a device may do anything. */
tr_status tr_file_open_input(int *fd, const char *path, tr_error *err);

/* The same, and closes it again: for libraries that open by name. */
tr_status tr_file_check_input(const char *path, tr_error *err);

/* Both exist and are one file, by whatever names: writing one would destroy the other. */
bool tr_file_same(const char *a, const char *b);

/* "folder/name" in a fresh allocation (NULL: out of memory). */
char *tr_path_join(const char *folder, const char *name);

#endif
