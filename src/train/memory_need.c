/* memory_need.c -- see memory_need.h. */
#include "memory_need.h"

#include <math.h>
#include <unistd.h>

#include "cgroup.h"
#include "engine.h"
#include "feed.h"
#include "mem.h"
#include "model_internal.h"
#include "run_internal.h"
#include "snapshot.h"

/* Stacks, buffers of libraries, and tables of a run. */
static const uint64_t rest_bytes = 6 << 20;

static uint64_t resident_bytes(void)
{
    char text[256];
    int64_t mapped, resident;
    const char *at = text;
    if (!tr_small_file_read(text, sizeof text, "/proc/self/statm") ||
        !tr_digits_take(&at, &mapped) || *at++ != ' ' || !tr_digits_take(&at, &resident))
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- data ---- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How many samples a run trains on and validates on. */
static void part_sizes(const tr_config *config, const tr_dataset_outline *data, int64_t *train,
                       int64_t *validation)
{
    const int64_t n = data->n[0], folds = config->data.folds;
    const int64_t split = folds > 0 ? (n + folds - 1) / folds
                                    : (int64_t)ceil(config->data.validation_split * (double)n);
    *validation = split > 0 ? split : data->n[1];
    *train = n - split;
    if (config->data.limit_train > 0)
        *train = smaller(*train, config->data.limit_train);
}

static uint64_t ring(const tr_dataset_outline *data, int part, int64_t n, int64_t batch)
{
    return data->streamed[part] && n > 0 ? tr_feed_ring_bytes((size_t)data->image_bytes, n, batch)
                                         : 0;
}

static uint64_t data_bytes(const tr_config *config, const tr_dataset_outline *data)
{
    int64_t n_train, n_validation;
    const int64_t chunk = tr_measure_chunk(config);
    part_sizes(config, data, &n_train, &n_validation);
    const uint64_t train = ring(data, 0, n_train, config->fit.batch_size);
    const uint64_t split = data->n[1] > 0 ? 0 : ring(data, 0, n_validation, chunk);
    return data->resident_bytes + (train > split ? train : split) +
           ring(data, 1, data->n[1], chunk) + ring(data, 2, data->n[2], chunk) +
           3 * sizeof(uint32_t) * (uint64_t)data->n[0]; /* split, order, the reader's */
}

/* ---- the run ---- */

/* The image of a file grows in HDF5, is copied out of it, and has all that the snapshot has. */
static uint64_t image_bytes(const tr_snapshot *snapshot)
{
    const int64_t values = snapshot->n_values + snapshot->n_slots * snapshot->n_slot_values;
    return 2 * sizeof(float) * (uint64_t)values;
}

static tr_status make(tr_memory_need *out, tr_engine **engine, tr_snapshot **snapshot,
                      tr_model *model, const tr_dataset_outline *data, tr_error *err)
{
    const tr_config *config = tr_model_config(model);
    char why[TR_WHY_MAX];
    int64_t n_train, n_validation;
    part_sizes(config, data, &n_train, &n_validation);
    const int64_t batch = config->fit.batch_size, chunk = tr_measure_chunk(config),
                  most = larger(n_validation, data->n[2]);
    const bool known = data->n[0] > 0;
    TR_TRY(tr_engine_new(
        engine, model, tr_model_optimizers(model), tr_engine_choose_threads(model, why),
        known ? smaller(batch, n_train) : batch, known ? smaller(chunk, most) : chunk, err));
    TR_TRY(tr_snapshot_new(snapshot, model, true, err));
    out->saving = image_bytes(*snapshot);
    return TR_OK;
}

tr_status tr_memory_need_of(tr_memory_need *out, tr_model *model, const tr_dataset_outline *data,
                            tr_error *err)
{
    tr_engine *engine = NULL;
    tr_snapshot *snapshot = NULL;
    *out = (tr_memory_need){.data = data_bytes(tr_model_config(model), data)};
    tr_alloc_without_pages(true);
    const tr_status status = make(out, &engine, &snapshot, model, data, err);
    const size_t *n = model->extents.n;
    const uint64_t weights = (n[TR_TRAINED] + n[TR_FROZEN] + n[TR_STATISTICS]) * sizeof(float);
    const uint64_t now = resident_bytes();
    out->model = tr_alloc_pageless_bytes() + weights;
    out->program = (now > weights ? now - weights : 0) + rest_bytes;
    out->total = out->data + out->model + out->saving + out->program;
    tr_engine_free(engine);
    tr_snapshot_free(snapshot);
    tr_alloc_without_pages(false);
    return status;
}
