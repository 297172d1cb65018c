/* digest.h -- 128-bit content digests (XXH3) of parameters and datasets.
 *
 * For identity, not for security: "are these two runs equal to the last bit?".
 */
#ifndef TR_DIGEST_H
#define TR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { TR_DIGEST_TEXT = 33 }; /* 32 hexadecimal digits and the end */

typedef struct tr_digest tr_digest;

tr_digest *tr_digest_new(void); /* NULL: out of memory */
void tr_digest_add(tr_digest *digest, const void *bytes, size_t n);
void tr_digest_text(const tr_digest *digest, char text[TR_DIGEST_TEXT]);
void tr_digest_free(tr_digest *digest);

/* Of a text alone. False: out of memory. */
bool tr_text_digest(const char *text, char digest[TR_DIGEST_TEXT]);

#endif
