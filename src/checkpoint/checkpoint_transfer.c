/* checkpoint_transfer.c -- weights of another model, layer by layer: fine-tuning.
 *
 * A layer is taken as a whole or not at all: a bias without its kernel is of no use. (Keras, told
 * to skip, takes single weights that happen to fit from files of some kinds.) By order, the layers
 * with weights are as many on both sides, as Keras wants it, too. The file is read in a child
 * process (base/child.h).
 */
#include <stdio.h>
#include <string.h>

#include "checkpoint_outline.h"
#include "checkpoint_weights.h"
#include "child.h"
#include "file.h"
#include "file_units.h"
#include "keras_keys.h"
#include "keras_nesting.h"
#include "keras_order.h"
#include "mem.h"
#include "trainer/checkpoint.h"

typedef struct transfer_job {
    const char *path;
    const tr_snapshot *snapshot; /* of the model as it was initialised */
    const tr_transfer_rules *rules;
    float *values;         /* shared: [n_values], those of the snapshot first */
    tr_transfer *transfer; /* shared */
} transfer_job;

/* Who is who. */
typedef struct transfer_match {
    const tr_checkpoint_file *file;
    tr_file_units units;
    tr_keras_nesting nesting; /* of the file, where it is that of the model */
    tr_layer_key *keys;       /* of the model's layers */
    int *order;               /* of the model's layers in a list */
} transfer_match;

/* ---- in the child: which layer of the file ---- */

static tr_file_unit *find_name(const transfer_match *match, const char *name)
{
    for (size_t i = 0; i < match->units.n; i++)
        if (strcmp(match->units.items[i].name, name) == 0)
            return &match->units.items[i];
    for (size_t i = 0; i < match->units.n; i++)
        if (strcmp(match->units.items[i].inner_name, name) == 0)
            return &match->units.items[i];
    return NULL;
}

static tr_file_unit *find_key(const transfer_match *match, const char *key)
{
    for (size_t i = 0; i < match->units.n; i++)
        if (strcmp(match->units.items[i].key, key) == 0)
            return &match->units.items[i];
    return NULL;
}

/* That of layer i, the k-th of those with weights; NULL: there is none. */
static tr_file_unit *find(const transfer_match *match, const transfer_job *job, int i, size_t k)
{
    if (job->rules->by_name)
        return find_name(match, tr_model_layer(job->snapshot->model, i).name);
    if (match->file->layout == TR_WEIGHTS_KEYED)
        return find_key(match, match->nesting.n > 0 ? match->nesting.keys[i] : match->keys[i]);
    return &match->units.items[k];
}

static tr_status prepare(transfer_match *match, const transfer_job *job, tr_error *err)
{
    const tr_model *model = job->snapshot->model;
    bool named = false;
    TR_TRY(tr_file_units_list(&match->units, match->file, err));
    TR_TRY(tr_keras_nesting_read(&match->nesting, job->path, err));
    if (match->nesting.n != (size_t)tr_model_n_layers(model))
        tr_keras_nesting_release(&match->nesting);
    match->keys = tr_keras_layer_keys(model);
    match->order = tr_keras_order(model);
    if (match->keys == NULL || match->order == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < match->units.n; i++)
        named = named || match->units.items[i].name[0] != '\0' ||
                match->units.items[i].inner_name[0] != '\0';
    if (match->units.n == 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no weights of a model; expected a checkpoint of trainer, or a .h5, "
                       ".weights.h5 or .keras of Keras",
                       job->path);
    if (job->rules->by_name && !named)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: does not tell the names of its layers, as .weights.h5 of older Kerases; "
            "without [fit] by_name they are matched by class and number",
            job->path);
    if (job->rules->by_name || match->file->layout == TR_WEIGHTS_KEYED ||
        match->units.n == (size_t)job->transfer->n)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has %zu layers with weights, the model has %d, so their order does not say "
                   "which is which; [fit] by_name = true takes those of the same name",
                   job->path, match->units.n, job->transfer->n);
}

/* ---- in the child: does it fit? ---- */

/* out->why stays "" where all weights fit. */
static tr_status compare(tr_transferred_layer *out, const transfer_match *match,
                         const tr_model *model, const tr_file_unit *unit, tr_error *err)
{
    const tr_layer_info layer = tr_model_layer(model, out->layer);
    if (unit->n != (size_t)layer.n_weights)
        snprintf(out->why, sizeof out->why, "it has %zu weights in the file, %d here", unit->n,
                 layer.n_weights);
    for (size_t k = 0; k < unit->n && out->why[0] == '\0'; k++) {
        const tr_weight_info info = tr_model_weight(model, layer.first_weight + (int)k);
        char there[TR_H5_TEXT], here[96];
        bool fits;
        TR_TRY(tr_checkpoint_file_fits(&fits, there, match->file,
                                       match->file->weights.items[unit->arrays[k]].path,
                                       info.n_dims, info.dims, err));
        tr_shape_text(here, sizeof here, info.n_dims, info.dims);
        if (!fits)
            snprintf(out->why, sizeof out->why, "%s is %.100s in the file, %s here", info.name,
                     there, here);
    }
    return TR_OK;
}

static tr_status read_layer(const transfer_job *job, const transfer_match *match,
                            const tr_layer_info *layer, const tr_file_unit *unit, tr_error *err)
{
    for (size_t k = 0; k < unit->n; k++) {
        const int weight = layer->first_weight + (int)k;
        TR_TRY(tr_checkpoint_weight_read(job->values + tr_snapshot_offset(job->snapshot, weight),
                                         job->snapshot->model, weight, match->file, unit->arrays[k],
                                         err));
    }
    return TR_OK;
}

static const char *name_of(const tr_file_unit *unit)
{
    return unit->name[0] != '\0' ? unit->name : unit->key != NULL ? unit->key : unit->inner_name;
}

static tr_status take_layer(tr_transferred_layer *out, const transfer_job *job,
                            const transfer_match *match, tr_file_unit *unit, tr_error *err)
{
    const tr_layer_info layer = tr_model_layer(job->snapshot->model, out->layer);
    const bool skips = job->rules->skip_mismatch;
    out->kind = TR_TRANSFER_ABSENT;
    if (unit == NULL)
        return skips || job->rules->by_name
                   ? TR_OK
                   : tr_fail(err, TR_ERR_DATA,
                             "%s: has no weights for layer %s; [fit] skip_mismatch = true lets it "
                             "begin anew",
                             job->path, layer.name);
    unit->used = true;
    snprintf(out->from, sizeof out->from, "%s", name_of(unit));
    TR_TRY(compare(out, match, job->snapshot->model, unit, err));
    out->kind = out->why[0] == '\0' ? TR_TRANSFER_LOADED : TR_TRANSFER_MISFIT;
    if (out->kind == TR_TRANSFER_LOADED)
        return read_layer(job, match, &layer, unit, err);
    return skips ? TR_OK
                 : tr_fail(err, TR_ERR_DATA,
                           "%s: does not fit layer %s: %s; [fit] skip_mismatch = true lets that "
                           "layer begin anew",
                           job->path, layer.name, out->why);
}

/* ---- in the child: all ---- */

static void list_unused(tr_transfer *transfer, const tr_file_units *units)
{
    size_t used = 0;
    for (size_t i = 0; i < units->n; i++) {
        const tr_file_unit *unit = &units->items[i];
        if (unit->used)
            continue;
        const char *name = name_of(unit);
        if (used + strlen(name) + 3 < sizeof transfer->unused)
            used += (size_t)snprintf(transfer->unused + used, sizeof transfer->unused - used,
                                     "%s%s", transfer->n_unused == 0 ? "" : ", ", name);
        transfer->n_unused++;
    }
}

static tr_status take_all(const transfer_job *job, transfer_match *match, tr_error *err)
{
    const tr_model *model = job->snapshot->model;
    tr_transfer *transfer = job->transfer;
    int n_loaded = 0, k = 0;
    TR_TRY(prepare(match, job, err));
    for (int i = 0; i < tr_model_n_layers(model); i++) {
        const int layer = match->nesting.n > 0 ? i : match->order[i];
        if (tr_model_layer(model, layer).n_weights == 0)
            continue;
        tr_transferred_layer *out = &transfer->layers[k];
        out->layer = layer;
        TR_TRY(take_layer(out, job, match, find(match, job, layer, (size_t)k), err));
        n_loaded += out->kind == TR_TRANSFER_LOADED;
        k++;
    }
    list_unused(transfer, &match->units);
    if (n_loaded > 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: not one layer of the model could be loaded; the file has %s", job->path,
                   transfer->unused[0] != '\0' ? transfer->unused : transfer->layers[0].why);
}

static tr_status read_file(void *user, tr_error *err)
{
    const transfer_job *job = user;
    tr_checkpoint_file file;
    transfer_match match = {.file = &file};
    tr_status status = tr_checkpoint_file_open(&file, job->path, err);
    if (status == TR_OK)
        status = take_all(job, &match, err);
    tr_file_units_release(&match.units);
    tr_keras_nesting_release(&match.nesting);
    tr_free(match.keys);
    tr_free(match.order);
    tr_checkpoint_file_close(&file);
    return status;
}

/* ---- in the parent ---- */

/* The digest is of all weights in the file, also of those that are not taken. */
static tr_status check_digest(const char *path, tr_error *err)
{
    tr_checkpoint_outline *outline = NULL;
    TR_TRY(tr_checkpoint_outline_read(&outline, path, err));
    const tr_status status =
        tr_checkpoint_outline_damaged(outline)
            ? tr_fail(err, TR_ERR_DATA,
                      "%s: its weights are not those that were written: the file is damaged, take "
                      "another copy",
                      path)
            : TR_OK;
    tr_checkpoint_outline_free(outline);
    return status;
}

/* What the child left is not believed before it was looked at. */
static bool is_possible(tr_transfer *transfer, const tr_model *model)
{
    transfer->unused[sizeof transfer->unused - 1] = '\0';
    for (int i = 0; i < transfer->n; i++) {
        tr_transferred_layer *layer = &transfer->layers[i];
        layer->from[sizeof layer->from - 1] = layer->why[sizeof layer->why - 1] = '\0';
        if (layer->layer < 0 || layer->layer >= tr_model_n_layers(model))
            return false;
    }
    return true;
}

static tr_status run(transfer_job *job, tr_snapshot *snapshot, tr_model *model, int n,
                     tr_error *err)
{
    const size_t bytes = (size_t)snapshot->n_values * sizeof(float);
    TR_TRY(tr_snapshot_take_weights(snapshot, err));
    job->values = tr_shared_alloc(1, bytes);
    job->transfer =
        tr_shared_alloc(1, sizeof *job->transfer + (size_t)n * sizeof *job->transfer->layers);
    if (job->values == NULL || job->transfer == NULL)
        return tr_out_of_memory(err, job->path);
    memcpy(job->values, snapshot->weights, bytes);
    job->transfer->n = n;
    TR_TRY(tr_in_child(read_file, job, job->path, err));
    if (job->transfer->n != n || !is_possible(job->transfer, model))
        return tr_fail(err, TR_ERR_DATA, "%s: its reader told what cannot be: the file is damaged",
                       job->path);
    return tr_snapshot_give_values(job->values, model, err);
}

tr_status tr_checkpoint_transfer(tr_transfer **out, tr_model *model, const char *path,
                                 const tr_transfer_rules *rules, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    int n = 0;
    for (int i = 0; i < tr_model_n_layers(model); i++)
        n += tr_model_layer(model, i).n_weights > 0;
    TR_TRY(tr_file_check_input(path, err));
    TR_TRY(check_digest(path, err));
    TR_TRY(tr_snapshot_new(&snapshot, model, false, err));
    transfer_job job = {.path = path, .snapshot = snapshot, .rules = rules};
    const tr_status status = run(&job, snapshot, model, n, err);
    tr_shared_free(job.values);
    tr_snapshot_free(snapshot);
    if (status == TR_OK)
        *out = job.transfer;
    else
        tr_shared_free(job.transfer);
    return status;
}

void tr_transfer_free(tr_transfer *transfer)
{
    tr_shared_free(transfer);
}
