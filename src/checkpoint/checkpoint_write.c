/* checkpoint_write.c -- the weights in Keras's HDF5 layout; see checkpoint_write.h. */
#include "checkpoint_write.h"

#include "h5_attributes.h"
#include "h5_write.h"
#include "keras_json.h"
#include "keras_limits.h"
#include "keras_order.h"
#include "mem.h"
#include "optimizer_list.h"
#include "training_state.h"

/* What Keras 2 readers want to see; Keras 3 ignores the values but wants them there. */
static const char keras_version[] = "2.13.1", backend[] = "tensorflow";

/* ---- /model_weights ---- */

/* "<layer>/<weight>:0", the spelling of Keras 2, which Keras 3 reads too. */
static char *weight_path(const tr_weight_info *info)
{
    return tr_format("%s/%s:0", info->layer, info->name);
}

static tr_status write_weight(hid_t group, const tr_snapshot *snapshot, int i, tr_error *err)
{
    const tr_weight_info info = tr_model_weight(snapshot->model, i);
    char *path = weight_path(&info);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = tr_h5_write_dataset(
        group, path, info.n_dims, info.dims, info.counts ? H5T_STD_I64LE : H5T_IEEE_F32LE,
        H5T_NATIVE_FLOAT, snapshot->weights + tr_snapshot_offset(snapshot, i), err);
    tr_free(path);
    return status;
}

static tr_status write_layer(hid_t weights, const tr_snapshot *snapshot, const tr_layer_info *layer,
                             tr_error *err)
{
    const hid_t group = H5Gcreate2(weights, layer->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        return tr_h5_write_failed(err, layer->name);
    tr_status status = TR_OK;
    char **names = tr_alloc((size_t)layer->n_weights, sizeof *names);
    bool named = names != NULL;
    for (int k = 0; named && k < layer->n_weights; k++) {
        const tr_weight_info info = tr_model_weight(snapshot->model, layer->first_weight + k);
        names[k] = weight_path(&info);
        named = names[k] != NULL;
    }
    if (!named)
        status = tr_out_of_memory(err, NULL);
    else if (!tr_h5_write_names(group, "weight_names", (const char *const *)names,
                                (size_t)layer->n_weights))
        status = tr_h5_write_failed(err, "weight_names");
    for (int k = 0; status == TR_OK && k < layer->n_weights; k++)
        status = write_weight(group, snapshot, layer->first_weight + k, err);
    tr_h5_free_names(names, (size_t)layer->n_weights);
    tr_h5_close(group);
    return status;
}

static tr_status write_groups(hid_t file, const tr_snapshot *snapshot, const int *order,
                              const char **names, tr_error *err)
{
    const tr_model *model = snapshot->model;
    const int n = tr_model_n_layers(model);
    for (int i = 0; i < n; i++)
        names[i] = tr_model_layer(model, order[i]).name;
    tr_status status = TR_OK;
    const hid_t group = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0 || !tr_h5_write_names(group, "layer_names", names, (size_t)n) ||
        !tr_h5_write_text(group, "backend", backend, H5T_CSET_ASCII) ||
        !tr_h5_write_text(group, "keras_version", keras_version, H5T_CSET_ASCII))
        status = tr_h5_write_failed(err, "model_weights");
    for (int i = 0; status == TR_OK && i < n; i++) {
        const tr_layer_info layer = tr_model_layer(model, order[i]);
        status = write_layer(group, snapshot, &layer, err);
    }
    tr_h5_close(group);
    return status;
}

/* By their place in the list Keras tells whose weights they are. */
static tr_status write_model_weights(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    int *order = tr_keras_order(snapshot->model);
    const char **names = tr_alloc((size_t)tr_model_n_layers(snapshot->model), sizeof *names);
    const tr_status status = order == NULL || names == NULL
                                 ? tr_out_of_memory(err, NULL)
                                 : write_groups(file, snapshot, order, names, err);
    tr_free(order);
    tr_free(names);
    return status;
}

/* ---- the file ---- */

tr_status tr_whole_model_write(hid_t file, const tr_snapshot *snapshot, const char *model_config,
                               const char *training_config, tr_error *err)
{
    if (!tr_h5_write_text(file, "backend", backend, H5T_CSET_UTF8) ||
        !tr_h5_write_text(file, "keras_version", keras_version, H5T_CSET_UTF8) ||
        !tr_h5_write_text(file, "model_config", model_config, H5T_CSET_ASCII) ||
        (training_config != NULL &&
         !tr_h5_write_text(file, "training_config", training_config, H5T_CSET_ASCII)))
        return tr_h5_write_failed(err, "root attributes");
    return write_model_weights(file, snapshot, err);
}

static tr_status write_keras_part(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    const bool compiled = !tr_keras_h5_lacks_optimizer(tr_model_config(snapshot->model));
    char *model_config = tr_keras_model_config(snapshot->model, NULL);
    char *training_config = compiled ? tr_keras_training_config(snapshot->model) : NULL;
    const tr_status status =
        model_config == NULL || (compiled && training_config == NULL)
            ? tr_out_of_memory(err, NULL)
            : tr_whole_model_write(file, snapshot, model_config, training_config, err);
    tr_free(model_config);
    tr_free(training_config);
    return status;
}

static tr_status write_contents(const void *user, hid_t file, tr_error *err)
{
    const tr_snapshot *snapshot = user;
    TR_TRY(write_keras_part(file, snapshot, err));
    if (tr_model_config(snapshot->model)->checkpoint.keras_optimizer)
        TR_TRY(tr_optimizer_group_write(file, snapshot, TR_VARIABLES_KERAS3, err));
    return tr_training_state_write(file, snapshot, err);
}

tr_status tr_checkpoint_image(void **image, size_t *n, const tr_snapshot *snapshot, tr_error *err)
{
    return tr_h5_make_image(image, n, write_contents, snapshot, err);
}

tr_status tr_checkpoint_write(const tr_snapshot *snapshot, const char *path, tr_error *err)
{
    return tr_h5_write_file(path, write_contents, snapshot, err);
}
