/* training_state_read.c -- the group /trainer, read; see training_state.h.
 *
 * In a child process, as everything that reads a file (base/child.h): it fills memory that both
 * share, sized beforehand from what the model needs and what the file can hold at most.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "h5_attributes.h"
#include "mem.h"
#include "optimizer_list.h"
#include "trainer/checkpoint.h"
#include "training_state.h"

enum { CONFIG_MAX = 1 << 20 }; /* as much as an INI file may have */

/* What the child found. */
typedef struct found {
    tr_progress progress;
    tr_identity identity;
    int64_t n_epochs;
    bool has_training_weights;
    char state_digest[33];
    char config[CONFIG_MAX];
} found;

typedef struct state_reader {
    const char *path;
    const tr_snapshot *snapshot; /* what is expected */
    const tr_variable *variables;
    size_t n_variables;
    int64_t most_epochs;
    found *found;     /* shared, as the others */
    float *values;    /* [n_slots + 1, n_values]: the slots, the training weights */
    tr_epoch *epochs; /* [most_epochs] */
} state_reader;

static tr_status damaged(const state_reader *reader, const char *what, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s of its training state (/trainer) cannot be read: the file is damaged",
                   reader->path, what);
}

/* ---- in the child ---- */

/* A whole dataset, whose shape must be `dims`. */
static bool read_dataset(hid_t group, const char *name, int n_dims, const int64_t *dims,
                         hid_t memory, void *values)
{
    hsize_t extent[H5S_MAX_RANK] = {0};
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    const hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == n_dims &&
              H5Sget_simple_extent_dims(space, extent, NULL) >= 0;
    for (int i = 0; ok && i < n_dims; i++)
        ok = (int64_t)extent[i] == dims[i];
    ok = ok && H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    tr_h5_close(space);
    tr_h5_close(dataset);
    return ok;
}

static bool read_attributes(hid_t group, found *out)
{
    tr_progress *at = &out->progress;
    tr_identity *identity = &out->identity;
    return tr_h5_read_int(group, "epoch", &at->epoch) && tr_h5_read_int(group, "step", &at->step) &&
           tr_h5_read_int(group, "iterations", &at->iterations) &&
           tr_h5_read_int(group, "n_samples", &at->n_samples) &&
           tr_h5_read_real(group, "seconds", &at->seconds) &&
           tr_h5_read_int(group, "best_epoch", &at->best_epoch) &&
           tr_h5_read_real(group, "best_value", &at->best_value) &&
           tr_h5_read_text(group, "dataset_digest", identity->dataset_digest,
                           sizeof identity->dataset_digest) &&
           tr_h5_read_text(group, "split_digest", identity->split_digest,
                           sizeof identity->split_digest) &&
           tr_h5_read_text(group, "machine", identity->machine, sizeof identity->machine) &&
           tr_h5_read_text(group, "config", out->config, sizeof out->config) &&
           tr_h5_read_text(group, "state_digest", out->state_digest, sizeof out->state_digest);
}

static bool read_history(const state_reader *reader, hid_t group)
{
    char names[TR_MAX_COLUMNS][64];
    const int n_metrics = tr_model_n_metrics(reader->snapshot->model);
    const int64_t n = tr_history_columns(reader->snapshot->model, names);
    const int64_t dims[2] = {reader->found->progress.epoch, n};
    if (dims[0] < 0 || dims[0] > reader->most_epochs)
        return false;
    double *rows = tr_alloc((size_t)dims[0] + 1, TR_MAX_COLUMNS * sizeof *rows);
    const bool ok =
        rows != NULL && read_dataset(group, "history", 2, dims, H5T_NATIVE_DOUBLE, rows);
    for (int64_t i = 0; ok && i < dims[0]; i++)
        tr_history_from_row(&reader->epochs[i], n_metrics, rows + i * n);
    reader->found->n_epochs = ok ? dims[0] : 0;
    tr_free(rows);
    return ok;
}

static bool read_sums(const state_reader *reader, hid_t group)
{
    tr_progress *at = &reader->found->progress;
    double sums[1 + TR_MAX_METRICS] = {0};
    const int64_t n = 1 + tr_model_n_metrics(reader->snapshot->model);
    const bool ok = read_dataset(group, "epoch_sums", 1, &n, H5T_NATIVE_DOUBLE, sums);
    at->loss_sum = sums[0];
    memcpy(at->metric_sums, sums + 1, sizeof at->metric_sums);
    return ok;
}

static bool read_slots(const state_reader *reader, hid_t trainer)
{
    const tr_snapshot *snapshot = reader->snapshot;
    const hid_t group = H5Gopen2(trainer, "optimizer_weights", H5P_DEFAULT);
    bool ok = group >= 0;
    for (size_t i = 0; ok && i < reader->n_variables; i++) {
        const tr_variable *item = &reader->variables[i];
        if (item->kind != TR_VARIABLE_SLOT) /* they follow from the configuration and iterations */
            continue;
        const tr_weight_info info = tr_model_weight(snapshot->model, item->weight);
        ok = read_dataset(group, item->name, info.n_dims, info.dims, H5T_NATIVE_FLOAT,
                          reader->values + item->slot * snapshot->n_values +
                              tr_snapshot_offset(snapshot, item->weight));
    }
    tr_h5_close(group);
    return ok;
}

static bool read_training_weights(const state_reader *reader, hid_t group)
{
    const tr_snapshot *snapshot = reader->snapshot;
    reader->found->has_training_weights = H5Lexists(group, "training_weights", H5P_DEFAULT) > 0;
    if (!reader->found->has_training_weights)
        return true;
    bool ok = true;
    for (int i = 0; ok && i < tr_model_n_weights(snapshot->model); i++) {
        const tr_weight_info info = tr_model_weight(snapshot->model, i);
        char path[192];
        snprintf(path, sizeof path, "training_weights/%s/%s", info.layer, info.name);
        ok = read_dataset(group, path, info.n_dims, info.dims, H5T_NATIVE_FLOAT,
                          reader->values + snapshot->n_slots * snapshot->n_values +
                              tr_snapshot_offset(snapshot, i));
    }
    return ok;
}

static tr_status read_group(const state_reader *reader, hid_t group, tr_error *err)
{
    int64_t version;
    if (!tr_h5_read_int(group, "format_version", &version))
        return damaged(reader, "the format_version", err);
    if (version != TR_STATE_VERSION)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its training state has format %lld, this program knows %d only; its "
                       "weights can be used with [fit] initial_weights",
                       reader->path, (long long)version, TR_STATE_VERSION);
    if (!read_attributes(group, reader->found))
        return damaged(reader, "an attribute", err);
    if (!read_history(reader, group))
        return damaged(reader, "the history", err);
    if (!read_sums(reader, group))
        return damaged(reader, "epoch_sums", err);
    if (!read_slots(reader, group))
        return damaged(reader, "optimizer_weights", err);
    if (!read_training_weights(reader, group))
        return damaged(reader, "training_weights", err);
    return TR_OK;
}

static tr_status read_file(void *job, tr_error *err)
{
    const state_reader *reader = job;
    tr_h5_quiet();
    const hid_t file = H5Fopen(reader->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not a whole HDF5 file", reader->path);
    const hid_t group = H5Gopen2(file, "trainer", H5P_DEFAULT);
    const tr_status status =
        group >= 0
            ? read_group(reader, group, err)
            : tr_fail(err, TR_ERR_DATA,
                      "%s: has no training state (/trainer), as files that Keras wrote; to "
                      "train on from its weights: --set fit.initial_weights=%s, without --resume",
                      reader->path, reader->path);
    tr_h5_close(group);
    tr_h5_close(file);
    return status;
}

/* ---- in the parent ---- */

static tr_status take(tr_snapshot *snapshot, const state_reader *reader, tr_error *err)
{
    const size_t n = (size_t)snapshot->n_values;
    const float *values = reader->values;
    snapshot->progress = reader->found->progress;
    snapshot->identity = reader->found->identity;
    for (int i = 0; i < snapshot->n_slots; i++, values += n)
        memcpy(snapshot->slots[i], values, n * sizeof *values);
    if (reader->found->has_training_weights) {
        snapshot->training_weights = tr_alloc(n, sizeof *values);
        if (snapshot->training_weights == NULL)
            return tr_out_of_memory(err, NULL);
        memcpy(snapshot->training_weights, values, n * sizeof *values);
    }
    snapshot->n_epochs = reader->found->n_epochs;
    snapshot->epochs = tr_alloc((size_t)snapshot->n_epochs, sizeof *snapshot->epochs);
    snapshot->config = tr_strdup(reader->found->config);
    if (snapshot->epochs == NULL || snapshot->config == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(snapshot->epochs, reader->epochs, (size_t)snapshot->n_epochs * sizeof *snapshot->epochs);
    char digest[33];
    TR_TRY(tr_training_state_digest(snapshot, snapshot->config, digest, err));
    if (strcmp(digest, reader->found->state_digest) != 0)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: its training state is not what was written with its weights: the digest "
            "is %s, not %s; the file is damaged, or was replaced while it was read",
            reader->path, digest, reader->found->state_digest);
    return TR_OK;
}

/* Epochs that the history in a file can have at most, by the file's size. */
static int64_t most_epochs(const char *path)
{
    enum { LEAST_COLUMNS = 9 };
    struct stat info;
    return stat(path, &info) != 0 ? 0 : (int64_t)info.st_size / (LEAST_COLUMNS * 8);
}

static tr_status read_state(tr_snapshot *snapshot, const char *path, tr_error *err)
{
    tr_variable *variables = NULL;
    state_reader reader = {.path = path, .snapshot = snapshot, .most_epochs = most_epochs(path)};
    TR_TRY(tr_optimizer_list(&variables, &reader.n_variables, snapshot, err));
    reader.variables = variables;
    reader.found = tr_shared_alloc(1, sizeof *reader.found);
    reader.values = tr_shared_alloc((size_t)(snapshot->n_slots + 1),
                                    (size_t)snapshot->n_values * sizeof(float));
    reader.epochs = tr_shared_alloc((size_t)reader.most_epochs + 1, sizeof *reader.epochs);
    tr_status status = reader.found == NULL || reader.values == NULL || reader.epochs == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_in_child(read_file, &reader, path, err);
    if (status == TR_OK)
        status = take(snapshot, &reader, err);
    tr_shared_free(reader.found);
    tr_shared_free(reader.values);
    tr_shared_free(reader.epochs);
    tr_free(variables);
    return status;
}

tr_status tr_training_state_read(tr_snapshot **out, tr_model *model, const char *path,
                                 tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    TR_TRY(tr_checkpoint_read_weights(model, path, err));
    TR_TRY(tr_snapshot_new(&snapshot, model, true, err));
    tr_status status = tr_snapshot_take_weights(snapshot, err);
    if (status == TR_OK)
        status = read_state(snapshot, path, err);
    if (status == TR_OK && snapshot->training_weights != NULL)
        status = tr_snapshot_give_weights(snapshot, model, err);
    if (status == TR_OK)
        *out = snapshot;
    else
        tr_snapshot_free(snapshot);
    return status;
}
