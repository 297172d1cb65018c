/* export_weights.c -- Keras 3's weights-only layout; see export.h. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "h5_attributes.h"
#include "h5_write.h"
#include "keras_keys.h"
#include "keras_limits.h"
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

/* ---- the optimizers ---- */

static tr_status write_list(hid_t file, const tr_snapshot *snapshot, int optimizer,
                            const char *path, const char *keras_class, tr_error *err)
{
    char name[64];
    hid_t group;
    tr_keras_snake_case(name, sizeof name, keras_class);
    TR_TRY(make_group(&group, file, path, name, err));
    const tr_status status =
        tr_optimizer_list_write(group, snapshot, optimizer, TR_VARIABLES_NUMBERED, err);
    tr_h5_close(group);
    return status;
}

static const char *class_of(const tr_optimizers *all, int i)
{
    return all->items[i]->ops->keras_class;
}

/* Each of several once more, called by its class, and numbered per class in Keras's order: that of
 * [optimizer] last. */
static tr_status write_each(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_optimizers *all = tr_model_optimizers(snapshot->model);
    for (int k = 1; k <= all->n; k++) {
        const int i = k % all->n;
        char name[64], path[128];
        int n = 0;
        for (int earlier = 1; earlier < k; earlier++)
            n += strcmp(class_of(all, earlier), class_of(all, i)) == 0;
        tr_keras_snake_case(name, sizeof name, class_of(all, i));
        if (n == 0)
            snprintf(path, sizeof path, "optimizer/optimizers/%s/vars", name);
        else
            snprintf(path, sizeof path, "optimizer/optimizers/%s_%d/vars", name, n);
        TR_TRY(write_list(file, snapshot, i, path, class_of(all, i), err));
    }
    return TR_OK;
}

static tr_status write_optimizer(hid_t file, const tr_snapshot *snapshot, tr_error *err)
{
    const tr_optimizers *all = tr_model_optimizers(snapshot->model);
    if (!tr_snapshot_has_state(snapshot) ||
        !tr_keras_tells_optimizer(tr_model_config(snapshot->model)))
        return TR_OK;
    TR_TRY(write_list(file, snapshot, TR_ALL_OPTIMIZERS, "optimizer/vars",
                      all->n > 1 ? "MultiOptimizer" : class_of(all, 0), err));
    return all->n > 1 ? write_each(file, snapshot, err) : TR_OK;
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
