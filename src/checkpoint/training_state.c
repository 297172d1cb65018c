/* training_state.c -- the group /trainer; see training_state.h. */
#include "training_state.h"

#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "h5_attributes.h"
#include "h5_legend.h"
#include "h5_write.h"
#include "history_columns.h"
#include "mem.h"
#include "optimizer_list.h"

/* ---- attributes: one table for both directions ---- */

typedef enum attribute_kind { WHOLE, REAL, TEXT } attribute_kind;

typedef struct state_attribute {
    const char *name;
    attribute_kind kind;
    size_t offset, bytes; /* of the field in a tr_training_state */
} state_attribute;

#define FIELD(member) offsetof(tr_training_state, member), sizeof((tr_training_state *)NULL)->member

static const state_attribute attributes[] = {
    {"epoch", WHOLE, FIELD(progress.epoch)},
    {"step", WHOLE, FIELD(progress.step)},
    {"iterations", WHOLE, FIELD(progress.iterations)},
    {"n_samples", WHOLE, FIELD(progress.sums.n)},
    {"seconds", REAL, FIELD(progress.seconds)},
    {"best_epoch", WHOLE, FIELD(progress.best_epoch)},
    {"best_value", REAL, FIELD(progress.best_value)},
    {"dataset_digest", TEXT, FIELD(identity.dataset_digest)},
    {"split_digest", TEXT, FIELD(identity.split_digest)},
    {"machine", TEXT, FIELD(identity.machine)},
    {"state_digest", TEXT, FIELD(state_digest)},
};
enum { N_ATTRIBUTES = sizeof attributes / sizeof *attributes };

static bool write_attribute(hid_t group, const state_attribute *attribute,
                            const tr_training_state *state)
{
    const void *field = (const char *)state + attribute->offset;
    switch (attribute->kind) {
    case WHOLE:
        return tr_h5_write_int(group, attribute->name, *(const int64_t *)field);
    case REAL:
        return tr_h5_write_real(group, attribute->name, *(const double *)field);
    default:
        return tr_h5_write_text(group, attribute->name, field, H5T_CSET_ASCII);
    }
}

static bool read_attribute(tr_training_state *state, const state_attribute *attribute, hid_t group)
{
    void *field = (char *)state + attribute->offset;
    switch (attribute->kind) {
    case WHOLE:
        return tr_h5_read_int(group, attribute->name, field);
    case REAL:
        return tr_h5_read_real(group, attribute->name, field);
    default:
        return tr_h5_read_text(group, attribute->name, field, attribute->bytes);
    }
}

void tr_training_state_end_texts(tr_training_state *state)
{
    state->weights_digest[sizeof state->weights_digest - 1] = '\0';
    for (size_t i = 0; i < N_ATTRIBUTES; i++)
        if (attributes[i].kind == TEXT)
            ((char *)state)[attributes[i].offset + attributes[i].bytes - 1] = '\0';
}

/* ---- reading ---- */

static tr_status fail_damaged(const tr_h5_file *file, const char *attribute, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: the attribute %s of its training state (/trainer) cannot be read: the file "
                   "is damaged",
                   file->path, attribute);
}

static tr_status read_group(tr_training_state *state, char config[TR_STATE_CONFIG_MAX],
                            const tr_h5_file *file, hid_t group, tr_error *err)
{
    int64_t version;
    if (!tr_h5_read_int(group, "format_version", &version))
        return fail_damaged(file, "format_version", err);
    if (version != TR_STATE_VERSION)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: its training state has format %lld, this program knows %d only; its "
                       "weights can be used with [fit] initial_weights",
                       file->path, (long long)version, TR_STATE_VERSION);
    for (size_t i = 0; i < N_ATTRIBUTES; i++)
        if (!read_attribute(state, &attributes[i], group))
            return fail_damaged(file, attributes[i].name, err);
    if (H5Aexists(group, TR_STATE_BEST_EPOCH) > 0 &&
        !tr_h5_read_int(group, TR_STATE_BEST_EPOCH, &state->best_weights_epoch))
        return fail_damaged(file, TR_STATE_BEST_EPOCH, err);
    return tr_h5_read_text(group, "config", config, TR_STATE_CONFIG_MAX)
               ? TR_OK
               : fail_damaged(file, "config", err);
}

tr_status tr_training_state_read(tr_training_state *state, char config[TR_STATE_CONFIG_MAX],
                                 const tr_h5_file *file, tr_error *err)
{
    hid_t group;
    TR_TRY(tr_h5_group_open(&group, file, "trainer", err));
    const tr_status status = read_group(state, config, file, group, err);
    tr_h5_close(group);
    return status;
}

tr_status tr_training_state_read_digest(char text[33], const tr_h5_file *file, tr_error *err)
{
    static const char name[] = "weights_digest";
    hid_t group;
    bool has;
    text[0] = '\0';
    TR_TRY(tr_h5_file_has(file, "trainer", &has, err));
    if (!has)
        return TR_OK;
    TR_TRY(tr_h5_group_open(&group, file, "trainer", err));
    const bool ok = H5Aexists(group, name) == 0 || tr_h5_read_text(group, name, text, 33);
    tr_h5_close(group);
    return ok ? TR_OK : fail_damaged(file, name, err);
}

/* ---- the digest ---- */

static void add_text(tr_digest *digest, const char *text)
{
    tr_digest_add(digest, text, strlen(text) + 1);
}

/* Rows of one length for as many metrics as the first versions had at most. */
static void add_history(tr_digest *digest, const tr_snapshot *snapshot)
{
    enum { SHORTEST = 25 };
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_model_history_columns(columns, snapshot->model);
    for (int64_t i = 0; i < snapshot->n_epochs; i++) {
        double row[TR_MAX_COLUMNS] = {0};
        tr_history_to_row(row, columns, n, &snapshot->epochs[i]);
        tr_digest_add(digest, row, (size_t)(n < SHORTEST ? SHORTEST : n) * sizeof *row);
    }
}

tr_status tr_training_state_digest(const tr_snapshot *snapshot, const char *config, char text[33],
                                   tr_error *err)
{
    const tr_progress *progress = &snapshot->progress;
    const int64_t n_sums = tr_model_n_sums(snapshot->model);
    const int64_t counts[] = {progress->epoch,  progress->step,       progress->iterations,
                              progress->sums.n, progress->best_epoch, snapshot->n_epochs};
    const double values[] = {progress->sums.loss, progress->seconds, progress->best_value};
    const size_t bytes = (size_t)snapshot->n_values * sizeof(float);
    const size_t slot_bytes = (size_t)snapshot->n_slot_values * sizeof(float);
    tr_digest *digest = tr_digest_new();
    if (digest == NULL)
        return tr_out_of_memory(err, NULL);
    tr_digest_add(digest, counts, sizeof counts);
    tr_digest_add(digest, values, sizeof values);
    tr_digest_add(digest, progress->sums.metrics, (size_t)n_sums * sizeof(double));
    add_text(digest, snapshot->identity.dataset_digest);
    add_text(digest, snapshot->identity.split_digest);
    add_text(digest, snapshot->identity.machine);
    add_text(digest, config);
    add_history(digest, snapshot);
    tr_digest_add(digest, snapshot->weights, bytes); /* so that the two belong together */
    for (int i = 0; i < snapshot->n_slots; i++)
        tr_digest_add(digest, snapshot->slots[i], slot_bytes);
    if (snapshot->training_weights != NULL)
        tr_digest_add(digest, snapshot->training_weights, bytes);
    if (snapshot->best_weights != NULL) {
        tr_digest_add(digest, &snapshot->best_weights_epoch, sizeof snapshot->best_weights_epoch);
        tr_digest_add(digest, snapshot->best_weights, bytes);
    }
    tr_digest_text(digest, text);
    tr_digest_free(digest);
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_config(hid_t group, const char *config, tr_error *err)
{
    char digest[33];
    return tr_text_digest(config, digest) &&
                   tr_h5_write_text(group, "config", config, H5T_CSET_UTF8) &&
                   tr_h5_write_text(group, "config_digest", digest, H5T_CSET_ASCII)
               ? TR_OK
               : tr_h5_write_failed(err, "the configuration in /trainer");
}

static tr_status write_attributes(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    tr_training_state state = {.progress = snapshot->progress, .identity = snapshot->identity};
    TR_TRY(tr_snapshot_digest(snapshot->weights, snapshot->n_values, state.weights_digest, err));
    char *config = tr_config_text(tr_model_config(snapshot->model));
    if (config == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = tr_training_state_digest(snapshot, config, state.state_digest, err);
    if (status == TR_OK)
        status = write_config(group, config, err);
    tr_free(config);
    TR_TRY(status);
    /* Not in the table: who changed the weights on purpose removes it. */
    bool ok = tr_h5_write_int(group, "format_version", TR_STATE_VERSION) &&
              tr_h5_write_text(group, "weights_digest", state.weights_digest, H5T_CSET_ASCII);
    for (size_t i = 0; ok && i < N_ATTRIBUTES; i++)
        ok = write_attribute(group, &attributes[i], &state);
    return ok ? TR_OK : tr_h5_write_failed(err, "the group /trainer");
}

static tr_status write_sums(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_progress *progress = &snapshot->progress;
    const int64_t n = 1 + tr_model_n_sums(snapshot->model);
    double sums[1 + TR_MAX_SUMS] = {progress->sums.loss};
    memcpy(sums + 1, progress->sums.metrics, (size_t)(n - 1) * sizeof *sums);
    return tr_h5_write_dataset(group, "epoch_sums", 1, &n, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, sums,
                               err);
}

static tr_status name_columns(hid_t group, const tr_history_column *columns, int n, tr_error *err)
{
    const char *names[TR_MAX_COLUMNS];
    for (int i = 0; i < n; i++)
        names[i] = columns[i].name;
    const hid_t dataset = H5Dopen2(group, "history", H5P_DEFAULT);
    const bool ok = dataset >= 0 && tr_h5_write_names(dataset, "columns", names, (size_t)n);
    tr_h5_close(dataset);
    return ok ? TR_OK : tr_h5_write_failed(err, "history");
}

static tr_status write_history(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_model_history_columns(columns, snapshot->model);
    const int64_t dims[2] = {snapshot->n_epochs, n};
    double *rows = tr_alloc((size_t)dims[0] * (size_t)n, sizeof *rows);
    if (rows == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < dims[0]; i++)
        tr_history_to_row(rows + i * n, columns, n, &snapshot->epochs[i]);
    const tr_status status = tr_h5_write_dataset(group, "history", 2, dims, H5T_IEEE_F64LE,
                                                 H5T_NATIVE_DOUBLE, rows, err);
    tr_free(rows);
    TR_TRY(status);
    return name_columns(group, columns, n, err);
}

/* Weights besides those of the model. */
static tr_status write_other_weights(hid_t group, const char *name, const float *values,
                                     const tr_snapshot *snapshot, tr_error *err)
{
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++) {
        const tr_weight_info info = tr_model_weight(snapshot->model, i);
        char path[192];
        snprintf(path, sizeof path, "%s/%s/%s", name, info.layer, info.name);
        TR_TRY(tr_h5_write_dataset(group, path, info.n_dims, info.dims, H5T_IEEE_F32LE,
                                   H5T_NATIVE_FLOAT, values + tr_snapshot_offset(snapshot, i),
                                   err));
    }
    return TR_OK;
}

/* Without a copy where the weights are those of the best epoch. */
static tr_status write_best_weights(hid_t group, const tr_snapshot *snapshot, tr_error *err)
{
    const float *best = snapshot->best_weights;
    if (!tr_h5_write_int(group, TR_STATE_BEST_EPOCH, snapshot->best_weights_epoch))
        return tr_h5_write_failed(err, TR_STATE_BEST_EPOCH);
    if (memcmp(best, snapshot->weights, (size_t)snapshot->n_values * sizeof *best) == 0)
        return TR_OK;
    return write_other_weights(group, TR_STATE_BEST_WEIGHTS, best, snapshot, err);
}

static tr_status write_optimizer(hid_t trainer, const tr_snapshot *snapshot, tr_error *err)
{
    const hid_t group =
        H5Gcreate2(trainer, "optimizer_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const tr_status status = group < 0 ? tr_h5_write_failed(err, "optimizer_weights")
                                       : tr_optimizer_list_write(group, snapshot, TR_ALL_OPTIMIZERS,
                                                                 TR_VARIABLES_KERAS3, err);
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
        status = write_other_weights(group, TR_STATE_TRAINING_WEIGHTS, snapshot->training_weights,
                                     snapshot, err);
    if (status == TR_OK && snapshot->best_weights != NULL)
        status = write_best_weights(group, snapshot, err);
    if (status == TR_OK)
        status = tr_h5_legend_write(group, tr_model_legend(snapshot->model), err);
    tr_h5_close(group);
    return status;
}
