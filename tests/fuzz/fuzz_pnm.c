/* fuzz_pnm.c -- any bytes as a PGM or PPM picture, whose reader is ours. */
#include <stdlib.h>

#include "fuzz.h"
#include "image_decode.h"

enum { MOST_PIXELS = 1 << 16 }; /* larger ones are slow and show nothing new */

static void decode(tr_image_bytes file, int channels)
{
    uint8_t pixels[5 * 4 * 3] = {0};
    const tr_picture_rules rules = {.h = 5, .w = 4, .channels = channels, .fit = TR_FIT_PAD};
    tr_row_sink sink = {.rules = &rules};
    const char *fault = tr_pnm_decode(file, &sink);
    if (fault == NULL)
        abort(); /* only its size was asked for */
    if (fault != tr_rows_size_known || sink.h * sink.w > MOST_PIXELS)
        return;
    sink.dst = pixels;
    tr_pnm_decode(file, &sink);
    tr_rows_end(&sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 3 || bytes[0] != 'P')
        return 0; /* told by them that it is one */
    decode((tr_image_bytes){bytes, n}, 1);
    decode((tr_image_bytes){bytes, n}, 3);
    return 0;
}
