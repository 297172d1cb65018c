/* augmented.h -- training images as the network sees them: changed at random by its first layers.
 */
#ifndef TRAINER_AUGMENTED_H
#define TRAINER_AUGMENTED_H

#include <stdint.h>

#include "trainer/dataset.h"
#include "trainer/model.h"

/* The first n images that the first epoch trains on, and each of them in the first epochs: exactly
 * what a training of that configuration gives the layer behind the last one that changes images at
 * random. */
typedef struct tr_augmented {
    int64_t n, epochs;
    int64_t shape[3];   /* h, w, c of an image as it comes into the network, */
    int64_t changed[3]; /* and of one behind that layer */
    const char *layer;  /* its name; the model's */
    uint32_t *samples;  /* [n] their numbers in the dataset */
    float *images;      /* [n, shape] */
    float *versions;    /* [n, epochs, changed] */
} tr_augmented;

/* TR_ERR_CONFIG: no layer of the model changes images at random. */
tr_status tr_augmented_make(tr_augmented *out, const tr_config *config, tr_model *model,
                            const tr_dataset *dataset, int64_t n, int64_t epochs, tr_error *err);
void tr_augmented_release(tr_augmented *augmented);

#endif
