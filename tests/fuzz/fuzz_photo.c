/* fuzz_photo.c -- any bytes as a JPEG or PNG: what we make of libjpeg's and libpng's rows, of what
 * they say is wrong, and of EXIF. In this process, as fuzz_picture's child hides what is found.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "image_decode.h"

enum { MOST_PIXELS = 1 << 18, H = 5, W = 4 }; /* larger ones are slow and show nothing new */

static void decode(tr_image_decoder *decoder, tr_image_bytes file, int channels, tr_fit fit)
{
    uint8_t pixels[H * W * 3] = {0};
    const tr_picture_rules rules = {.h = H, .w = W, .channels = channels, .fit = fit};
    tr_row_sink sink = {.rules = &rules};
    const char *fault = decoder(file, &sink);
    tr_rows_end(&sink);
    if (fault == NULL)
        abort(); /* only its size was asked for */
    if (fault != tr_rows_size_known || sink.h * sink.w > MOST_PIXELS)
        return;
    sink.dst = pixels;
    decoder(file, &sink);
    tr_rows_end(&sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 4)
        return 0;
    const tr_image_bytes file = {bytes, n};
    tr_image_decoder *decoder = bytes[0] == 0xff ? tr_jpeg_decode : tr_png_decode;
    decode(decoder, file, 3, TR_FIT_CROP);
    decode(decoder, file, 1, TR_FIT_PAD);
    tr_exif_orientation(bytes, n);
    return 0;
}
