/* step.c -- one training step, and one evaluated batch: the hot path of the program.
 *
 * A batch is cut into micro-batches of a fixed size. A thread takes one through all layers, forward
 * and backward, while its activations are still in that core's cache; it writes the gradient into
 * the slot of that micro-batch's number. When all are done, every thread sums a range of the slots
 * in the fixed tree and updates that range (update.c). Two facts make the result independent of the
 * threads: a slot depends only on its micro-batch, and the tree only on their number.
 *
 * The last micro-batch may be short: it is padded with zero samples whose loss gradient is zero.
 * Nothing here allocates.
 */
#include <stdatomic.h>
#include <string.h>

#include "batch.h"
#include "engine.h"
#include "engine_internal.h"
#include "reduce.h"
#include "threads.h"

/* One batch, or several to evaluate, and the state of its processing that all threads share. */
typedef struct tr_job {
    tr_engine *engine;
    const tr_samples *samples;
    const uint32_t *index;
    int64_t n;               /* samples */
    int64_t batch;           /* samples of a batch; the last may be smaller */
    int64_t per_batch;       /* micro-batches of a full batch */
    int64_t n_micro_batches; /* of all */
    float *predictions;      /* [n, outputs], wanted; or NULL */
    _Atomic int64_t next;    /* micro-batch that nobody has taken yet */
    _Atomic int failed;      /* oneDNN refused to run something */
} tr_job;

/* ---- a micro-batch ---- */

/* The samples of micro-batch m: [*first, *first + the returned count), none beyond its batch. */
static int64_t cut(const tr_job *job, int64_t m, int64_t *first)
{
    const int64_t begin = m / job->per_batch * job->batch, rest = job->n - begin;
    const int64_t end = begin + (rest < job->batch ? rest : job->batch);
    *first = begin + m % job->per_batch * job->engine->micro_batch;
    const int64_t left = end - *first;
    return left < job->engine->micro_batch ? left : job->engine->micro_batch;
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

static void measure(const tr_job *job, const tr_loss_task *task, const float *pred, tr_sums *sums)
{
    const tr_model *model = job->engine->model;
    *sums = (tr_sums){.loss = tr_loss_run(&model->loss, task), .n = task->n};
    const tr_metric_task metric = {.pred = pred,
                                   .targets = task->targets,
                                   .n = task->n,
                                   .width = task->width,
                                   .k = model->metrics.k};
    for (int i = 0; i < model->metrics.n; i++)
        sums->metrics[i] = model->metrics.items[i].ops->sum(&metric);
}

/* A micro-batch of samples into the network, through it, into loss and metrics. */
static tr_status forward(const tr_job *job, tr_worker *worker, const tr_plan *plan,
                         tr_replica *replica, float *diff, int64_t m)
{
    tr_engine *engine = job->engine;
    const tr_model *model = engine->model;
    const tr_data_config *data = &model->config->data;
    const int64_t width = tr_model_n_classes(model);
    int64_t first;
    const int64_t count = cut(job, m, &first);
    tr_batch_gather(tr_replica_data(replica, plan->input), job->samples, job->index + first, count,
                    engine->micro_batch, (float)data->scale_num, (float)data->scale_den);
    const tr_loss_task task = {.pred = tr_replica_data(replica, plan->output),
                               .diff = diff,
                               .targets = gather_targets(job, worker, first, count),
                               .n = count,
                               .n_padded = engine->micro_batch,
                               .width = width,
                               .weight = 1.0f / (float)job->n};
    tr_lap(worker->profile, TR_PART_GATHER);
    tr_replica_set_draw(replica, &(tr_draw){.seed = (uint64_t)model->config->fit.seed,
                                            .update = engine->iterations,
                                            .samples = job->index + first,
                                            .n = count});
    TR_TRY(tr_replica_run(replica, TR_FORWARD));
    tr_lap(worker->profile, TR_PART_FORWARD);
    const float *pred = task.pred;
    if (model->loss.takes_over && (model->metrics.wants_values || job->predictions != NULL)) {
        tr_loss_predictions(&model->loss, task.pred, worker->predictions, count, width);
        pred = worker->predictions;
    }
    if (job->predictions != NULL)
        memcpy(job->predictions + first * width, pred, (size_t)(count * width) * sizeof *pred);
    if (task.targets.classes == NULL && task.targets.values == NULL)
        engine->sums[m] = (tr_sums){.n = count};
    else
        measure(job, &task, pred, &engine->sums[m]);
    tr_lap(worker->profile, TR_PART_LOSS);
    return TR_OK;
}

static tr_status train_micro_batch(const tr_job *job, tr_worker *worker, int64_t m)
{
    tr_engine *engine = job->engine;
    tr_replica *replica = worker->training;
    const tr_plan *plan = &engine->model->training;
    if (worker->training_version != engine->model->version) {
        TR_TRY(tr_replica_run(replica, TR_PREPARE));
        worker->training_version = engine->model->version;
        tr_lap(worker->profile, TR_PART_PREPARE);
    }
    TR_TRY(tr_replica_set_gradients(replica, engine->gradients + (size_t)m * engine->stride));
    TR_TRY(forward(job, worker, plan, replica, tr_replica_data(replica, plan->diff_output), m));
    TR_TRY(tr_replica_run(replica, TR_BACKWARD));
    tr_lap(worker->profile, TR_PART_BACKWARD);
    return TR_OK;
}

static tr_status evaluate_micro_batch(const tr_job *job, tr_worker *worker, int64_t m)
{
    tr_replica *replica = worker->inference;
    if (worker->inference_version != job->engine->model->version) {
        TR_TRY(tr_replica_run(replica, TR_PREPARE));
        worker->inference_version = job->engine->model->version;
    }
    return forward(job, worker, &job->engine->model->inference, replica, NULL, m);
}

/* Takes micro-batches until none is left. Which thread gets which does not matter. */
static void work(tr_job *job, tr_worker *worker,
                 tr_status (*run)(const tr_job *, tr_worker *, int64_t))
{
    for (;;) {
        const int64_t m = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (m >= job->n_micro_batches)
            return;
        if (run(job, worker, m) != TR_OK)
            atomic_store(&job->failed, 1);
    }
}

/* ---- the gradient, for tests ---- */

void tr_engine_gradient(const tr_engine *engine, float *out)
{
    const size_t n = engine->model->extents.n[TR_TRAINED];
    for (size_t i = 0; i < n; i += TR_REDUCE_CHUNK)
        tr_reduce_leaves(out + i, engine->gradients + i, engine->stride, engine->last_micro_batches,
                         n - i < TR_REDUCE_CHUNK ? n - i : TR_REDUCE_CHUNK);
}

/* ---- a batch ---- */

static tr_job new_job(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                      int64_t n, int64_t batch)
{
    const int64_t size = engine->micro_batch;
    tr_job job = {.engine = engine,
                  .samples = samples,
                  .index = index,
                  .n = n,
                  .batch = batch,
                  .per_batch = (batch + size - 1) / size};
    job.n_micro_batches = n / batch * job.per_batch + (n % batch + size - 1) / size;
    return job;
}

/* A thread without a micro-batch would only be waited for. */
static int useful_threads(const tr_job *job)
{
    const int threads = job->engine->threads;
    return job->n_micro_batches < threads ? (int)job->n_micro_batches : threads;
}

tr_status tr_engine_step(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                         int64_t n, tr_sums *sums, tr_error *err)
{
    tr_job job = new_job(engine, samples, index, n, n);
    const tr_leaves leaves = {
        .first = engine->gradients, .stride = engine->stride, .n = job.n_micro_batches};
    tr_updater_begin(engine->updater, engine->iterations);
#pragma omp parallel num_threads(useful_threads(&job))
    {
        const unsigned before = tr_flush_denormals();
        tr_worker *worker = &engine->workers[tr_thread_number()];
        tr_lap_begin(worker->profile);
        work(&job, worker, train_micro_batch);
#pragma omp barrier
        tr_lap(worker->profile, TR_PART_WAIT);
        if (!atomic_load(&job.failed))
            tr_updater_run(engine->updater, engine->model->params, &leaves, worker->profile,
                           tr_thread_number(), tr_thread_count());
        tr_restore_denormals(before);
    }
    if (atomic_load(&job.failed))
        return tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed while running a training step");
    engine->last_micro_batches = job.n_micro_batches;
    engine->iterations++;
    engine->model->version++;
    *sums = tr_reduce_sums(engine->sums, job.n_micro_batches);
    return TR_OK;
}

tr_status tr_engine_evaluate(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                             int64_t n, float *predictions, tr_sums *sums, tr_error *err)
{
    tr_job job = new_job(engine, samples, index, n, engine->evaluate_batch);
    job.predictions = predictions;
#pragma omp parallel num_threads(useful_threads(&job))
    {
        const unsigned before = tr_flush_denormals();
        tr_worker *worker = &engine->workers[tr_thread_number()];
        tr_lap_begin(worker->profile);
        work(&job, worker, evaluate_micro_batch);
        tr_restore_denormals(before);
    }
    if (atomic_load(&job.failed))
        return tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed while evaluating");
    *sums = tr_reduce_sums(engine->sums, job.n_micro_batches);
    return TR_OK;
}
