/* zip_file.h -- members of a ZIP archive as memory; a `.keras` file is one.
 *
 * For a child process (base/child.h): what is read may be damaged or hostile.
 */
#ifndef TR_ZIP_FILE_H
#define TR_ZIP_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "trainer/status.h"

/* The file begins as an archive does. */
bool tr_is_zip(const char *path);

/* *bytes [*n + 1], a '\0' behind them: the member `name`, stored or deflated, its checksum tested;
 * freed with tr_free(). TR_ERR_DATA: no archive, no such member, damaged, encrypted, packed in
 * another way, more than `most` bytes, or more than a thousand times its packed size. */
tr_status tr_zip_read(void **bytes, size_t *n, const char *path, const char *name, size_t most,
                      tr_error *err);

#endif
