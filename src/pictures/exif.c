/* exif.c -- the one thing of EXIF that changes a picture: how the camera was held.
 *
 * A TIFF file inside of a JPEG or PNG: byte order, 42, where the first directory is; there, entries
 * of 12 bytes: tag, type, count, value.
 */
#include "image_decode.h"

enum { ORIENTATION = 0x112, SHORT = 3, ENTRY = 12 };

typedef struct tiff {
    const uint8_t *bytes;
    size_t n;
    int big; /* 1: the most significant byte is first */
} tiff;

/* `size` bytes at `at`, 0 where the data end before. */
static uint32_t number(const tiff *self, size_t at, size_t size)
{
    uint32_t value = 0;
    if (at > self->n || self->n - at < size)
        return 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | self->bytes[at + (self->big ? i : size - 1 - i)];
    return value;
}

int tr_exif_orientation(const uint8_t *bytes, size_t n)
{
    if (n < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return TR_UPRIGHT;
    const tiff self = {bytes, n, bytes[0] == 'M'};
    const size_t directory = number(&self, 4, 4);
    const uint32_t entries = number(&self, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        const size_t at = directory + 2 + (size_t)i * ENTRY;
        if (number(&self, at, 2) != ORIENTATION || number(&self, at + 2, 2) != SHORT)
            continue;
        const uint32_t value = number(&self, at + 8, 2);
        return value >= TR_UPRIGHT && value <= TR_ORIENTATIONS ? (int)value : TR_UPRIGHT;
    }
    return TR_UPRIGHT;
}
