/* digest.c -- XXH3-128 through libxxhash; see digest.h. */
#include "digest.h"

#include <inttypes.h>
#include <stdio.h>
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
