/* checkpoint_weights.c -- see checkpoint_weights.h. */
#include "checkpoint_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keras_keys.h"
#include "keras_nesting.h"
#include "keras_order.h"
#include "mem.h"

typedef struct weight_target {
    const tr_snapshot *snapshot; /* says which are wanted */
    float *values;               /* [n_values] */
    tr_keras_nesting nesting;    /* of the file, where it is that of the model */
} weight_target;

/* Theano convolves with the kernel turned around; as Keras 2.0 to 2.3 does when it loads such a
 * file elsewhere, each row and column changes places with its opposite. [kh, kw, in * out] */
static void turn_kernel(float *values, const tr_weight_info *info)
{
    const int64_t n = info->dims[0] * info->dims[1], channels = info->dims[2] * info->dims[3];
    for (int64_t i = 0; i < n / 2; i++)
        for (int64_t c = 0; c < channels; c++) {
            float *a = &values[i * channels + c], *b = &values[(n - 1 - i) * channels + c];
            const float kept = *a;
            *a = *b;
            *b = kept;
        }
}

tr_status tr_checkpoint_weight_read(float *values, const tr_model *model, int weight,
                                    const tr_checkpoint_file *file, size_t array, tr_error *err)
{
    const tr_weight_info info = tr_model_weight(model, weight);
    char whose[192];
    snprintf(whose, sizeof whose, "the model's %s/%s", info.layer, info.name);
    TR_TRY(tr_checkpoint_file_read(values, file, file->weights.items[array].path, info.n_dims,
                                   info.dims, H5T_NATIVE_FLOAT, whose, err));
    if (file->of_theano && info.n_dims == 4)
        turn_kernel(values, &info);
    return TR_OK;
}

static tr_status read_weight(const weight_target *target, const tr_checkpoint_file *file,
                             size_t array, int weight, tr_error *err)
{
    return tr_checkpoint_weight_read(target->values + tr_snapshot_offset(target->snapshot, weight),
                                     target->snapshot->model, weight, file, array, err);
}

static tr_status fail_too_many(const tr_checkpoint_file *file, size_t array, const char *layer,
                               tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: has more weights than the model%s%s: %s is one too many",
                   file->keras.path, layer == NULL ? "" : "'s layer ", layer == NULL ? "" : layer,
                   file->weights.items[array].path);
}

/* Whose weights they are is told by their place in Keras's order, as in Keras. */
static tr_status read_in_order(const weight_target *target, const tr_checkpoint_file *file,
                               const int *order, tr_error *err)
{
    const tr_model *model = target->snapshot->model;
    const size_t n = (size_t)tr_model_n_weights(model);
    for (size_t i = 0; i < file->weights.n && i < n; i++)
        TR_TRY(read_weight(target, file, i, order[i], err));
    if (file->weights.n > n)
        return fail_too_many(file, n, NULL, err);
    if (file->weights.n == n)
        return TR_OK;
    const tr_weight_info info = tr_model_weight(model, order[file->weights.n]);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has %zu weights, the model has %zu; %s/%s and what follows is missing",
                   file->keras.path, file->weights.n, n, info.layer, info.name);
}

static tr_status read_listed(const weight_target *target, const tr_checkpoint_file *file,
                             tr_error *err)
{
    const tr_model *model = target->snapshot->model;
    int *order = target->nesting.n > 0 ? tr_keras_nesting_order(&target->nesting, model)
                                       : tr_keras_weight_order(model);
    const tr_status status =
        order == NULL ? tr_out_of_memory(err, NULL) : read_in_order(target, file, order, err);
    tr_free(order);
    return status;
}

static int compare_layers(const void *key, const void *layer)
{
    return strcmp(key, ((const tr_file_layer *)layer)->name);
}

/* The arrays of a layer of the model: 0, 1, ..., as many as it has weights, and not one more. */
static tr_status read_keyed_layer(const weight_target *target, const tr_checkpoint_file *file,
                                  const tr_layer_info *layer, const char *key, bool *used,
                                  tr_error *err)
{
    const tr_file_layer *found = NULL;
    if (layer->n_weights == 0)
        return TR_OK;
    if (file->n_layers > 0)
        found = bsearch(key, file->layers, file->n_layers, sizeof *file->layers, compare_layers);
    const size_t n = (size_t)layer->n_weights, there = found == NULL ? 0 : found->n;
    for (size_t k = 0; k < n && k < there; k++)
        TR_TRY(read_weight(target, file, found->first + k, layer->first_weight + (int)k, err));
    if (there > n)
        return fail_too_many(file, found->first + n, layer->name, err);
    if (there < n)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no weights for layer %s: %s/vars/%zu is missing; is it of another "
                       "model?",
                       file->keras.path, layer->name, key, there);
    used[found - file->layers] = true;
    return TR_OK;
}

static tr_status check_all_used(const tr_checkpoint_file *file, const bool *used, tr_error *err)
{
    for (size_t i = 0; i < file->n_layers; i++)
        if (file->layers[i].n > 0 && !used[i])
            return tr_fail(err, TR_ERR_DATA,
                           "%s: has more weights than the model: there is no layer for those of %s",
                           file->keras.path, file->layers[i].name);
    return TR_OK;
}

static tr_status read_keyed(const weight_target *target, const tr_checkpoint_file *file,
                            tr_error *err)
{
    const tr_model *model = target->snapshot->model;
    tr_layer_key *keys = tr_keras_layer_keys(model);
    bool *used = tr_alloc(file->n_layers, sizeof *used);
    tr_status status = keys == NULL || used == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    for (int i = 0; i < tr_model_n_layers(model) && status == TR_OK; i++) {
        const tr_layer_info layer = tr_model_layer(model, i);
        const char *key = target->nesting.n > 0 ? target->nesting.keys[i] : keys[i];
        status = read_keyed_layer(target, file, &layer, key, used, err);
    }
    if (status == TR_OK)
        status = check_all_used(file, used, err);
    tr_free(used);
    tr_free(keys);
    return status;
}

static tr_status read_all(const weight_target *target, const tr_checkpoint_file *file,
                          tr_error *err)
{
    switch (file->layout) {
    case TR_WEIGHTS_LISTED:
        return read_listed(target, file, err);
    case TR_WEIGHTS_KEYED:
        return read_keyed(target, file, err);
    default:
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no /model_weights with layer_names; expected a checkpoint of "
                       "trainer, or a .h5, .weights.h5 or .keras of Keras",
                       file->keras.path);
    }
}

tr_status tr_checkpoint_weights_read(float *values, const tr_snapshot *snapshot,
                                     const tr_checkpoint_file *file, tr_error *err)
{
    weight_target target = {.snapshot = snapshot, .values = values};
    tr_status status = tr_keras_nesting_read(&target.nesting, file->keras.path, err);
    if (target.nesting.n != (size_t)tr_model_n_layers(snapshot->model))
        tr_keras_nesting_release(&target.nesting);
    if (status == TR_OK)
        status = read_all(&target, file, err);
    tr_keras_nesting_release(&target.nesting);
    return status;
}
