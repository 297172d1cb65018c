/* engine.c -- life of the engine: everything a step needs, allocated before the first one. */
#include "engine.h"

#include "engine_internal.h"
#include "mem.h"
#include "thread_count.h"
#include "threads.h"

static tr_status fill_worker(tr_engine *engine, tr_worker *worker, tr_error *err)
{
    const tr_model *model = engine->model;
    const size_t n = (size_t)engine->micro_batch, width = (size_t)tr_model_n_classes(model);
    worker->classes = tr_alloc(n, sizeof *worker->classes);
    worker->values = tr_alloc(n, width * sizeof *worker->values);
    worker->weights = tr_alloc(n, sizeof *worker->weights);
    worker->predictions = tr_alloc(n, width * sizeof *worker->predictions);
    const int64_t *shape = model->config->input_shape;
    const bool several = engine->n_views > 1;
    worker->images =
        several ? tr_alloc(n, (size_t)(shape[0] * shape[1] * shape[2]) * sizeof(float)) : NULL;
    worker->output = several ? tr_alloc(n, width * sizeof *worker->output) : NULL;
    if (worker->classes == NULL || worker->values == NULL || worker->weights == NULL ||
        worker->predictions == NULL ||
        (several && (worker->images == NULL || worker->output == NULL)))
        return tr_out_of_memory(err, NULL);
    if (engine->optimizers.n == 0)
        return tr_replica_new(&worker->inference, model->inference.program, model->params, err);
    return tr_replica_new_pair(&worker->training, model->training.program, &worker->inference,
                               model->inference.program, model->params, err);
}

/* Each thread fills its own worker, so that its pages lie in memory near its core. */
static tr_status fill_workers(tr_engine *engine, tr_error *err)
{
    tr_status result = TR_OK;
#pragma omp parallel num_threads(engine->threads)
    {
        for (int i = tr_thread_number(); i < engine->threads; i += tr_thread_count()) {
            tr_error own;
            const tr_status status = fill_worker(engine, &engine->workers[i], &own);
#pragma omp critical
            if (status != TR_OK) {
                result = status;
                if (err != NULL)
                    *err = own;
            }
        }
    }
    return result;
}

/* Of the trained tensors, whose range comes first. */
static tr_status make_updater(tr_engine *engine, tr_error *err)
{
    const tr_model *model = engine->model;
    int n = 0;
    tr_flat_tensor *tensors = tr_alloc((size_t)tr_model_n_weights(model), sizeof *tensors);
    if (tensors == NULL)
        return tr_out_of_memory(err, NULL);
    for (int i = 0; i < tr_model_n_weights(model); i++) {
        const tr_param *param = tr_model_param(model, i);
        if (param->range == TR_TRAINED)
            tensors[n++] =
                (tr_flat_tensor){.tensor = tr_model_tensor(model, i),
                                 .optimizer = tr_model_optimizer_of(model, i),
                                 .offset = param->offset,
                                 .n = param->n_packed,
                                 .plain = param->plain,
                                 .packed = param->packed,
                                 .penalty = tr_regularizer_penalty(&param->rules.regularizer)};
    }
    const tr_status status = tr_updater_new(&engine->updater, &engine->optimizers, tensors, n,
                                            model->extents.n[TR_TRAINED], err);
    tr_free(tensors);
    return status;
}

static size_t largest_sum(const tr_program *program)
{
    int64_t largest = 0;
    for (size_t i = 0; i < tr_program_n_sums(program); i++) {
        const int64_t count = tr_program_sum(program, i).count;
        largest = count > largest ? count : largest;
    }
    return (size_t)largest;
}

static tr_status allocate(tr_engine *engine, tr_error *err)
{
    const size_t n_trained = engine->model->extents.n[TR_TRAINED];
    engine->workers = tr_alloc((size_t)engine->threads, sizeof *engine->workers);
    const int64_t n_sums =
        engine->max_train > engine->max_evaluate ? engine->max_train : engine->max_evaluate;
    const size_t row = tr_sums_width(engine) * sizeof *engine->sums;
    engine->sums = tr_alloc((size_t)n_sums, row);
    engine->sums_of_pairs = tr_alloc(TR_REDUCE_ROOM, row);
    if (engine->workers == NULL || engine->sums == NULL || engine->sums_of_pairs == NULL)
        return tr_out_of_memory(err, NULL);
    TR_TRY(tr_penalties_new(&engine->penalties, engine->model, err));
    if (engine->optimizers.n == 0)
        return TR_OK;
    const tr_program *program = engine->model->training.program;
    engine->sums_room = tr_alloc(largest_sum(program), TR_REDUCE_ROOM * sizeof(double));
    if (engine->sums_room == NULL)
        return tr_out_of_memory(err, NULL);
    TR_TRY(tr_constraints_new(&engine->constraints, engine->model, err));
    TR_TRY(tr_kept_new(&engine->kept, program, engine->max_train, err));
    TR_TRY(tr_waves_new(&engine->waves, program, n_trained, engine->max_train,
                        engine->model->config->engine.gradient_slots, engine->threads, err));
    return make_updater(engine, err);
}

tr_status tr_engine_new(tr_engine **out, tr_model *model, const tr_optimizers *optimizers,
                        int threads, int64_t max_train, int64_t max_evaluate, tr_error *err)
{
    if (optimizers != NULL)
        TR_TRY(tr_model_check_trainable(model, err));
    tr_engine *engine = tr_alloc(1, sizeof *engine);
    if (engine == NULL)
        return tr_out_of_memory(err, NULL);
    engine->model = model;
    engine->threads = tr_has_openmp() ? threads : 1;
    engine->micro_batch = model->config->engine.micro_batch;
    engine->max_train = (max_train + engine->micro_batch - 1) / engine->micro_batch;
    engine->evaluate_batch = model->config->evaluate_batch_size;
    engine->n_views = tr_views_of(model->config->evaluate_views, engine->views);
    engine->max_evaluate =
        (max_evaluate / engine->evaluate_batch + 1) *
        ((engine->evaluate_batch + engine->micro_batch - 1) / engine->micro_batch);
    tr_status status =
        optimizers == NULL ? TR_OK : tr_optimizers_copy(&engine->optimizers, optimizers, err);
    if (status == TR_OK)
        status = allocate(engine, err);
    if (status == TR_OK)
        status = fill_workers(engine, err);
    if (status != TR_OK) {
        tr_engine_free(engine);
        return status;
    }
    *out = engine;
    return TR_OK;
}

void tr_engine_free(tr_engine *engine)
{
    if (engine == NULL)
        return;
    (void)tr_engine_profile(engine, false, NULL);
    for (int i = 0; engine->workers != NULL && i < engine->threads; i++) {
        tr_replica_free(engine->workers[i].training);
        tr_replica_free(engine->workers[i].inference);
        tr_free(engine->workers[i].classes);
        tr_free(engine->workers[i].values);
        tr_free(engine->workers[i].weights);
        tr_free(engine->workers[i].predictions);
        tr_free(engine->workers[i].images);
        tr_free(engine->workers[i].output);
    }
    tr_updater_free(engine->updater);
    tr_constraints_free(engine->constraints);
    tr_penalties_free(engine->penalties);
    tr_optimizers_release(&engine->optimizers);
    tr_free(engine->workers);
    tr_waves_free(engine->waves);
    tr_kept_free(engine->kept);
    tr_free(engine->sums_room);
    tr_free(engine->sums);
    tr_free(engine->sums_of_pairs);
    tr_free(engine);
}

int tr_engine_threads(const tr_engine *engine)
{
    return engine->threads;
}

int64_t tr_engine_outputs(const tr_engine *engine)
{
    return tr_model_n_classes(engine->model);
}

int tr_engine_choose_threads(const tr_model *model, char why[TR_WHY_MAX])
{
    return tr_threads_choose(model->config->engine.threads, tr_dnn_threads(model->dnn), why);
}
