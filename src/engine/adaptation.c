/* adaptation.c -- mean and variance of each channel of what the training samples give a layer: what
 * adapt() of Keras's Normalization finds. See from_samples.h.
 *
 * Sums are double, of what is left when the channel's first number is taken off, so that channels
 * far from 0 lose nothing. The variance is that of all numbers (biased), as Keras's.
 */
#include <math.h>

#include "from_samples.h"
#include "mem.h"

typedef struct adaptation {
    int64_t pixels, c;
    double n;                       /* numbers of a channel so far */
    double *first, *sums, *squares; /* [c] */
} adaptation;

static void add_image(void *context, const float *image)
{
    adaptation *self = context;
    for (int64_t k = 0; k < self->c && self->n == 0.0; k++)
        self->first[k] = (double)image[k];
    for (int64_t i = 0; i < self->pixels; i++, image += self->c)
        for (int64_t k = 0; k < self->c; k++) {
            const double off = (double)image[k] - self->first[k];
            self->sums[k] += off;
            self->squares[k] += off * off;
        }
    self->n += (double)self->pixels;
}

/* The layer's three weights, in `room` [c]. */
static tr_status set_weights(const tr_maker *maker, const adaptation *self, float *room,
                             tr_error *err)
{
    const float count = (float)self->n;
    for (int64_t k = 0; k < self->c; k++)
        room[k] = (float)(self->first[k] + self->sums[k] / self->n);
    TR_TRY(tr_model_set_weight(maker->model, maker->first_weight, room, err));
    for (int64_t k = 0; k < self->c; k++) {
        const double mean = self->sums[k] / self->n;
        room[k] = (float)fmax(0.0, self->squares[k] / self->n - mean * mean);
    }
    TR_TRY(tr_model_set_weight(maker->model, maker->first_weight + 1, room, err));
    return tr_model_set_weight(maker->model, maker->first_weight + 2, &count, err);
}

tr_status tr_adapt(const tr_maker *maker, tr_error *err)
{
    const tr_shape src = maker->layer->src;
    adaptation self = {.pixels = src.h * src.w, .c = src.c};
    self.first = tr_alloc((size_t)(3 * src.c), sizeof *self.first);
    float *room = tr_alloc((size_t)src.c, sizeof *room);
    if (self.first == NULL || room == NULL) {
        tr_free(self.first);
        tr_free(room);
        return tr_out_of_memory(err, maker->layer->name);
    }
    self.sums = self.first + src.c;
    self.squares = self.sums + src.c;
    tr_status status = tr_show_source(maker, maker->n, add_image, &self, err);
    if (status == TR_OK)
        status = set_weights(maker, &self, room, err);
    tr_free(self.first);
    tr_free(room);
    return status;
}
