/* evaluate.c -- Keras's evaluate() and predict(): inference mode, batch by batch. */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "run_internal.h"
#include "samples.h"

/* Samples between two looks at *stop, a multiple of the batch: a moment's work. */
int64_t tr_measure_chunk(const tr_config *config)
{
    enum { SAMPLES = 512 };
    const int64_t batch = config->evaluate_batch_size;
    return batch < SAMPLES ? SAMPLES / batch * batch : batch;
}

static tr_status measure_chunks(tr_engine *engine, const tr_measured *what, const uint32_t *index,
                                float *predictions, tr_sums *total, tr_error *err)
{
    TR_TRY(tr_samples_expect(what->samples, index, what->n, what->chunk, err));
    for (int64_t first = 0; first < what->n; first += what->chunk) {
        const int64_t left = what->n - first, count = left < what->chunk ? left : what->chunk;
        tr_sums sums;
        if (what->stop != NULL && *what->stop)
            return TR_OK;
        TR_TRY(tr_engine_evaluate(engine, what->samples, index + first, count, predictions, &sums,
                                  err));
        if (what->take != NULL)
            what->take(what->user, first, count, predictions);
        tr_sums_add(total, &sums);
    }
    return TR_OK;
}

tr_status tr_measure(tr_engine *engine, const tr_measured *what, tr_metrics *metrics, tr_error *err)
{
    tr_sums total = {0};
    uint32_t *all = NULL;
    float *predictions = NULL;
    tr_status status = TR_OK;
    if (what->index == NULL)
        all = tr_alloc((size_t)what->n, sizeof *all);
    /* A batch may be larger than all samples together. */
    const int64_t most = what->n < what->chunk ? what->n : what->chunk;
    if (what->take != NULL)
        predictions =
            tr_alloc((size_t)most, (size_t)tr_engine_outputs(engine) * sizeof *predictions);
    if ((what->index == NULL && all == NULL) || (what->take != NULL && predictions == NULL))
        status = tr_out_of_memory(err, NULL);
    for (int64_t i = 0; all != NULL && i < what->n; i++)
        all[i] = (uint32_t)i;
    if (status == TR_OK)
        status =
            measure_chunks(engine, what, all == NULL ? what->index : all, predictions, &total, err);
    tr_free(all);
    tr_free(predictions);
    *metrics = tr_engine_metrics(engine, &total);
    return status;
}

/* ---- the test set ---- */

typedef struct noting {
    tr_evaluation *evaluation;
    const tr_model *model;
    const tr_samples *samples;
} noting;

static void note(void *user, int64_t first, int64_t count, const float *predictions)
{
    const noting *self = user;
    tr_evaluation_note(self->evaluation, self->model, self->samples, first, count, predictions);
}

static tr_status measure_test(tr_engine *engine, const tr_config *config, tr_model *model,
                              const tr_dataset *dataset, const atomic_int *stop, tr_evaluation *out,
                              tr_error *err)
{
    const tr_samples *test = tr_dataset_test(dataset);
    TR_TRY(tr_evaluation_begin(out, model, err));
    noting user = {out, model, test};
    const tr_measured what = {.samples = test,
                              .n = test->n,
                              .chunk = tr_measure_chunk(config),
                              .stop = stop,
                              .take = note,
                              .user = &user};
    tr_status status = tr_measure(engine, &what, &out->metrics, err);
    if (status == TR_OK && stop != NULL && *stop)
        status = tr_fail(err, tr_stopped_by(*stop), "stopped by %s while measuring the test set",
                         tr_signal_name(*stop));
    else if (status == TR_OK && !isfinite(out->metrics.loss))
        status = tr_fail(err, TR_ERR_NUMERIC, "the loss on the test set is not a finite number");
    if (status != TR_OK)
        tr_evaluation_release(out);
    return status;
}

tr_status tr_run_evaluate(tr_run *run, const atomic_int *stop, tr_evaluation *out, tr_error *err)
{
    return measure_test(run->engine, run->config, run->model, run->dataset, stop, out, err);
}

/* ---- without a run ---- */

/* An engine for inference alone. */
static tr_status inference_engine(tr_engine **out, const tr_config *config, tr_model *model,
                                  tr_error *err)
{
    char why[TR_WHY_MAX];
    if (!tr_model_is_finite(model))
        return tr_fail(err, TR_ERR_NUMERIC, "a weight of the model is not a finite number");
    return tr_engine_new(out, model, NULL, tr_engine_choose_threads(model, why), 0,
                         tr_measure_chunk(config), err);
}

tr_status tr_evaluate(const tr_config *config, tr_model *model, const tr_dataset *dataset,
                      tr_evaluation *out, tr_error *err)
{
    tr_engine *engine = NULL;
    const tr_target_rules rules = tr_model_target_rules(model);
    TR_TRY(tr_dataset_check_targets(dataset, &rules, err));
    TR_TRY(inference_engine(&engine, config, model, err));
    const tr_status status = measure_test(engine, config, model, dataset, NULL, out, err);
    tr_engine_free(engine);
    return status;
}

/* ---- predictions ---- */

struct tr_predictor {
    const tr_config *config;
    tr_engine *engine;
};

tr_status tr_predictor_new(tr_predictor **out, const tr_config *config, tr_model *model,
                           tr_error *err)
{
    tr_predictor *predictor = tr_alloc(1, sizeof *predictor);
    if (predictor == NULL)
        return tr_out_of_memory(err, NULL);
    predictor->config = config;
    const tr_status status = inference_engine(&predictor->engine, config, model, err);
    if (status == TR_OK)
        *out = predictor;
    else
        tr_free(predictor);
    return status;
}

void tr_predictor_free(tr_predictor *predictor)
{
    if (predictor == NULL)
        return;
    tr_engine_free(predictor->engine);
    tr_free(predictor);
}

typedef struct collecting {
    float *out;
    int64_t width;
} collecting;

static void collect(void *user, int64_t first, int64_t count, const float *predictions)
{
    const collecting *self = user;
    memcpy(self->out + first * self->width, predictions,
           (size_t)(count * self->width) * sizeof *predictions);
}

tr_status tr_predictor_run(tr_predictor *predictor, const tr_samples *samples, float *predictions,
                           tr_error *err)
{
    tr_metrics unused;
    collecting user = {predictions, tr_engine_outputs(predictor->engine)};
    tr_samples images = *samples; /* their targets, if any, do not matter */
    images.y = NULL;
    images.values = NULL;
    const tr_measured what = {.samples = &images,
                              .n = images.n,
                              .chunk = tr_measure_chunk(predictor->config),
                              .take = collect,
                              .user = &user};
    return tr_measure(predictor->engine, &what, &unused, err);
}

tr_status tr_predict(const tr_config *config, tr_model *model, const tr_samples *samples,
                     float *predictions, tr_error *err)
{
    tr_predictor *predictor = NULL;
    TR_TRY(tr_predictor_new(&predictor, config, model, err));
    const tr_status status = tr_predictor_run(predictor, samples, predictions, err);
    tr_predictor_free(predictor);
    return status;
}
