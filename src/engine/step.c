/* step.c -- one training step: the hot path of the program.
 *
 * A batch is cut into micro-batches of a fixed size. A thread takes one through all layers, forward
 * and backward, while its activations are still in that core's cache; it writes the gradient into
 * the slot of that micro-batch. When all are done, every thread sums a range of the slots in the
 * fixed tree and updates that range (update.c). Two facts make the result independent of the
 * threads: a slot depends only on its micro-batch, and the tree only on their number.
 *
 * Where the network needs sums over the batch its program has several stages: all micro-batches go
 * through one before any begins the next, and between the two the sums are added in the same tree.
 * Where the batch is large, a stage's gradients are folded wave by wave (waves.h). Threads meet at
 * the end of each such run; a network without cuts, in a batch of one wave, is one run.
 *
 * Nothing here allocates.
 */
#include "engine.h"
#include "micro_batch.h"
#include "reduce.h"
#include "threads.h"

/* ---- a micro-batch in a stage ---- */

static tr_status prepare(const tr_engine *engine, tr_worker *worker)
{
    if (worker->training_version == engine->model->version)
        return TR_OK;
    TR_TRY(tr_replica_run(worker->training, TR_PREPARE));
    worker->training_version = engine->model->version;
    tr_lap(worker->profile, TR_PART_PREPARE);
    return TR_OK;
}

static tr_status run_stage(const tr_job *job, tr_worker *worker, int stage, int64_t m)
{
    const tr_engine *engine = job->engine;
    const tr_plan *plan = &engine->model->training;
    const int loss_stage = tr_program_loss_stage(plan->program);
    tr_replica *replica = worker->training;
    int64_t first;
    TR_TRY(prepare(engine, worker));
    TR_TRY(tr_replica_bind(replica, engine->kept, m,
                           tr_waves_slot(engine->waves, job->n_micro_batches, m), stage));
    if (stage == 0)
        tr_micro_batch_gather(job, m, tr_replica_data(replica, plan->input));
    const tr_draw draw = tr_micro_batch_draw(job, m, &first);
    tr_replica_set_draw(replica, &draw);
    tr_lap(worker->profile, TR_PART_GATHER);
    if (stage <= loss_stage)
        TR_TRY(tr_replica_run_stage(replica, TR_FORWARD, stage));
    tr_lap(worker->profile, TR_PART_FORWARD);
    if (stage == loss_stage) {
        tr_micro_batch_measure(job, worker, m, tr_replica_data(replica, plan->output),
                               tr_replica_data(replica, plan->diff_output));
        tr_micro_batch_charge(job, m, plan, replica);
    }
    tr_lap(worker->profile, TR_PART_LOSS);
    if (stage >= loss_stage)
        TR_TRY(tr_replica_run_stage(replica, TR_BACKWARD, stage));
    tr_lap(worker->profile, TR_PART_BACKWARD);
    return TR_OK;
}

/* ---- a run: one wave of micro-batches through one stage ---- */

typedef struct run {
    int stage;
    int64_t number; /* counts the runs of a step */
    int64_t begin, end;
} run;

/* Takes micro-batches until none is left. Which thread gets which does not matter. Every other
 * stage goes backward through the batch: what was touched last is still in cache. */
static void work(tr_job *job, tr_worker *worker, const run *at)
{
    for (;;) {
        const int64_t i =
            atomic_fetch_add_explicit(&job->next[at->number % 2], 1, memory_order_relaxed);
        if (i >= at->end - at->begin)
            return;
        const int64_t m = at->stage % 2 == 0 ? at->begin + i : at->end - 1 - i;
        if (run_stage(job, worker, at->stage, m) != TR_OK)
            atomic_store(&job->failed, 1);
    }
}

static void meet(tr_worker *worker)
{
#pragma omp barrier
    tr_lap(worker->profile, TR_PART_WAIT);
}

static void do_run(tr_job *job, tr_worker *worker, const run *at)
{
    const tr_engine *engine = job->engine;
    const int64_t n = job->n_micro_batches, count = at->end - at->begin;
    work(job, worker, at);
    /* Of the run before this one, whose counter the next will take, all threads are done. */
    if (tr_thread_number() == 0)
        atomic_store(&job->next[(at->number + 1) % 2], 0);
    meet(worker);
    if (count == n && at->begin == 0)
        return;
    tr_waves_fold(engine->waves, n, at->begin, count, at->stage, tr_thread_number(),
                  tr_thread_count());
    tr_lap(worker->profile, TR_PART_SUM);
    meet(worker);
}

/* ---- between two stages ---- */

static void add_sums(const tr_engine *engine, int stage, int64_t n)
{
    const tr_program *program = engine->model->training.program;
    for (size_t i = 0; i < tr_program_n_sums(program); i++) {
        const tr_stage_sum sum = tr_program_sum(program, i);
        const int64_t step = sum.group == TR_WHOLE_BATCH ? n : sum.group;
        for (int64_t m = 0; sum.stage == stage && m < n; m += step)
            tr_reduce_doubles(tr_kept_memory(engine->kept, sum.total, m),
                              tr_kept_memory(engine->kept, sum.sums, m),
                              tr_kept_stride(engine->kept), n - m < step ? n - m : step,
                              (size_t)sum.count, engine->sums_room);
    }
}

/* By one thread, while the others wait: a few sums per channel. */
static tr_status join(const tr_job *job, tr_worker *worker, int stage)
{
    const tr_engine *engine = job->engine;
    add_sums(engine, stage, job->n_micro_batches);
    TR_TRY(tr_replica_join(worker->training, engine->kept, job->n_micro_batches, stage));
    tr_lap(worker->profile, TR_PART_SUM);
    return TR_OK;
}

/* What one thread does behind the last stage, while others may be updating already: so a failure
 * must not show in job->failed, by which all of them decide whether to meet in the update. */
static tr_status conclude(const tr_job *job, tr_worker *worker, int stage)
{
    TR_TRY(join(job, worker, stage));
    return tr_replica_conclude(worker->training, job->engine->kept);
}

/* ---- a batch ---- */

static void run_all(tr_job *job, tr_worker *worker)
{
    const tr_engine *engine = job->engine;
    const int n_stages = tr_program_n_stages(engine->model->training.program);
    const int64_t n = job->n_micro_batches;
    run at = {0};
    for (; at.stage < n_stages; at.stage++) {
        const int64_t wave = tr_waves_size(engine->waves, n, at.stage);
        for (at.begin = 0; at.begin < n; at.begin += wave, at.number++) {
            at.end = n - at.begin < wave ? n : at.begin + wave;
            do_run(job, worker, &at);
        }
        if (at.stage + 1 == n_stages)
            break;
        if (tr_thread_number() == 0 && join(job, worker, at.stage) != TR_OK)
            atomic_store(&job->failed, 1);
        meet(worker);
    }
    if (tr_thread_number() == 0 && !atomic_load(&job->failed) &&
        conclude(job, worker, at.stage) != TR_OK)
        atomic_store(&job->not_concluded, 1);
}

static void update(const tr_engine *engine, tr_worker *worker, const tr_leaves *leaves)
{
    float *params = engine->model->params;
    tr_updater_run(engine->updater, params, leaves, worker->profile, tr_thread_number(),
                   tr_thread_count());
    if (engine->constraints == NULL)
        return;
    meet(worker);
    tr_constraints_apply(engine->constraints, params, tr_thread_number(), tr_thread_count());
    tr_lap(worker->profile, TR_PART_UPDATE);
}

tr_status tr_engine_step(tr_engine *engine, const tr_samples *samples, const uint32_t *index,
                         int64_t n, tr_sums *sums, tr_error *err)
{
    tr_job job;
    TR_TRY(tr_job_begin(&job, engine, samples, index, n, n, err));
    const tr_leaves leaves = tr_waves_leaves(engine->waves, job.n_micro_batches);
    tr_updater_begin(engine->updater, engine->iterations);
#pragma omp parallel num_threads(tr_job_threads(&job))
    {
        const unsigned before = tr_flush_denormals();
        tr_worker *worker = &engine->workers[tr_thread_number()];
        tr_lap_begin(worker->profile);
        tr_penalties_measure(engine->penalties, engine->model->params, tr_thread_number(),
                             tr_thread_count());
        run_all(&job, worker);
        if (!atomic_load(&job.failed))
            update(engine, worker, &leaves);
        tr_restore_denormals(before);
    }
    if (atomic_load(&job.failed) || atomic_load(&job.not_concluded))
        return tr_fail(err, TR_ERR_INTERNAL, "oneDNN failed while running a training step");
    engine->last_leaves = leaves;
    engine->iterations++;
    engine->model->version++;
    tr_add_sums(engine, job.n_micro_batches, n, sums);
    sums->loss += tr_penalties_sum(engine->penalties) * (double)n;
    return TR_OK;
}

/* ---- the gradient, for tests ---- */

void tr_engine_gradient(const tr_engine *engine, float *out)
{
    const size_t n = engine->model->extents.n[TR_TRAINED];
    const tr_leaves *leaves = &engine->last_leaves;
    for (size_t i = 0; i < n; i += TR_REDUCE_CHUNK)
        tr_reduce_leaves(out + i, leaves->first + i, leaves->stride, leaves->n,
                         n - i < TR_REDUCE_CHUNK ? n - i : TR_REDUCE_CHUNK);
}
