/* profile.c -- switching the measurement of a step on and off; see profile.h. */
#include "profile.h"

#include "engine_internal.h"
#include "mem.h"
#include "threads.h"

const char *const tr_part_names[TR_N_PARTS] = {
    [TR_PART_PREPARE] = "prepare", [TR_PART_GATHER] = "gather",     [TR_PART_FORWARD] = "forward",
    [TR_PART_LOSS] = "loss",       [TR_PART_BACKWARD] = "backward", [TR_PART_WAIT] = "wait",
    [TR_PART_SUM] = "sum",         [TR_PART_UPDATE] = "update",
};

static void end(tr_engine *engine)
{
    for (int i = 0; engine->workers != NULL && i < engine->threads; i++) {
        tr_worker *worker = &engine->workers[i];
        if (worker->profile == NULL)
            continue;
        if (worker->training != NULL)
            tr_replica_time(worker->training, NULL);
        tr_free(worker->profile->op_ns);
        tr_free(worker->profile);
        worker->profile = NULL;
    }
}

static bool begin(const tr_engine *engine, tr_worker *worker)
{
    worker->profile = tr_alloc(1, sizeof *worker->profile);
    if (worker->profile == NULL)
        return false;
    const size_t n_ops = tr_program_n_ops(engine->model->training.program);
    worker->profile->op_ns = tr_alloc(n_ops, sizeof(int64_t));
    if (worker->training != NULL)
        tr_replica_time(worker->training, worker->profile->op_ns);
    return worker->profile->op_ns != NULL;
}

tr_status tr_engine_profile(tr_engine *engine, bool on, tr_error *err)
{
    end(engine);
    for (int i = 0; on && i < engine->threads; i++)
        if (!begin(engine, &engine->workers[i])) {
            end(engine);
            return tr_out_of_memory(err, NULL);
        }
    return TR_OK;
}

const tr_profile *tr_engine_profile_of(const tr_engine *engine, int thread)
{
    return engine->workers[thread].profile;
}

void tr_engine_each(tr_engine *engine, void (*work)(void *user, int thread), void *user)
{
#pragma omp parallel num_threads(engine->threads)
    work(user, tr_thread_number());
}
