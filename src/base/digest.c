/* digest.c -- XXH3-128 through libxxhash; see digest.h. */
#include "digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "mem.h"

struct tr_digest {
    XXH3_state_t *state;
};

tr_digest *tr_digest_new(void)
{
    tr_digest *digest = tr_alloc(1, sizeof *digest);
    if (digest == NULL)
        return NULL;
    digest->state = XXH3_createState();
    if (digest->state == NULL) {
        tr_free(digest);
        return NULL;
    }
    XXH3_128bits_reset(digest->state);
    return digest;
}

void tr_digest_add(tr_digest *digest, const void *bytes, size_t n)
{
    XXH3_128bits_update(digest->state, bytes, n);
}

void tr_digest_text(const tr_digest *digest, char text[TR_DIGEST_TEXT])
{
    const XXH128_hash_t hash = XXH3_128bits_digest(digest->state);
    snprintf(text, TR_DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}

void tr_digest_free(tr_digest *digest)
{
    if (digest == NULL)
        return;
    XXH3_freeState(digest->state);
    tr_free(digest);
}

bool tr_text_digest(const char *text, char digest[TR_DIGEST_TEXT])
{
    tr_digest *own = tr_digest_new();
    if (own == NULL)
        return false;
    tr_digest_add(own, text, strlen(text));
    tr_digest_text(own, digest);
    tr_digest_free(own);
    return true;
}
