/* inspect_augmented.h -- trainer inspect DATA --augmented N -c FILE: what the network sees. */
#ifndef TR_INSPECT_AUGMENTED_H
#define TR_INSPECT_AUGMENTED_H

#include <stdint.h>

#include "image.h"
#include "trainer/status.h"

/* The first n images of a training of config_path on the dataset at `path`, each as its first
 * epochs see it: a sheet in the terminal, or as a PNG whose pixels are zoom x zoom (0: as it looks
 * well). */
tr_status tr_inspect_augmented(const char *path, const char *config_path, int64_t n,
                               const char *png, int zoom, tr_error *err);

/* For what is drawn on the terminal, of `inspect` as a whole. */
tr_status tr_print_picture(const tr_image *image, tr_error *err);

#endif
