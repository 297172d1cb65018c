/* stb_decode.c -- BMP and GIF by stb_image, whose code is compiled here and nowhere else; see
 * image_decode.h.
 *
 * Its memory is ours, and so zeroed: the part of a cut picture that was never decoded is the same
 * in every run.
 */
#include "image_decode.h"

#include "mem.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
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

/* Alpha is asked for, whether the file has it or not: where there is none, stb_image says 255. */
const char *tr_stb_decode(tr_image_bytes file, tr_row_sink *sink)
{
    enum { CHANNELS = 4 };
    int w = 0, h = 0, found = 0, full_w = 0, full_h = 0;
    if (!stbi_info_from_memory(file.bytes, (int)file.n, &w, &h, &found))
        return failure();
    const char *fault = tr_rows_begin(sink, h, w, CHANNELS, TR_UPRIGHT, true);
    if (fault != NULL)
        return fault;
    stbi_uc *pixels =
        stbi_load_from_memory(file.bytes, (int)file.n, &full_w, &full_h, &found, CHANNELS);
    if (pixels == NULL)
        return failure();
    if (full_h != h || full_w != w)
        fault = "its size is not what its header says";
    for (int64_t y = 0; fault == NULL && y < h; y++)
        tr_rows_put(sink, pixels + y * w * CHANNELS);
    stbi_image_free(pixels);
    return fault;
}
