/* from_samples.c -- see from_samples.h. Serial: once in a training. */
#include "from_samples.h"

#include "batch.h"
#include "replica.h"
#include "samples.h"

static tr_status show(const tr_maker *maker, int64_t n, const tr_plan *plan, tr_replica *replica,
                      tr_see_image *see, void *context, tr_error *err)
{
    const tr_config *config = maker->model->config;
    const int64_t at_once = config->engine.micro_batch;
    const tr_shape src = maker->layer->src;
    tr_samples at_hand;
    const uint32_t *rows;
    bool fine = tr_replica_run(replica, TR_PREPARE) == TR_OK;
    TR_TRY(tr_samples_expect(maker->samples, maker->index, n, at_once, err));
    for (int64_t at = 0; at < n && fine; at += at_once) {
        const int64_t count = n - at < at_once ? n - at : at_once;
        TR_TRY(tr_samples_take(maker->samples, maker->index + at, count, &at_hand, &rows, err));
        tr_batch_gather(tr_replica_data(replica, plan->input), &at_hand, rows, count, at_once,
                        (float)config->data.scale_num, (float)config->data.scale_den);
        fine = tr_replica_run(replica, TR_FORWARD) == TR_OK;
        const float *images = tr_replica_data(replica, plan->output);
        for (int64_t i = 0; i < count && fine; i++)
            see(context, images + i * src.h * src.w * src.c);
    }
    tr_samples_rest(maker->samples);
    return fine ? TR_OK
                : tr_fail(err, TR_ERR_INTERNAL, "layer %s: oneDNN failed on the training samples",
                          maker->layer->name);
}

tr_status tr_show_source(const tr_maker *maker, int64_t most, tr_see_image *see, void *context,
                         tr_error *err)
{
    tr_plan plan = {0};
    tr_replica *replica = NULL;
    tr_status status =
        tr_plan_make_until(&plan, maker->model, maker->layer->sources[0], false, err);
    if (status == TR_OK)
        status = tr_replica_new(&replica, plan.program, maker->model->params, err);
    if (status == TR_OK)
        status = show(maker, maker->n < most ? maker->n : most, &plan, replica, see, context, err);
    tr_replica_free(replica);
    tr_plan_release(&plan);
    return status;
}

tr_status tr_weights_from_samples(tr_model *model, const tr_samples *samples, const uint32_t *index,
                                  int64_t n, tr_error *err)
{
    tr_maker maker = {.model = model, .samples = samples, .index = index, .n = n};
    for (int i = 0; i < model->n_layers; i++) {
        maker.layer = model->layers[i];
        if (maker.layer->adapts)
            TR_TRY(tr_adapt(&maker, err));
        for (int k = 0; k < maker.layer->n_params; k++)
            if (maker.layer->params[k].rules.initializer.function == TR_INIT_WHITENING)
                TR_TRY(tr_whiten(&maker, k, err));
        maker.first_weight += maker.layer->n_params;
    }
    return TR_OK;
}
