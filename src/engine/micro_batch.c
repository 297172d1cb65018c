/* micro_batch.c -- see micro_batch.h. Nothing here allocates. */
#include "micro_batch.h"

#include <string.h>

#include "batch.h"
#include "reduce.h"
#include "samples.h"

tr_status tr_job_begin(tr_job *job, tr_engine *engine, const tr_samples *samples,
                       const uint32_t *index, int64_t n, int64_t batch, tr_error *err)
{
    const int64_t size = engine->micro_batch;
    *job = (tr_job){.engine = engine,
                    .samples = samples,
                    .index = index,
                    .n = n,
                    .batch = batch,
                    .per_batch = (batch + size - 1) / size};
    job->n_micro_batches = n / batch * job->per_batch + (n % batch + size - 1) / size;
    return tr_samples_take(samples, index, n, &job->images, &job->rows, err);
}

int tr_job_threads(const tr_job *job)
{
    const int threads = job->engine->threads;
    return job->n_micro_batches < threads ? (int)job->n_micro_batches : threads;
}

/* The samples of micro-batch m: [*first, *first + the returned count), none beyond its batch. */
static int64_t cut(const tr_job *job, int64_t m, int64_t *first)
{
    const int64_t begin = m / job->per_batch * job->batch, rest = job->n - begin;
    const int64_t end = begin + (rest < job->batch ? rest : job->batch);
    *first = begin + m % job->per_batch * job->engine->micro_batch;
    const int64_t left = end - *first;
    return left < job->engine->micro_batch ? left : job->engine->micro_batch;
}

tr_draw tr_micro_batch_draw(const tr_job *job, int64_t m, int64_t *first)
{
    const int64_t count = cut(job, m, first);
    return (tr_draw){.seed = (uint64_t)job->engine->model->config->fit.seed,
                     .update = job->engine->iterations,
                     .samples = job->index + *first,
                     .n = count,
                     .batch = job->batch};
}

void tr_micro_batch_gather(const tr_job *job, int64_t m, float *dst)
{
    const tr_data_config *data = &job->engine->model->config->data;
    int64_t first;
    const int64_t count = cut(job, m, &first);
    tr_batch_gather(dst, &job->images, job->rows + first, count, job->engine->micro_batch,
                    (float)data->scale_num, (float)data->scale_den);
}

/* The targets of a micro-batch, in the form that the dataset has. */
static tr_targets gather_targets(const tr_job *job, tr_worker *worker, int64_t first, int64_t count)
{
    tr_targets targets = {0};
    if (job->samples->y != NULL) {
        tr_batch_classes(worker->classes, job->samples, job->index + first, count);
        targets.classes = worker->classes;
    } else if (job->samples->values != NULL) {
        tr_batch_values(worker->values, job->samples, job->index + first, count);
        targets.values = worker->values;
    }
    return targets;
}

/* ---- sums ---- */

size_t tr_sums_width(const tr_engine *engine)
{
    return 1 + (size_t)engine->model->metrics.n_sums;
}

void tr_add_sums(const tr_engine *engine, int64_t n, int64_t samples, tr_sums *out)
{
    const size_t width = tr_sums_width(engine);
    double all[1 + TR_MAX_SUMS];
    tr_reduce_doubles(all, engine->sums, width, n, width, engine->sums_of_pairs);
    out->loss = all[0];
    out->n = samples;
    out->n_sums = (int64_t)width - 1;
    memcpy(out->metrics, all + 1, (width - 1) * sizeof *all);
}

tr_metrics tr_engine_metrics(const tr_engine *engine, const tr_sums *sums)
{
    return tr_metrics_of(&engine->model->metrics, sums);
}

/* NULL: all count once. */
static const float *gather_weights(const tr_job *job, tr_worker *worker, int64_t first,
                                   int64_t count)
{
    if (job->samples->weights == NULL)
        return NULL;
    tr_batch_weights(worker->weights, job->samples, job->index + first, count);
    return worker->weights;
}

static void measure(const tr_job *job, const tr_loss_task *task, const float *pred, double *sums)
{
    const tr_model *model = job->engine->model;
    sums[0] = tr_loss_run(&model->loss, task);
    const tr_metric_task metric = {.pred = pred,
                                   .targets = task->targets,
                                   .weights = task->weights,
                                   .n = task->n,
                                   .width = task->width};
    tr_metrics_add(&model->metrics, &metric, sums + 1);
}

void tr_micro_batch_measure(const tr_job *job, tr_worker *worker, int64_t m, const float *output,
                            float *diff)
{
    tr_engine *engine = job->engine;
    const tr_model *model = engine->model;
    const int64_t width = tr_model_n_classes(model);
    int64_t first;
    const int64_t count = cut(job, m, &first);
    const tr_loss_task task = {.pred = output,
                               .diff = diff,
                               .targets = gather_targets(job, worker, first, count),
                               .weights = gather_weights(job, worker, first, count),
                               .n = count,
                               .n_padded = engine->micro_batch,
                               .width = width,
                               .weight = 1.0f / (float)job->n};
    const float *pred = task.pred;
    if (model->loss.takes_over && (model->metrics.wants_values || job->predictions != NULL)) {
        tr_loss_predictions(&model->loss, task.pred, worker->predictions, count, width);
        pred = worker->predictions;
    }
    if (job->predictions != NULL)
        memcpy(job->predictions + first * width, pred, (size_t)(count * width) * sizeof *pred);
    double *sums = engine->sums + (size_t)m * tr_sums_width(engine);
    memset(sums, 0, tr_sums_width(engine) * sizeof *sums);
    if (task.targets.classes != NULL || task.targets.values != NULL)
        measure(job, &task, pred, sums);
}

void tr_micro_batch_charge(const tr_job *job, int64_t m, const tr_plan *plan,
                           const tr_replica *replica)
{
    int64_t first;
    const int64_t count = cut(job, m, &first);
    double *loss = &job->engine->sums[(size_t)m * tr_sums_width(job->engine)];
    const bool has_loss = job->samples->y != NULL || job->samples->values != NULL;
    for (int k = 0; has_loss && k < plan->n_costs; k++) {
        const float *costs = tr_replica_data(replica, plan->costs[k]);
        for (int64_t i = 0; i < count; i++)
            *loss += (double)costs[i];
    }
}
