/* whitening.c -- see whitening.h. Serial, in double, once in a training. */
#include "whitening.h"

#include <math.h>

#include "mem.h"
#include "simd.h"

enum { MAX_WINDOWS = 1024 }; /* of an image; of more every s-th in both directions is taken */

/* One weight being made. */
typedef struct whitened {
    tr_model *model;
    const tr_layer *layer;
    const tr_param *param;
    int number; /* of the weight */
    int64_t k;  /* numbers in a window */
    double n_windows;
    double *moments, *window; /* [k, k]: sums, the upper half; [k] */
} whitened;

/* ---- moments ---- */

TR_SIMD_CLONES
static void add_moments(double *restrict moments, const double *restrict window, int64_t k)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            moments[i * k + j] += window[i] * window[j];
}

/* image [h, w, c] */
static void add_image(void *context, const float *image)
{
    whitened *self = context;
    const int64_t *dims = self->param->dims;
    const int64_t w = self->layer->src.w, c = self->layer->src.c, row = dims[1] * c;
    const int64_t down = self->layer->src.h - dims[0] + 1, across = w - dims[1] + 1;
    int64_t s = 1;
    while (((down + s - 1) / s) * ((across + s - 1) / s) > MAX_WINDOWS)
        s++;
    for (int64_t y = 0; y < down; y += s)
        for (int64_t x = 0; x < across; x += s) {
            for (int64_t i = 0; i < dims[0]; i++)
                for (int64_t j = 0; j < row; j++)
                    self->window[i * row + j] = (double)image[((y + i) * w + x) * c + j];
            add_moments(self->moments, self->window, self->k);
            self->n_windows += 1.0;
        }
}

/* ---- one weight ---- */

/* Its kernel [h, w, c, filters] from the moments; room [k * k + k]. */
static tr_status set_kernel(whitened *self, double *room, tr_error *err)
{
    const int64_t k = self->k, filters = self->param->dims[3];
    const double eps = self->param->rules.initializer.arguments[0];
    double *vectors = room, *values = room + k * k;
    float *kernel = tr_alloc((size_t)(k * filters), sizeof *kernel);
    if (kernel == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            self->moments[j * k + i] = self->moments[i * k + j] /= self->n_windows;
    tr_eigen(self->moments, k, values, vectors);
    for (int64_t f = 0; f < filters / 2; f++) {
        const double size = sqrt((values[f] > 0.0 ? values[f] : 0.0) + eps);
        for (int64_t i = 0; i < k; i++) {
            kernel[i * filters + f] = (float)(vectors[f * k + i] / size);
            kernel[i * filters + filters / 2 + f] = -kernel[i * filters + f];
        }
    }
    const tr_status status = tr_model_set_weight(self->model, self->number, kernel, err);
    tr_free(kernel);
    return status;
}

tr_status tr_whiten(const tr_maker *maker, int weight, tr_error *err)
{
    const tr_param *param = &maker->layer->params[weight];
    const int64_t *dims = param->dims, k = dims[0] * dims[1] * dims[2];
    const int64_t most = (int64_t)param->rules.initializer.arguments[1];
    double *room = tr_alloc((size_t)(2 * k * (k + 1)), sizeof *room);
    if (room == NULL)
        return tr_out_of_memory(err, NULL);
    whitened self = {.model = maker->model,
                     .layer = maker->layer,
                     .param = param,
                     .number = maker->first_weight + weight,
                     .k = k,
                     .moments = room,
                     .window = room + k * k};
    tr_status status = tr_show_source(maker, most, add_image, &self, err);
    if (status == TR_OK)
        status = set_kernel(&self, room + k * (k + 1), err);
    tr_free(room);
    return status;
}
