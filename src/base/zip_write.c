/* zip_write.c -- through libzip; see zip_write.h. */
#include "zip_write.h"

#include <stdbool.h>
#include <stdint.h>
#include <zip.h>

#include "mem.h"

/* The first moment that a ZIP archive can name: 1980-01-01 00:00. As a DOS date, because libzip
 * takes a time_t through the local time zone. */
enum { DOS_TIME = 0, DOS_DATE = (1 << 5) | 1 };

static tr_status fail_zip(tr_error *err, zip_error_t *cause)
{
    return tr_fail(err, TR_ERR_INTERNAL, "libzip cannot make the archive: %s",
                   zip_error_strerror(cause));
}

/* Borrows the member's bytes until the archive is closed. Its name is ASCII, which libzip is left
 * to see: told that it is UTF-8, releases differ in whether they say so in the archive. */
static bool add(zip_t *archive, const tr_zip_member *member)
{
    zip_source_t *source = zip_source_buffer(archive, member->bytes, member->n, 0);
    if (source == NULL)
        return false;
    const zip_int64_t index = zip_file_add(archive, member->name, source, ZIP_FL_ENC_GUESS);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, (zip_uint64_t)index, DOS_TIME, DOS_DATE, 0) == 0;
}

/* Writes the archive into `target`, which stays the caller's. */
static tr_status fill(zip_source_t *target, const tr_zip_member *members, size_t n_members,
                      tr_error *err)
{
    zip_error_t cause;
    zip_error_init(&cause);
    zip_t *archive = zip_open_from_source(target, ZIP_TRUNCATE, &cause);
    if (archive == NULL) {
        const tr_status status = fail_zip(err, &cause);
        zip_error_fini(&cause);
        return status;
    }
    zip_error_fini(&cause);
    zip_source_keep(target); /* closing the archive gives up its own reference */
    for (size_t i = 0; i < n_members; i++)
        if (!add(archive, &members[i])) {
            const tr_status status = fail_zip(err, zip_get_error(archive));
            zip_discard(archive);
            return status;
        }
    if (zip_close(archive) == 0)
        return TR_OK;
    const tr_status status = fail_zip(err, zip_get_error(archive));
    zip_discard(archive);
    return status;
}

static tr_status take(zip_source_t *source, void **bytes, size_t *n, tr_error *err)
{
    zip_stat_t info;
    void *block = NULL;
    tr_status status = TR_OK;
    if (zip_source_stat(source, &info) < 0 || zip_source_open(source) < 0)
        return fail_zip(err, zip_source_error(source));
    block = tr_alloc(info.size, 1);
    if (block == NULL)
        status = tr_out_of_memory(err, NULL);
    else if (zip_source_read(source, block, info.size) != (zip_int64_t)info.size)
        status = fail_zip(err, zip_source_error(source));
    zip_source_close(source);
    if (status != TR_OK) {
        tr_free(block);
        return status;
    }
    *bytes = block;
    *n = (size_t)info.size;
    return TR_OK;
}

tr_status tr_zip_make(void **bytes, size_t *n, const tr_zip_member *members, size_t n_members,
                      tr_error *err)
{
    zip_error_t cause;
    zip_error_init(&cause);
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &cause);
    if (target == NULL) {
        const tr_status status = fail_zip(err, &cause);
        zip_error_fini(&cause);
        return status;
    }
    tr_status status = fill(target, members, n_members, err);
    if (status == TR_OK)
        status = take(target, bytes, n, err);
    zip_source_free(target);
    zip_error_fini(&cause);
    return status;
}
