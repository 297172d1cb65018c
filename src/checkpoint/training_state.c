/* training_state.c -- the group /trainer, written; see training_state.h. */
#include "training_state.h"

#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "h5_attributes.h"
#include "h5_write.h"
#include "mem.h"
#include "optimizer_list.h"

/* ---- the history as a table ---- */

int tr_history_columns(const tr_model *model, char names[TR_MAX_COLUMNS][64])
{
    static const char *const parts[2] = {"", "val_"}, *const behind[4] = {
                                                          "learning_rate", "seconds",
                                                          "validation_seconds", "images_per_s"};
    int n = 0;
    snprintf(names[n++], sizeof names[0], "epoch");
    for (int part = 0; part < 2; part++) {
        snprintf(names[n++], sizeof names[0], "%sloss", parts[part]);
        for (int i = 0; i < tr_model_n_metrics(model); i++)
            snprintf(names[n++], sizeof names[0], "%s%.50s", parts[part],
                     tr_model_metric(model, i).name);
        snprintf(names[n++], sizeof names[0], "%ssamples", parts[part]);
    }
    for (int i = 0; i < 4; i++)
        snprintf(names[n++], sizeof names[0], "%s", behind[i]);
    return n;
}

void tr_history_to_row(const tr_epoch *epoch, int n_metrics, double row[TR_MAX_COLUMNS])
{
    const tr_metrics *const parts[2] = {&epoch->train, &epoch->validation};
    *row++ = (double)epoch->epoch;
    for (int part = 0; part < 2; part++) {
        *row++ = parts[part]->loss;
        for (int i = 0; i < n_metrics; i++)
            *row++ = parts[part]->values[i];
        *row++ = (double)parts[part]->n;
    }
    *row++ = epoch->learning_rate;
    *row++ = epoch->seconds;
    *row++ = epoch->validation_seconds;
    *row = epoch->images_per_s;
}

void tr_history_from_row(tr_epoch *epoch, int n_metrics, const double row[TR_MAX_COLUMNS])
{
    tr_metrics *const parts[2] = {&epoch->train, &epoch->validation};
    epoch->epoch = (int64_t)*row++;
    for (int part = 0; part < 2; part++) {
        parts[part]->loss = *row++;
        for (int i = 0; i < n_metrics; i++)
            parts[part]->values[i] = *row++;
        parts[part]->n = (int64_t)*row++;
    }
    epoch->learning_rate = *row++;
    epoch->seconds = *row++;
    epoch->validation_seconds = *row++;
    epoch->images_per_s = *row;
}

/* ---- the digest ---- */

static void add_text(tr_digest *digest, const char *text)
{
    tr_digest_add(digest, text, strlen(text) + 1);
}

tr_status tr_training_state_digest(const tr_snapshot *snapshot, const char *config, char text[33],
                                   tr_error *err)
{
    const tr_progress *at = &snapshot->progress;
    const int n_metrics = tr_model_n_metrics(snapshot->model);
    const int64_t counts[] = {at->epoch,     at->step,       at->iterations,
                              at->n_samples, at->best_epoch, snapshot->n_epochs};
    const double values[] = {at->loss_sum, at->seconds, at->best_value};
    const size_t bytes = (size_t)snapshot->n_values * sizeof(float);
    tr_digest *digest = tr_digest_new();
    if (digest == NULL)
        return tr_out_of_memory(err, NULL);
    tr_digest_add(digest, counts, sizeof counts);
    tr_digest_add(digest, values, sizeof values);
    tr_digest_add(digest, at->metric_sums, (size_t)n_metrics * sizeof(double));
    add_text(digest, snapshot->identity.dataset_digest);
    add_text(digest, snapshot->identity.split_digest);
    add_text(digest, snapshot->identity.machine);
    add_text(digest, config);
    for (int64_t i = 0; i < snapshot->n_epochs; i++) {
        double row[TR_MAX_COLUMNS] = {0};
        tr_history_to_row(&snapshot->epochs[i], n_metrics, row);
        tr_digest_add(digest, row, sizeof row);
    }
    tr_digest_add(digest, snapshot->weights, bytes); /* so that the two belong together */
    for (int i = 0; i < snapshot->n_slots; i++)
        tr_digest_add(digest, snapshot->slots[i], bytes);
    if (snapshot->training_weights != NULL)
        tr_digest_add(digest, snapshot->training_weights, bytes);
    tr_digest_text(digest, text);
    tr_digest_free(digest);
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_attributes(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_progress *at = &snapshot->progress;
    const tr_identity *identity = &snapshot->identity;
    char weights[33], state[33], of_config[33];
    TR_TRY(tr_snapshot_digest(snapshot->weights, snapshot->n_values, weights, err));
    char *config = tr_config_text(tr_model_config(snapshot->model));
    if (config == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = tr_training_state_digest(snapshot, config, state, err);
    const bool ok =
        tr_text_digest(config, of_config) &&
        tr_h5_write_text(group, "config_digest", of_config, H5T_CSET_ASCII) &&
        tr_h5_write_int(group, "format_version", TR_STATE_VERSION) &&
        tr_h5_write_int(group, "epoch", at->epoch) && tr_h5_write_int(group, "step", at->step) &&
        tr_h5_write_int(group, "iterations", at->iterations) &&
        tr_h5_write_int(group, "n_samples", at->n_samples) &&
        tr_h5_write_real(group, "seconds", at->seconds) &&
        tr_h5_write_int(group, "best_epoch", at->best_epoch) &&
        tr_h5_write_real(group, "best_value", at->best_value) &&
        tr_h5_write_text(group, "dataset_digest", identity->dataset_digest, H5T_CSET_ASCII) &&
        tr_h5_write_text(group, "split_digest", identity->split_digest, H5T_CSET_ASCII) &&
        tr_h5_write_text(group, "machine", identity->machine, H5T_CSET_ASCII) &&
        tr_h5_write_text(group, "config", config, H5T_CSET_UTF8) &&
        tr_h5_write_text(group, "weights_digest", weights, H5T_CSET_ASCII) &&
        tr_h5_write_text(group, "state_digest", state, H5T_CSET_ASCII);
    tr_free(config);
    return status != TR_OK ? status : ok ? TR_OK : tr_h5_write_failed(err, "the group /trainer");
}

static tr_status write_sums(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_progress *at = &snapshot->progress;
    const int n_metrics = tr_model_n_metrics(snapshot->model);
    double sums[1 + TR_MAX_METRICS] = {at->loss_sum};
    const int64_t n = 1 + n_metrics;
    memcpy(sums + 1, at->metric_sums, (size_t)n_metrics * sizeof *sums);
    return tr_h5_write_dataset(group, "epoch_sums", 1, &n, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, sums,
                               err);
}

static tr_status name_columns(hid_t group, const char names[][64], int n, tr_error *err)
{
    const char *list[TR_MAX_COLUMNS];
    for (int i = 0; i < n; i++)
        list[i] = names[i];
    const hid_t dataset = H5Dopen2(group, "history", H5P_DEFAULT);
    const bool ok = dataset >= 0 && tr_h5_write_names(dataset, "columns", list, (size_t)n);
    tr_h5_close(dataset);
    return ok ? TR_OK : tr_h5_write_failed(err, "history");
}

static tr_status write_history(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    char names[TR_MAX_COLUMNS][64];
    const int n = tr_history_columns(snapshot->model, names);
    const int64_t dims[2] = {snapshot->n_epochs, n};
    double *rows = tr_alloc((size_t)dims[0] + 1, TR_MAX_COLUMNS * sizeof *rows);
    if (rows == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < dims[0]; i++)
        tr_history_to_row(&snapshot->epochs[i], tr_model_n_metrics(snapshot->model), rows + i * n);
    const tr_status status = tr_h5_write_dataset(group, "history", 2, dims, H5T_IEEE_F64LE,
                                                 H5T_NATIVE_DOUBLE, rows, err);
    tr_free(rows);
    TR_TRY(status);
    return name_columns(group, names, n, err);
}

static tr_status write_training_weights(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++) {
        const tr_weight_info info = tr_model_weight(snapshot->model, i);
        char path[192];
        snprintf(path, sizeof path, "training_weights/%s/%s", info.layer, info.name);
        TR_TRY(tr_h5_write_dataset(
            group, path, info.n_dims, info.dims, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
            snapshot->training_weights + tr_snapshot_offset(snapshot, i), err));
    }
    return TR_OK;
}

static tr_status write_optimizer(hid_t trainer, const tr_snapshot *snapshot, tr_error *err)
{
    const hid_t group =
        H5Gcreate2(trainer, "optimizer_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const tr_status status = group < 0 ? tr_h5_write_failed(err, "optimizer_weights")
                                       : tr_optimizer_list_write(group, snapshot, false, err);
    tr_h5_close(group);
    return status;
}

tr_status tr_training_state_write(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    const hid_t group = H5Gcreate2(file, "trainer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        return tr_h5_write_failed(err, "the group /trainer");
    tr_status status = write_attributes(group, snapshot, err);
    if (status == TR_OK)
        status = write_sums(group, snapshot, err);
    if (status == TR_OK)
        status = write_history(group, snapshot, err);
    if (status == TR_OK)
        status = write_optimizer(group, snapshot, err);
    if (status == TR_OK && snapshot->training_weights != NULL)
        status = write_training_weights(group, snapshot, err);
    tr_h5_close(group);
    return status;
}
