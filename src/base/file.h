/* file.h -- output files that are whole or absent.
 *
 * tr_file_replace() is the only way the project puts a file in place: write a temporary file in
 * the same folder, fsync it, rename it over the target, fsync the folder. A reader, or a kill at
 * any instant, sees the old file or the new one, never a part.
 */
#ifndef TR_FILE_H
#define TR_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "trainer/status.h"

/* "<path>.tmp" in a fresh allocation (NULL: out of memory). Same folder, so that rename works. */
char *tr_file_temporary(const char *path);

/* Makes the finished temporary file durable and puts it at `path`. On failure the temporary file
 * is removed, the old file at `path` is untouched and TR_ERR_IO is returned. So it is where `path`
 * is a device or a pipe, which a rename would remove. */
tr_status tr_file_replace(const char *temporary, const char *path, tr_error *err);

/* Writes n bytes to `path` by way of a temporary file and tr_file_replace(). */
tr_status tr_file_write(const char *path, const void *bytes, size_t n, tr_error *err);

/* Creates the folder and its parents where they are missing, and checks that files can be created
 * in it, so that a wrong output folder is found before the first step and not after an epoch. */
tr_status tr_folder_prepare(const char *path, tr_error *err);

/* Claims the folder for this process until *lock is closed or the process ends, however it ends;
 * TR_ERR_IO when another process has it. Two runs in one folder would tear each other's files. */
tr_status tr_folder_lock(const char *path, int *lock, tr_error *err);

/* TR_ERR_DATA unless `path` is a plain file that can be read. Opening a pipe that nobody writes to
 * would wait for ever. */
tr_status tr_file_check_input(const char *path, tr_error *err);

/* Both exist and are one file, by whatever names: writing one would destroy the other. */
bool tr_file_same(const char *a, const char *b);

/* "folder/name" in a fresh allocation (NULL: out of memory). */
char *tr_path_join(const char *folder, const char *name);

#endif
