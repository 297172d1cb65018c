/* image_stb.c -- PNG, JPEG and BMP by stb_image, whose code is compiled here and nowhere else.
 *
 * Its memory is ours, and so zeroed: the part of a cut JPEG that was never decoded is the same in
 * every run.
 */
#include "image_decode.h"

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

/* src[n,channels + 1] with alpha last -> dst[n,channels], what a viewer with a white page shows;
 * opaque pixels stay what they are. True: not all were opaque. */
static bool compose_on_white(uint8_t *dst, const uint8_t *src, int64_t n, int channels)
{
    bool transparent = false;
    for (int64_t i = 0; i < n; i++, src += channels + 1) {
        const int alpha = src[channels];
        transparent = transparent || alpha != 255;
        for (int k = 0; k < channels; k++)
            *dst++ = (uint8_t)((src[k] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    return transparent;
}

/* Alpha is asked for, whether the file has it or not: where there is none, stb_image says 255. */
const char *tr_stb_decode(uint8_t *dst, tr_image_bytes file, int64_t h, int64_t w, int channels,
                          bool *transparent)
{
    int width = 0, height = 0, found = 0;
    stbi_uc *pixels =
        stbi_load_from_memory(file.bytes, (int)file.n, &width, &height, &found, channels + 1);
    if (pixels == NULL)
        return failure();
    const char *fault = height == h && width == w ? NULL : "its size is not what its header says";
    if (fault == NULL)
        *transparent = compose_on_white(dst, pixels, h * w, channels);
    stbi_image_free(pixels);
    return fault;
}
