/* export_weights.c -- Keras 3's weights-only layout; see export.h. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "h5_attributes.h"
#include "h5_write.h"
#include "keras_keys.h"
#include "keras_names.h"
#include "mem.h"
#include "optimizer_list.h"

/* ---- groups ---- */

/* Makes the group and those above it; its attribute `name`. */
static tr_status make_group(hid_t *group, hid_t file, const char *path, const char *name,
                            tr_error *err)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    *group = H5I_INVALID_HID;
    if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
        *group = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    tr_h5_close(links);
    if (*group >= 0 && tr_h5_write_text(*group, "name", name, H5T_CSET_UTF8))
        return TR_OK;
    const tr_status status = tr_h5_write_failed(err, path);
    tr_h5_close(*group);
    *group = H5I_INVALID_HID;
    return status;
}

/* ---- layers ---- */

static tr_status write_layer(hid_t file, const tr_snapshot *snapshot, int layer, const char *key,
                             tr_error *err)
{
    const tr_layer_info of = tr_model_layer(snapshot->model, layer);
    char path[TR_KEY_MAX + 16], number[16];
    hid_t group;
    snprintf(path, sizeof path, "layers/%s/vars", key);
    TR_TRY(make_group(&group, file, path, of.name, err));
    tr_status status = TR_OK;
    for (int k = 0; status == TR_OK && k < of.n_weights; k++) {
        const int weight = of.first_weight + k;
        const tr_weight_info info = tr_model_weight(snapshot->model, weight);
        snprintf(number, sizeof number, "%d", k);
        status = tr_h5_write_dataset(group, number, info.n_dims, info.dims,
                                     info.counts ? H5T_STD_I64LE : H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                                     snapshot->weights + tr_snapshot_offset(snapshot, weight), err);
    }
    tr_h5_close(group);
    return status;
}

static tr_status write_layers(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    tr_layer_key *keys = tr_keras_layer_keys(snapshot->model);
    tr_status status = keys != NULL ? TR_OK : tr_out_of_memory(err, NULL);
    for (int i = 0; i < tr_model_n_layers(snapshot->model) && status == TR_OK; i++)
        status = write_layer(file, snapshot, i, keys[i], err);
    tr_free(keys);
    return status;
}

/* ---- the optimizer ---- */

static tr_status write_optimizer(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_config *config = tr_model_config(snapshot->model);
    char name[64];
    hid_t group;
    if (!tr_snapshot_has_state(snapshot))
        return TR_OK;
    tr_keras_snake_case(name, sizeof name,
                        tr_optimizer_find(config->compile.optimizer)->keras_class);
    TR_TRY(make_group(&group, file, "optimizer/vars", name, err));
    const tr_status status =
        tr_optimizer_list_write(group, snapshot, TR_ALL_OPTIMIZERS, TR_VARIABLES_NUMBERED, err);
    tr_h5_close(group);
    return status;
}

/* ---- files ---- */

tr_status tr_export_fill_weights(const void *user, hid_t file, tr_error *err)
{
    const tr_snapshot *snapshot = user;
    hid_t root;
    TR_TRY(make_group(&root, file, "vars", tr_model_name(snapshot->model), err));
    tr_h5_close(root);
    TR_TRY(write_layers(file, snapshot, err));
    return write_optimizer(file, snapshot, err);
}

tr_status tr_export_weights(const tr_snapshot *snapshot, const char *path, tr_error *err)
{
    return tr_h5_write_file(path, tr_export_fill_weights, snapshot, err);
}
