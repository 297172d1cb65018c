/* augmented.c -- see trainer/augmented.h. One image at a time through a training program that ends
 * behind the last layer that changes images; the step that an image has in an epoch is found in the
 * epoch's order, so that its random numbers are those of the training.
 */
#include "trainer/augmented.h"

#include <string.h>

#include "batch.h"
#include "from_samples.h"
#include "mem.h"
#include "order.h"
#include "replica.h"
#include "run_internal.h"
#include "samples.h"

typedef struct making {
    tr_augmented *out;
    tr_run run; /* as much of one as has samples */
    tr_plan plan;
    tr_replica *replica;
    int64_t *steps; /* [n, epochs] that each image has there */
} making;

static int64_t elements(const int64_t shape[3])
{
    return shape[0] * shape[1] * shape[2];
}

/* The last layer that changes images, or -1. */
static int last_change(const tr_model *model)
{
    int last = model->n_layers - 1;
    while (last >= 0 && !model->layers[last]->ops->augments)
        last--;
    return last;
}

/* ---- which images, and when they come ---- */

static void order_epoch(tr_run *run, int64_t epoch)
{
    const tr_fit_config *fit = &run->config->fit;
    if (fit->shuffle)
        tr_order_shuffled(run->order, run->split.train, run->split.n_train, (uint64_t)fit->seed,
                          (uint32_t)epoch);
    else
        memcpy(run->order, run->split.train, (size_t)run->split.n_train * sizeof *run->order);
}

static void find_steps(making *self)
{
    const tr_augmented *out = self->out;
    const int64_t batch = self->run.config->fit.batch_size, n_train = self->run.split.n_train;
    const int64_t per_epoch = (n_train + batch - 1) / batch;
    for (int64_t epoch = 0; epoch < out->epochs; epoch++) {
        order_epoch(&self->run, epoch);
        if (epoch == 0)
            memcpy(out->samples, self->run.order, (size_t)out->n * sizeof *out->samples);
        for (int64_t i = 0; i < out->n; i++) {
            int64_t at = 0;
            while (self->run.order[at] != out->samples[i])
                at++;
            self->steps[i * out->epochs + epoch] = epoch * per_epoch + at / batch;
        }
    }
}

/* ---- images ---- */

static tr_status take_images(const making *self, tr_error *err)
{
    const tr_augmented *out = self->out;
    const tr_data_config *data = &self->run.config->data;
    const tr_samples *all = tr_dataset_train(self->run.dataset);
    tr_samples at_hand;
    const uint32_t *rows;
    TR_TRY(tr_samples_expect(all, out->samples, out->n, out->n, err));
    TR_TRY(tr_samples_take(all, out->samples, out->n, &at_hand, &rows, err));
    tr_batch_gather(out->images, &at_hand, rows, out->n, out->n, (float)data->scale_num,
                    (float)data->scale_den);
    tr_samples_rest(all);
    return TR_OK;
}

static tr_status change_images(making *self, tr_error *err)
{
    const tr_augmented *out = self->out;
    const int64_t in = elements(out->shape), changed = elements(out->changed);
    const int64_t n = self->run.config->engine.micro_batch;
    bool fine = tr_replica_bind_own(self->replica) == TR_OK &&
                tr_replica_run(self->replica, TR_PREPARE) == TR_OK;
    float *input = tr_replica_data(self->replica, self->plan.input);
    for (int64_t k = 0; k < out->n * out->epochs && fine; k++) {
        const tr_draw draw = {.seed = (uint64_t)self->run.config->fit.seed,
                              .update = self->steps[k],
                              .samples = &out->samples[k / out->epochs],
                              .n = 1};
        memset(input, 0, (size_t)(n * in) * sizeof *input);
        memcpy(input, out->images + k / out->epochs * in, (size_t)in * sizeof *input);
        tr_replica_set_draw(self->replica, &draw);
        fine = tr_replica_run(self->replica, TR_FORWARD) == TR_OK;
        memcpy(out->versions + k * changed, tr_replica_data(self->replica, self->plan.output),
               (size_t)changed * sizeof *input);
    }
    return fine ? TR_OK : tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed to run the first layers");
}

/* ---- the whole ---- */

static tr_status prepare(making *self, int64_t n, int64_t epochs, const tr_layer *layer,
                         tr_error *err)
{
    tr_augmented *out = self->out;
    TR_TRY(tr_run_prepare_samples(&self->run, err));
    out->n = n < self->run.split.n_train ? n : self->run.split.n_train;
    out->epochs = epochs;
    out->layer = layer->name;
    memcpy(out->shape, self->run.config->input_shape, sizeof out->shape);
    memcpy(out->changed, (int64_t[]){layer->dst.h, layer->dst.w, layer->dst.c},
           sizeof out->changed);
    out->samples = tr_alloc((size_t)out->n, sizeof *out->samples);
    out->images = tr_alloc((size_t)(out->n * elements(out->shape)), sizeof *out->images);
    out->versions =
        tr_alloc((size_t)(out->n * epochs * elements(out->changed)), sizeof *out->versions);
    self->steps = tr_alloc((size_t)(out->n * epochs), sizeof *self->steps);
    if (out->samples == NULL || out->images == NULL || out->versions == NULL || self->steps == NULL)
        return tr_out_of_memory(err, NULL);
    find_steps(self);
    return TR_OK;
}

static tr_status run_layers(making *self, int last, tr_error *err)
{
    tr_model *model = self->run.model;
    TR_TRY(take_images(self, err));
    TR_TRY(tr_weights_from_samples(model, tr_dataset_train(self->run.dataset),
                                   self->run.split.train, self->run.split.n_train, err));
    TR_TRY(tr_plan_make_until(&self->plan, model, last, true, err));
    TR_TRY(tr_replica_new(&self->replica, self->plan.program, model->params, err));
    return change_images(self, err);
}

tr_status tr_augmented_make(tr_augmented *out, const tr_config *config, tr_model *model,
                            const tr_dataset *dataset, int64_t n, int64_t epochs, tr_error *err)
{
    making self = {.out = out, .run = {.config = config, .model = model, .dataset = dataset}};
    const int last = last_change(model);
    *out = (tr_augmented){0};
    if (last < 0)
        return tr_fail(err, TR_ERR_CONFIG,
                       "no layer of the model changes images at random; add one such as "
                       "random_flip as its first");
    tr_status status = prepare(&self, n, epochs, model->layers[last], err);
    if (status == TR_OK)
        status = run_layers(&self, last, err);
    tr_replica_free(self.replica);
    tr_plan_release(&self.plan);
    tr_split_release(&self.run.split);
    tr_free(self.run.class_weights);
    tr_free(self.run.order);
    tr_free(self.steps);
    if (status != TR_OK)
        tr_augmented_release(out);
    return status;
}

void tr_augmented_release(tr_augmented *augmented)
{
    tr_free(augmented->samples);
    tr_free(augmented->images);
    tr_free(augmented->versions);
    *augmented = (tr_augmented){0};
}
