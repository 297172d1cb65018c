/* evaluate.c -- batches through the network in inference mode: forward, loss and metrics. */
#include "micro_batch.h"
#include "reduce.h"
#include "threads.h"

/* Adds weight times what the network gives to the mean, which the last view begins. */
static void add_view(const tr_job *job, const tr_worker *worker, int view, const float *output)
{
    const tr_engine *engine = job->engine;
    const int64_t n = engine->micro_batch * tr_model_n_classes(engine->model);
    const float weight = (float)engine->views[view].weight;
    for (int64_t i = 0; i < n; i++)
        worker->output[i] =
            (view == engine->n_views - 1 ? 0.0f : worker->output[i]) + weight * output[i];
}

/* Forward of each view; what it gives together. */
static tr_status run_views(const tr_job *job, tr_worker *worker, int64_t m, const float **output)
{
    const tr_engine *engine = job->engine;
    const tr_plan *plan = &engine->model->inference;
    float *input = tr_replica_data(worker->inference, plan->input);
    *output = tr_replica_data(worker->inference, plan->output);
    if (engine->n_views == 1) {
        tr_micro_batch_gather(job, m, input);
        tr_lap(worker->profile, TR_PART_GATHER);
        return tr_replica_run(worker->inference, TR_FORWARD);
    }
    tr_micro_batch_gather(job, m, worker->images);
    tr_lap(worker->profile, TR_PART_GATHER);
    for (int view = engine->n_views - 1; view >= 0; view--) { /* costs are the last run's */
        tr_view_make(&engine->views[view], engine->micro_batch, engine->model->config->input_shape,
                     worker->images, input);
        TR_TRY(tr_replica_run(worker->inference, TR_FORWARD));
        add_view(job, worker, view, *output);
    }
    *output = worker->output;
    return TR_OK;
}

static tr_status run(const tr_job *job, tr_worker *worker, int64_t m)
{
    const tr_model *model = job->engine->model;
    const tr_plan *plan = &model->inference;
    tr_replica *replica = worker->inference;
    int64_t first;
    if (worker->inference_version != model->version) {
        TR_TRY(tr_replica_run(replica, TR_PREPARE));
        worker->inference_version = model->version;
    }
    const float *output;
    const tr_draw draw = tr_micro_batch_draw(job, m, &first);
    tr_replica_set_draw(replica, &draw);
    TR_TRY(run_views(job, worker, m, &output));
    tr_lap(worker->profile, TR_PART_FORWARD);
    tr_micro_batch_measure(job, worker, m, output, NULL);
    tr_micro_batch_charge(job, m, plan, replica);
    tr_lap(worker->profile, TR_PART_LOSS);
    return TR_OK;
}

/* Takes micro-batches until none is left. Which thread gets which does not matter. */
static void work(tr_job *job, tr_worker *worker)
{
    for (;;) {
        const int64_t m = atomic_fetch_add_explicit(&job->next[0], 1, memory_order_relaxed);
        if (m >= job->n_micro_batches)
            return;
        if (run(job, worker, m) != TR_OK)
            atomic_store(&job->failed, 1);
    }
}

tr_status tr_engine_evaluate(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                             int64_t n, float *predictions, tr_sums *sums, tr_error *err)
{
    tr_job job;
    TR_TRY(tr_job_begin(&job, engine, samples, index, n, engine->evaluate_batch, err));
    job.predictions = predictions;
#pragma omp parallel num_threads(tr_job_threads(&job))
    {
        const unsigned before = tr_flush_denormals();
        tr_worker *worker = &engine->workers[tr_thread_number()];
        tr_lap_begin(worker->profile);
        tr_penalties_measure(engine->penalties, engine->model->params, tr_thread_number(),
                             tr_thread_count());
        work(&job, worker);
        tr_restore_denormals(before);
    }
    if (atomic_load(&job.failed))
        return tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed while evaluating");
    tr_add_sums(engine, job.n_micro_batches, n, sums);
    if (samples->y != NULL || samples->values != NULL) /* else they have no loss */
        sums->loss += tr_penalties_sum(engine->penalties) * (double)n;
    return TR_OK;
}
