/* whitening.c -- see whitening.h. Serial, in double, once in a training. */
#include "whitening.h"

#include <math.h>

#include "batch.h"
#include "mem.h"
#include "replica.h"
#include "samples.h"
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
static void add_image(whitened *self, const float *image)
{
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

static tr_status add_images(whitened *self, const tr_plan *plan, tr_replica *replica,
                            const tr_samples *samples, const uint32_t *index, int64_t n,
                            tr_error *err)
{
    const tr_config *config = self->model->config;
    const int64_t at_once = config->engine.micro_batch;
    const tr_shape src = self->layer->src;
    tr_samples at_hand;
    const uint32_t *rows;
    bool fine = tr_replica_run(replica, TR_PREPARE) == TR_OK;
    TR_TRY(tr_samples_expect(samples, index, n, at_once, err));
    for (int64_t at = 0; at < n && fine; at += at_once) {
        const int64_t count = n - at < at_once ? n - at : at_once;
        TR_TRY(tr_samples_take(samples, index + at, count, &at_hand, &rows, err));
        tr_batch_gather(tr_replica_data(replica, plan->input), &at_hand, rows, count, at_once,
                        (float)config->data.scale_num, (float)config->data.scale_den);
        fine = tr_replica_run(replica, TR_FORWARD) == TR_OK;
        const float *images = tr_replica_data(replica, plan->output);
        for (int64_t i = 0; i < count; i++)
            add_image(self, images + i * src.h * src.w * src.c);
    }
    tr_samples_rest(samples);
    return fine ? TR_OK : tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed while whitening");
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

static tr_status whiten(whitened *self, const tr_samples *samples, const uint32_t *index, int64_t n,
                        tr_error *err)
{
    tr_plan plan = {0};
    tr_replica *replica = NULL;
    const int64_t *dims = self->param->dims,
                  most = (int64_t)self->param->rules.initializer.arguments[1];
    self->k = dims[0] * dims[1] * dims[2];
    double *room = tr_alloc((size_t)(2 * self->k * (self->k + 1)), sizeof *room);
    tr_status status = room == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    self->moments = room;
    self->window = room + self->k * self->k;
    if (status == TR_OK)
        status = tr_plan_make_until(&plan, self->model, self->layer->sources[0], err);
    if (status == TR_OK)
        status = tr_replica_new(&replica, plan.program, self->model->params, err);
    if (status == TR_OK)
        status = add_images(self, &plan, replica, samples, index, n < most ? n : most, err);
    if (status == TR_OK)
        status = set_kernel(self, room + self->k * (self->k + 1), err);
    tr_replica_free(replica);
    tr_plan_release(&plan);
    tr_free(room);
    return status;
}

tr_status tr_whiten(tr_model *model, const tr_samples *samples, const uint32_t *index, int64_t n,
                    tr_error *err)
{
    int number = 0;
    for (int i = 0; i < model->n_layers; i++)
        for (int k = 0; k < model->layers[i]->n_params; k++, number++) {
            const tr_param *param = &model->layers[i]->params[k];
            whitened self = {
                .model = model, .layer = model->layers[i], .param = param, .number = number};
            if (param->rules.initializer.function == TR_INIT_WHITENING)
                TR_TRY(whiten(&self, samples, index, n, err));
        }
    return TR_OK;
}
