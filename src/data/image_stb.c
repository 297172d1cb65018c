/* image_stb.c -- PNG, JPEG and BMP by stb_image, whose code is compiled here and nowhere else.
 *
 * Its memory is ours, and so zeroed: the part of a cut JPEG that was never decoded is the same in
 * every run.
 */
#include "image_decode.h"

#include <string.h>

#include "mem.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS TR_IMAGE_SIDE
#define STBI_MALLOC(n) tr_alloc(n, 1)
#define STBI_REALLOC_SIZED(block, old_n, new_n) tr_realloc(block, old_n, new_n, 1)
#define STBI_FREE(block) tr_free(block)
/* To the end of this file: it also declares what the lines above leave out, and has fields that a
 * reader from memory never sets. */
#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef __clang__ /* which has no such warning */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <stb/stb_image.h>

/* Of some damage it says nothing, in an empty text. */
static const char *failure(void)
{
    const char *reason = stbi_failure_reason();
    return reason == NULL || reason[0] == '\0' ? "its data are not complete" : reason;
}

const char *tr_stb_size(tr_image_bytes file, int64_t *h, int64_t *w)
{
    int width = 0, height = 0, channels = 0;
    if (!stbi_info_from_memory(file.bytes, (int)file.n, &width, &height, &channels))
        return failure();
    *h = height;
    *w = width;
    return NULL;
}

const char *tr_stb_decode(uint8_t *dst, tr_image_bytes file, int64_t h, int64_t w, int channels)
{
    int width = 0, height = 0, found = 0;
    stbi_uc *pixels =
        stbi_load_from_memory(file.bytes, (int)file.n, &width, &height, &found, channels);
    if (pixels == NULL)
        return failure();
    const char *fault = height == h && width == w ? NULL : "its size is not what its header says";
    if (fault == NULL)
        memcpy(dst, pixels, (size_t)(h * w * channels));
    stbi_image_free(pixels);
    return fault;
}
