/* evaluate.c -- Keras's evaluate(): mean loss and accuracy in inference mode. */
#include <math.h>

#include "mem.h"
#include "run_internal.h"

tr_metrics tr_metrics_of(const tr_sums *sums)
{
    if (sums->n == 0)
        return (tr_metrics){0};
    return (tr_metrics){.loss = sums->loss / (double)sums->n,
                        .accuracy = (double)sums->hits / (double)sums->n,
                        .n = sums->n};
}

/* Samples between two looks at *stop, a multiple of the batch: a moment's work. */
int64_t tr_measure_chunk(const tr_config *config)
{
    enum { SAMPLES = 512 };
    const int64_t batch = config->evaluate_batch_size;
    return batch < SAMPLES ? SAMPLES / batch * batch : batch;
}

tr_status tr_measure(tr_engine *engine, const tr_samples *samples, const uint32_t *index, int64_t n,
                     int64_t chunk, const volatile sig_atomic_t *stop, tr_metrics *metrics,
                     tr_error *err)
{
    tr_sums total = {0};
    for (int64_t first = 0; first < n && !(stop != NULL && *stop); first += chunk) {
        const int64_t left = n - first;
        tr_sums sums;
        TR_TRY(tr_engine_evaluate(engine, samples, index + first, left < chunk ? left : chunk,
                                  &sums, err));
        total.loss += sums.loss;
        total.hits += sums.hits;
        total.n += sums.n;
    }
    *metrics = tr_metrics_of(&total);
    return TR_OK;
}

static tr_status measure_test(tr_engine *engine, const tr_config *config, const tr_dataset *dataset,
                              const volatile sig_atomic_t *stop, tr_metrics *metrics, tr_error *err)
{
    const tr_samples *test = tr_dataset_test(dataset);
    uint32_t *index = tr_alloc((size_t)test->n, sizeof *index);
    if (index == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    for (int64_t i = 0; i < test->n; i++)
        index[i] = (uint32_t)i;
    const tr_status status =
        tr_measure(engine, test, index, test->n, tr_measure_chunk(config), stop, metrics, err);
    tr_free(index);
    if (status != TR_OK)
        return status;
    if (stop != NULL && *stop)
        return tr_fail(err, *stop == SIGTERM ? TR_TERMINATED : TR_INTERRUPTED,
                       "stopped by signal %d while measuring the test set", (int)*stop);
    if (!isfinite(metrics->loss))
        return tr_fail(err, TR_ERR_NUMERIC, "the loss on the test set is not a finite number");
    return TR_OK;
}

tr_status tr_run_evaluate(tr_run *run, const volatile sig_atomic_t *stop, tr_metrics *metrics,
                          tr_error *err)
{
    return measure_test(run->engine, run->config, run->dataset, stop, metrics, err);
}

tr_status tr_evaluate(const tr_config *config, tr_model *model, const tr_dataset *dataset,
                      tr_metrics *metrics, tr_error *err)
{
    tr_engine *engine = NULL;
    if (!tr_model_is_finite(model))
        return tr_fail(err, TR_ERR_NUMERIC, "a weight of the model is not a finite number");
    TR_TRY(tr_dataset_check_classes(dataset, tr_model_n_classes(model), err));
    char why[TR_WHY_MAX];
    TR_TRY(tr_engine_new(&engine, model, NULL, tr_engine_choose_threads(model, why), 0,
                         tr_measure_chunk(config), err));
    const tr_status status = measure_test(engine, config, dataset, NULL, metrics, err);
    tr_engine_free(engine);
    return status;
}
