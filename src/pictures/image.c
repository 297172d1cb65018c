/* image.c -- see image.h. */
#include "image.h"

#include <stddef.h>

#include "mem.h"

void tr_image_release(tr_image *image)
{
    if (image == NULL)
        return;
    tr_shared_free(image->pixels);
    *image = (tr_image){0};
}
