/* checkpoint_read.c -- see checkpoint_read.h and, of weights alone, trainer/checkpoint.h. */
#include "checkpoint_read.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint_file.h"
#include "checkpoint_weights.h"
#include "child.h"
#include "file.h"
#include "history_columns.h"
#include "mem.h"
#include "optimizer_list.h"
#include "trainer/checkpoint.h"
#include "training_state.h"

typedef struct found_state {
    tr_training_state state;
    int has_state, has_training_weights, has_best_weights;
    char config[TR_STATE_CONFIG_MAX];
} found_state;

/* Memory that the child fills is sized by what the model needs and the file can hold at most. */
typedef struct checkpoint_reader {
    const char *path;
    const tr_snapshot *snapshot; /* what is expected */
    tr_checkpoint_part part;
    tr_variable *variables;
    size_t n_variables;
    int64_t most_epochs;
    found_state *found;     /* shared, as what follows */
    float *weights, *slots; /* [n_values], [n_slots, n_slot_values] */
    float *later, *best;    /* [n_values]: training_weights, best_weights */
    tr_epoch *epochs;       /* [most_epochs] */
} checkpoint_reader;

/* ---- in the child: the state of the training ---- */

static tr_status read_history(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                              tr_error *err)
{
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_model_history_columns(columns, reader->snapshot->model);
    const int64_t dims[2] = {reader->found->state.progress.epoch, n};
    if (dims[0] < 0 || dims[0] > reader->most_epochs)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its training state (/trainer) has %lld epochs: the file is damaged",
                       file->keras.path, (long long)dims[0]);
    double *rows = tr_alloc((size_t)dims[0] * (size_t)n, sizeof *rows);
    if (rows == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status =
        tr_checkpoint_file_read(rows, file, "trainer/history", 2, dims, H5T_NATIVE_DOUBLE,
                                "that of as many epochs, loss and metrics of this model", err);
    for (int64_t i = 0; status == TR_OK && i < dims[0]; i++)
        tr_history_from_row(&reader->epochs[i], columns, n, rows + i * n);
    tr_free(rows);
    return status;
}

static tr_status read_sums(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                           tr_error *err)
{
    tr_progress *progress = &reader->found->state.progress;
    double sums[1 + TR_MAX_SUMS] = {0};
    const int64_t n = 1 + tr_model_n_sums(reader->snapshot->model);
    TR_TRY(tr_checkpoint_file_read(sums, file, "trainer/epoch_sums", 1, &n, H5T_NATIVE_DOUBLE,
                                   "that of the loss and the metrics of this model", err));
    progress->sums.loss = sums[0];
    progress->sums.n_sums = n - 1;
    memcpy(progress->sums.metrics, sums + 1, sizeof progress->sums.metrics);
    return TR_OK;
}

/* One array of the shape of a weight. */
static tr_status read_like_weight(float *values, const checkpoint_reader *reader,
                                  const tr_checkpoint_file *file, const char *path, int weight,
                                  tr_error *err)
{
    const tr_weight_info info = tr_model_weight(reader->snapshot->model, weight);
    return tr_checkpoint_file_read(values, file, path, info.n_dims, info.dims, H5T_NATIVE_FLOAT,
                                   "the weight that it belongs to", err);
}

/* A slot too many is as wrong as one that is missing. */
static tr_status check_variables(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                                 tr_error *err)
{
    tr_file_arrays found = {0};
    tr_status status = tr_checkpoint_file_variables(&found, file, TR_STATE_VARIABLES, err);
    if (status == TR_OK && found.n != reader->n_variables)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: its optimizer's state (/" TR_STATE_VARIABLES ") has %zu variables, "
                         "that of this model has %zu: it is that of another optimizer, or other "
                         "layers were trained",
                         file->keras.path, found.n, reader->n_variables);
    tr_file_arrays_release(&found);
    return status;
}

static tr_status read_slots(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                            tr_error *err)
{
    const tr_snapshot *snapshot = reader->snapshot;
    tr_slot slots[TR_MAX_ALL_SLOTS];
    for (size_t i = 0; i < reader->n_variables; i++) {
        const tr_variable *item = &reader->variables[i];
        char path[sizeof item->name + 32];
        if (item->kind != TR_VARIABLE_SLOT) /* they follow from the configuration and iterations */
            continue;
        snprintf(path, sizeof path, "%s/%s", TR_STATE_VARIABLES, item->name);
        float *values = reader->slots + item->slot * snapshot->n_slot_values +
                        tr_snapshot_slot_offset(snapshot, item->weight);
        tr_snapshot_slots(snapshot, item->weight, slots);
        const tr_slot *slot = &slots[item->slot];
        TR_TRY(tr_checkpoint_file_read(values, file, path, slot->n_dims, slot->dims,
                                       H5T_NATIVE_FLOAT, "the weight that it belongs to", err));
    }
    return TR_OK;
}

/* Weights besides those of the model, where the file has them. */
static tr_status read_other_weights(float *values, int *found, const char *group,
                                    const checkpoint_reader *reader, const tr_checkpoint_file *file,
                                    tr_error *err)
{
    const tr_model *model = reader->snapshot->model;
    char path[192];
    bool has;
    snprintf(path, sizeof path, "trainer/%s", group);
    TR_TRY(tr_h5_file_has(&file->keras.file, path, &has, err));
    *found = has;
    for (int i = 0; has && i < tr_model_n_weights(model); i++) {
        const tr_weight_info info = tr_model_weight(model, i);
        snprintf(path, sizeof path, "trainer/%s/%s/%s", group, info.layer, info.name);
        TR_TRY(read_like_weight(values + tr_snapshot_offset(reader->snapshot, i), reader, file,
                                path, i, err));
    }
    return TR_OK;
}

static tr_status read_state(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                            tr_error *err)
{
    found_state *found = reader->found;
    TR_TRY(tr_training_state_read(&found->state, found->config, &file->keras.file, err));
    TR_TRY(read_history(reader, file, err));
    TR_TRY(read_sums(reader, file, err));
    TR_TRY(check_variables(reader, file, err));
    TR_TRY(read_slots(reader, file, err));
    TR_TRY(read_other_weights(reader->later, &found->has_training_weights,
                              TR_STATE_TRAINING_WEIGHTS, reader, file, err));
    TR_TRY(read_other_weights(reader->best, &found->has_best_weights, TR_STATE_BEST_WEIGHTS, reader,
                              file, err));
    found->has_state = true;
    return TR_OK;
}

/* With another configuration than the run's it may be the state of another optimizer. */
static tr_status state_fits(bool *fits, const checkpoint_reader *reader,
                            const tr_checkpoint_file *file, tr_error *err)
{
    tr_file_arrays found = {0};
    const tr_status status = tr_checkpoint_file_variables(&found, file, TR_STATE_VARIABLES, err);
    *fits = status == TR_OK && found.n == reader->n_variables;
    for (size_t i = 0; *fits && i < found.n; i++)
        *fits = strcmp(found.items[i].name, reader->variables[i].name) == 0;
    tr_file_arrays_release(&found);
    return status;
}

static tr_status read_parts(const checkpoint_reader *reader, const tr_checkpoint_file *file,
                            tr_error *err)
{
    bool state = reader->part == TR_READ_STATE;
    TR_TRY(tr_checkpoint_weights_read(reader->weights, reader->snapshot, file, err));
    if (!file->of_trainer && state)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no training state (/trainer), as files that Keras wrote; to train "
                       "on from its weights: [fit] initial_weights = %s",
                       file->keras.path, file->keras.path);
    if (!file->of_trainer)
        return TR_OK;
    TR_TRY(
        tr_training_state_read_digest(reader->found->state.weights_digest, &file->keras.file, err));
    if (reader->part == TR_READ_STATE_IF_IT_FITS)
        TR_TRY(state_fits(&state, reader, file, err));
    return state ? read_state(reader, file, err) : TR_OK;
}

static tr_status read_file(void *job, tr_error *err)
{
    const checkpoint_reader *reader = job;
    tr_checkpoint_file file;
    tr_status status = tr_checkpoint_file_open(&file, reader->path, err);
    if (status == TR_OK)
        status = read_parts(reader, &file, err);
    tr_checkpoint_file_close(&file);
    return status;
}

/* ---- in the parent: what the child found is not believed before it was looked at ---- */

/* A flipped bit in the numbers is an error to nobody else: HDF5 keeps no sums of them. Files of
 * Keras have no digest. */
static tr_status check_weights(const checkpoint_reader *reader, tr_error *err)
{
    char found[33];
    const char *written = reader->found->state.weights_digest;
    if (written[0] == '\0')
        return TR_OK;
    TR_TRY(tr_snapshot_digest(reader->weights, reader->snapshot->n_values, found, err));
    if (strcmp(found, written) == 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: its weights are not those that were written: their digest is %s, not %s; "
                   "the file is damaged, take another copy (or, if you changed them on purpose, "
                   "remove the attribute weights_digest of /trainer)",
                   reader->path, found, written);
}

/* *out: a copy of values [n_values]. */
static tr_status take_values(float **out, const float *values, const tr_snapshot *snapshot,
                             tr_error *err)
{
    *out = tr_alloc((size_t)snapshot->n_values, sizeof **out);
    if (*out == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(*out, values, (size_t)snapshot->n_values * sizeof **out);
    return TR_OK;
}

static tr_status take_other_weights(tr_snapshot *snapshot, const checkpoint_reader *reader,
                                    tr_error *err)
{
    const found_state *found = reader->found;
    if (found->has_training_weights)
        TR_TRY(take_values(&snapshot->training_weights, reader->later, snapshot, err));
    snapshot->best_weights_epoch = found->state.best_weights_epoch;
    if (snapshot->best_weights_epoch == 0)
        return TR_OK;
    return take_values(&snapshot->best_weights,
                       found->has_best_weights ? reader->best : reader->weights, snapshot, err);
}

static tr_status take_state(tr_snapshot *snapshot, const checkpoint_reader *reader, tr_error *err)
{
    const tr_training_state *state = &reader->found->state;
    const size_t n_slot = (size_t)snapshot->n_slot_values;
    if (state->progress.epoch < 0 || state->progress.epoch > reader->most_epochs)
        return tr_fail(err, TR_ERR_DATA, "%s: its reader told of %lld epochs: the file is damaged",
                       reader->path, (long long)state->progress.epoch);
    snapshot->progress = state->progress;
    snapshot->identity = state->identity;
    for (int i = 0; i < snapshot->n_slots; i++)
        memcpy(snapshot->slots[i], reader->slots + (size_t)i * n_slot, n_slot * sizeof(float));
    TR_TRY(take_other_weights(snapshot, reader, err));
    snapshot->n_epochs = state->progress.epoch;
    snapshot->epochs = tr_alloc((size_t)snapshot->n_epochs, sizeof *snapshot->epochs);
    snapshot->config = tr_strdup(reader->found->config);
    if (snapshot->epochs == NULL || snapshot->config == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(snapshot->epochs, reader->epochs, (size_t)snapshot->n_epochs * sizeof *snapshot->epochs);
    char digest[33];
    TR_TRY(tr_training_state_digest(snapshot, snapshot->config, digest, err));
    if (strcmp(digest, state->state_digest) == 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: its training state is not what was written with its weights: the digest "
                   "is %s, not %s; the file is damaged, or was replaced while it was read",
                   reader->path, digest, state->state_digest);
}

static tr_status take(tr_snapshot **snapshot, tr_model *model, const checkpoint_reader *reader,
                      tr_error *err)
{
    found_state *found = reader->found;
    tr_training_state_end_texts(&found->state);
    found->config[sizeof found->config - 1] = '\0';
    TR_TRY(check_weights(reader, err));
    if ((*snapshot)->training && !found->has_state) { /* it has no use for slots */
        tr_snapshot_free(*snapshot);
        *snapshot = NULL;
        TR_TRY(tr_snapshot_new(snapshot, model, false, err));
    }
    memcpy((*snapshot)->weights, reader->weights, (size_t)(*snapshot)->n_values * sizeof(float));
    if (found->has_state)
        TR_TRY(take_state(*snapshot, reader, err));
    TR_TRY(tr_snapshot_give_weights(*snapshot, model, err));
    tr_model_reduce_rates(model,
                          &(tr_history){.epochs = (*snapshot)->epochs, .n = (*snapshot)->n_epochs});
    return TR_OK;
}

/* ---- both ---- */

/* Epochs that the history in a file can have at most, by the file's size. */
static int64_t most_epochs(const char *path)
{
    enum { LEAST_COLUMNS = 9 };
    struct stat info;
    return stat(path, &info) != 0 ? 0 : (int64_t)info.st_size / (LEAST_COLUMNS * 8);
}

static tr_status prepare(checkpoint_reader *reader, tr_error *err)
{
    const tr_snapshot *snapshot = reader->snapshot;
    const size_t bytes = (size_t)snapshot->n_values * sizeof(float);
    const bool state = reader->part != TR_READ_WEIGHTS;
    if (state) {
        reader->most_epochs = most_epochs(reader->path);
        TR_TRY(tr_optimizer_list(&reader->variables, &reader->n_variables, snapshot, err));
    }
    reader->found = tr_shared_alloc(1, sizeof *reader->found);
    reader->weights = tr_shared_alloc(1, bytes);
    reader->slots =
        tr_shared_alloc((size_t)snapshot->n_slots, (size_t)snapshot->n_slot_values * sizeof(float));
    reader->later = tr_shared_alloc(state, bytes);
    reader->best = tr_shared_alloc(state, bytes);
    reader->epochs = tr_shared_alloc((size_t)reader->most_epochs, sizeof *reader->epochs);
    return reader->found != NULL && reader->weights != NULL && reader->slots != NULL &&
                   reader->later != NULL && reader->best != NULL && reader->epochs != NULL
               ? TR_OK
               : tr_out_of_memory(err, reader->path);
}

static void release(checkpoint_reader *reader)
{
    tr_shared_free(reader->found);
    tr_shared_free(reader->weights);
    tr_shared_free(reader->slots);
    tr_shared_free(reader->later);
    tr_shared_free(reader->best);
    tr_shared_free(reader->epochs);
    tr_free(reader->variables);
}

tr_status tr_checkpoint_read(tr_snapshot **out, tr_model *model, const char *path,
                             tr_checkpoint_part part, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    TR_TRY(tr_file_check_input(path, err));
    TR_TRY(tr_snapshot_new(&snapshot, model, part != TR_READ_WEIGHTS, err));
    checkpoint_reader reader = {.path = path, .snapshot = snapshot, .part = part};
    tr_status status = prepare(&reader, err);
    if (status == TR_OK)
        status = tr_in_child(read_file, &reader, path, err);
    if (status == TR_OK)
        status = take(&snapshot, model, &reader, err);
    release(&reader);
    if (status == TR_OK)
        *out = snapshot;
    else
        tr_snapshot_free(snapshot);
    return status;
}

tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err)
{
    tr_snapshot *snapshot;
    TR_TRY(tr_checkpoint_read(&snapshot, model, path, TR_READ_WEIGHTS, err));
    tr_snapshot_free(snapshot);
    return TR_OK;
}
