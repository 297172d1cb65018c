/* convert_images.h -- trainer convert images: its options, its bar, what it says. */
#ifndef TR_CLI_CONVERT_IMAGES_H
#define TR_CLI_CONVERT_IMAGES_H

#include <stdbool.h>

#include "trainer/status.h"

/* As they were given; NULL: they were not. */
typedef struct tr_images_request {
    const char *size, *fit, *test_split, *split_seed, *threads;
    bool grey, stratify, strict;
} tr_images_request;

tr_status tr_images_convert(const tr_images_request *asked, const char *from, const char *to,
                            tr_error *err);

#endif
