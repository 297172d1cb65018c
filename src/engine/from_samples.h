/* from_samples.h -- weights that are made of the training samples before the first step.
 *
 * In the order of the layers, so that what comes into one has passed those before it as they will
 * be: the initializer `whitening` (whitening.c), and `adapt` of normalization (adaptation.c).
 */
#ifndef TR_FROM_SAMPLES_H
#define TR_FROM_SAMPLES_H

#include "model_internal.h"

/* Of samples[index[0 .. n-1]]. */
tr_status tr_weights_from_samples(tr_model *model, const tr_samples *samples, const uint32_t *index,
                                  int64_t n, tr_error *err);

/* ---- for those who make one ---- */

/* A layer, the first of its weights among the model's, and the training samples. */
typedef struct tr_maker {
    tr_model *model;
    tr_layer *layer;
    int first_weight;
    const tr_samples *samples;
    const uint32_t *index;
    int64_t n;
} tr_maker;

/* Shows what the first `most` samples give the layer: images [h, w, c], one after the other. */
typedef void tr_see_image(void *context, const float *image);
tr_status tr_show_source(const tr_maker *maker, int64_t most, tr_see_image *see, void *context,
                         tr_error *err);

tr_status tr_whiten(const tr_maker *maker, int weight, tr_error *err);
tr_status tr_adapt(const tr_maker *maker, tr_error *err);

#endif
