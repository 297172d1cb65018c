/* file_kind.h -- what a file is that is not what it was taken for: a web page under the name of a
 * dataset, a pointer of Git LFS, an array of NumPy.
 *
 * For messages alone: a kind is guessed from the first bytes, as file(1) does.
 */
#ifndef TR_FILE_KIND_H
#define TR_FILE_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum { TR_KIND_BYTES = 1024 }; /* that are looked at */

typedef struct tr_file_kind {
    const char *what;    /* "a web page (HTML)" */
    const char *dataset; /* what to do where a dataset is wanted; NULL: nothing special */
    bool bad_copy;       /* the file that was meant is elsewhere, whatever is wanted */
} tr_file_kind;

/* Of a file that begins with these n bytes, all of them where it has fewer; what NULL: unknown. */
tr_file_kind tr_file_kind_of(const unsigned char *head, size_t n);

/* Of the file at `path`, which is only read; what NULL also where it cannot be. */
tr_file_kind tr_file_kind_at(const char *path);

#endif
