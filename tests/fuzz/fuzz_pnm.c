/* fuzz_pnm.c -- any bytes as a PGM or PPM picture, whose reader is ours. */
#include <stdlib.h>

#include "fuzz.h"
#include "image_decode.h"

enum { MOST_PIXELS = 1 << 16 }; /* larger ones are slow and show nothing new */

static void decode(tr_image_bytes file, int channels)
{
    int64_t h = 0, w = 0;
    bool transparent = false;
    if (tr_pnm_size(file, &h, &w) != NULL)
        return;
    if (h < 1 || w < 1 || h > MOST_PIXELS || w > MOST_PIXELS || h * w > MOST_PIXELS)
        return;
    uint8_t *pixels = malloc((size_t)(h * w * channels));
    if (pixels != NULL)
        tr_pnm_decode(pixels, file, h, w, channels, &transparent);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 3 || bytes[0] != 'P')
        return 0; /* told by them that it is one */
    decode((tr_image_bytes){bytes, n}, 1);
    decode((tr_image_bytes){bytes, n}, 3);
    return 0;
}
