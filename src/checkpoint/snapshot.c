/* snapshot.c -- memory of a checkpoint; see snapshot.h. */
#include "snapshot.h"

#include <string.h>

#include "digest.h"
#include "mem.h"

/* ---- life ---- */

static bool add_weights(tr_snapshot *snapshot)
{
    const int n = tr_model_n_weights(snapshot->model);
    snapshot->offsets = tr_alloc((size_t)n, sizeof *snapshot->offsets);
    snapshot->slot_offsets = tr_alloc((size_t)n, sizeof *snapshot->slot_offsets);
    if (snapshot->offsets == NULL || snapshot->slot_offsets == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        const tr_weight_info info = tr_model_weight(snapshot->model, i);
        snapshot->offsets[i] = snapshot->n_values;
        snapshot->slot_offsets[i] = info.trained ? snapshot->n_slot_values : -1;
        snapshot->n_values += info.n;
        snapshot->n_slot_values += info.trained ? info.n : 0;
    }
    snapshot->weights = tr_alloc((size_t)snapshot->n_values, sizeof *snapshot->weights);
    return snapshot->weights != NULL;
}

/* Those of engine/update.c, by the optimizers' own account. */
static tr_status add_slots(tr_snapshot *snapshot, tr_error *err)
{
    tr_slot slots[TR_MAX_ALL_SLOTS] = {{0}};
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++) {
        const int n = tr_snapshot_slots(snapshot, i, slots);
        snapshot->n_slots = n > snapshot->n_slots ? n : snapshot->n_slots;
    }
    for (int k = 0; k < snapshot->n_slots; k++) {
        snapshot->slots[k] = tr_alloc((size_t)snapshot->n_slot_values, sizeof(float));
        if (snapshot->slots[k] == NULL)
            return tr_out_of_memory(err, NULL);
    }
    return TR_OK;
}

tr_status tr_snapshot_new(tr_snapshot **out, const tr_model *model, bool training, tr_error *err)
{
    tr_snapshot *snapshot = tr_alloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return tr_out_of_memory(err, NULL);
    snapshot->model = model;
    snapshot->training = training;
    tr_status status = add_weights(snapshot) ? TR_OK : tr_out_of_memory(err, NULL);
    if (status == TR_OK && training)
        status = add_slots(snapshot, err);
    if (status == TR_OK)
        *out = snapshot;
    else
        tr_snapshot_free(snapshot);
    return status;
}

void tr_snapshot_free(tr_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (int i = 0; i < snapshot->n_slots; i++)
        tr_free(snapshot->slots[i]);
    tr_free(snapshot->offsets);
    tr_free(snapshot->slot_offsets);
    tr_free(snapshot->weights);
    tr_free(snapshot->training_weights);
    tr_free(snapshot->best_weights);
    tr_free(snapshot->epochs);
    tr_free(snapshot->config);
    tr_free(snapshot);
}

/* ---- values ---- */

bool tr_snapshot_has_state(const tr_snapshot *snapshot)
{
    return snapshot->training && (snapshot->n_slots > 0 || snapshot->progress.iterations > 0);
}

int64_t tr_snapshot_offset(const tr_snapshot *snapshot, int weight)
{
    return snapshot->offsets[weight];
}

int64_t tr_snapshot_slot_offset(const tr_snapshot *snapshot, int weight)
{
    return snapshot->slot_offsets[weight];
}

int tr_snapshot_slots(const tr_snapshot *snapshot, int weight, tr_slot slots[TR_MAX_ALL_SLOTS])
{
    return snapshot->training && snapshot->slot_offsets[weight] >= 0
               ? tr_model_slots(snapshot->model, weight, slots)
               : 0;
}

tr_status tr_snapshot_take_weights(tr_snapshot *snapshot, tr_error *err)
{
    float *values = snapshot->weights;
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++) {
        TR_TRY(tr_model_get_weight(snapshot->model, i, values, err));
        values += tr_model_weight(snapshot->model, i).n;
    }
    return TR_OK;
}

tr_status tr_snapshot_give_weights(const tr_snapshot *snapshot, tr_model *model, tr_error *err)
{
    return tr_snapshot_give_values(snapshot->training_weights != NULL ? snapshot->training_weights
                                                                      : snapshot->weights,
                                   model, err);
}

tr_status tr_snapshot_keep_best(tr_snapshot *snapshot, int64_t epoch, tr_error *err)
{
    const size_t n = (size_t)snapshot->n_values;
    if (snapshot->best_weights == NULL)
        snapshot->best_weights = tr_alloc(n, sizeof(float));
    if (snapshot->best_weights == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(snapshot->best_weights, snapshot->weights, n * sizeof(float));
    snapshot->best_weights_epoch = epoch;
    return TR_OK;
}

tr_status tr_snapshot_give_values(const float *values, tr_model *model, tr_error *err)
{
    for (int i = 0; i < tr_model_n_weights(model); i++) {
        TR_TRY(tr_model_set_weight(model, i, values, err));
        values += tr_model_weight(model, i).n;
    }
    return TR_OK;
}

tr_status tr_snapshot_digest(const float *values, int64_t n, char text[33], tr_error *err)
{
    tr_digest *digest = tr_digest_new();
    if (digest == NULL)
        return tr_out_of_memory(err, NULL);
    tr_digest_add(digest, values, (size_t)n * sizeof *values);
    tr_digest_text(digest, text);
    tr_digest_free(digest);
    return TR_OK;
}
