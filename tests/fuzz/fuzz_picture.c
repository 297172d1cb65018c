/* fuzz_picture.c -- any bytes as a picture, read as ever: in a child, as stb_image believes its
 * files in places (a table of a JPEG that counts more than 256 codes is written beyond). Whatever
 * becomes of it there, this process gets an answer.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "picture_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    for (int channels = 1; channels <= 3; channels += 2) {
        tr_image image = {0};
        tr_error err = {0};
        const tr_status status =
            tr_picture_read(&image, path, &(tr_picture_rules){.channels = channels}, &err);
        fuzz_expect(status, &err);
        if (status == TR_OK && (image.h < 1 || image.w < 1 || image.c != channels))
            abort();
        tr_image_release(&image);
    }
    return 0;
}
