/* checkpoint_read.c -- weights from a file in one of Keras's layouts; see trainer/checkpoint.h.
 *
 * As Keras does it: layers that have weights are matched in order, or by their keys, where the file
 * has keys; names are not compared, shapes must agree. HDF5 turns float16 and float64 into float32.
 * Everything is read and checked, in a child process (base/child.h), before the model is touched.
 */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "digest.h"
#include "file.h"
#include "h5.h"
#include "h5_attributes.h"
#include "keras_file.h"
#include "keyed_weights.h"
#include "mem.h"
#include "snapshot.h"
#include "trainer/checkpoint.h"

typedef struct weight_reader {
    const char *path;
    tr_model *model;
    float *values; /* of all weights of the model, one after the other; shared with the child */
    int n_weights, next;
    int64_t n_read; /* of the values */
} weight_reader;

static void shape_text(char *text, size_t n, int n_dims, const int64_t *dims)
{
    size_t used = (size_t)snprintf(text, n, "[");
    for (int i = 0; i < n_dims && used < n; i++)
        used +=
            (size_t)snprintf(text + used, n - used, "%s%lld", i ? ", " : "", (long long)dims[i]);
    if (used < n)
        snprintf(text + used, n - used, "]");
}

/* One dataset into the next weight of the model. */
static tr_status read_weight(weight_reader *reader, hid_t group, const char *layer,
                             const char *name, tr_error *err)
{
    if (reader->next >= reader->n_weights)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has more weights than the model: %s/%s is one too many", reader->path,
                       layer, name);
    const tr_weight_info info = tr_model_weight(reader->model, reader->next);
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    const hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    const int n_dims = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    hsize_t dims[H5S_MAX_RANK] = {0};
    tr_status status = TR_OK;
    if (n_dims < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0) {
        status = tr_fail(err, TR_ERR_DATA, "%s: dataset %s/%s cannot be opened", reader->path,
                         layer, name);
    } else {
        bool same = n_dims == info.n_dims;
        int64_t found[8] = {0};
        for (int i = 0; i < n_dims && i < 8; i++) {
            found[i] = (int64_t)dims[i];
            same = same && i < info.n_dims && found[i] == info.dims[i];
        }
        if (!same) {
            char is[128], want[128];
            shape_text(is, sizeof is, n_dims < 8 ? n_dims : 8, found);
            shape_text(want, sizeof want, info.n_dims, info.dims);
            status = tr_fail(err, TR_ERR_DATA, "%s: %s/%s is %s, the model's %s/%s is %s",
                             reader->path, layer, name, is, info.layer, info.name, want);
        }
    }
    if (status == TR_OK) {
        float *values = reader->values + reader->n_read;
        reader->n_read += info.n;
        reader->next++;
        if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
            status = tr_fail(err, TR_ERR_DATA, "%s: dataset %s/%s cannot be read as numbers",
                             reader->path, layer, name);
    }
    tr_h5_close(space);
    tr_h5_close(dataset);
    return status;
}

static tr_status read_layer(weight_reader *reader, hid_t weights, const char *layer, tr_error *err)
{
    char **names = NULL;
    size_t n = 0;
    const hid_t group = H5Gopen2(weights, layer, H5P_DEFAULT);
    tr_status status = TR_OK;
    if (group < 0 || !tr_h5_read_names(group, "weight_names", &names, &n))
        status = tr_fail(err, TR_ERR_DATA, "%s: group %s or its weight_names cannot be read",
                         reader->path, layer);
    for (size_t i = 0; status == TR_OK && i < n; i++)
        status = read_weight(reader, group, layer, names[i], err);
    tr_h5_free_names(names, n);
    tr_h5_close(group);
    return status;
}

/* ---- by keys ---- */

/* The arrays of layer i: 0, 1, ..., as many as it has weights, and not one more. */
static tr_status read_keyed_layer(weight_reader *reader, hid_t root, int i, const char *key,
                                  tr_error *err)
{
    const tr_layer_info layer = tr_model_layer(reader->model, i);
    char vars[TR_KEY_MAX + 16], number[16];
    if (layer.n_weights == 0)
        return TR_OK;
    snprintf(vars, sizeof vars, "%s/vars", key);
    const hid_t group =
        H5Lexists(root, key, H5P_DEFAULT) > 0 ? H5Gopen2(root, vars, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no weights for layer %s: %s is missing; is it of another model?",
                       reader->path, layer.name, vars);
    tr_status status = TR_OK;
    for (int k = 0; k < layer.n_weights && status == TR_OK; k++) {
        snprintf(number, sizeof number, "%d", k);
        status = read_weight(reader, group, vars, number, err);
    }
    snprintf(number, sizeof number, "%d", layer.n_weights);
    if (status == TR_OK && H5Lexists(group, number, H5P_DEFAULT) > 0)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: has more weights than the model: %s/%s is one too many (layer %s)",
                         reader->path, vars, number, layer.name);
    tr_h5_close(group);
    return status;
}

static tr_status read_keyed(weight_reader *reader, hid_t file, const char *root_name, tr_error *err)
{
    const hid_t root = H5Gopen2(file, root_name, H5P_DEFAULT);
    tr_layer_key stranger = "", *keys = tr_keyed_layers(reader->model);
    tr_status status = TR_OK;
    if (root < 0)
        status = tr_fail(err, TR_ERR_DATA, "%s: group %s cannot be read", reader->path, root_name);
    else if (keys == NULL)
        status = tr_out_of_memory(err, NULL);
    for (int i = 0; i < tr_model_n_layers(reader->model) && status == TR_OK; i++)
        status = read_keyed_layer(reader, root, i, keys[i], err);
    if (status == TR_OK && !tr_keyed_stranger(stranger, root, reader->model, keys))
        status = tr_out_of_memory(err, NULL);
    if (status == TR_OK && stranger[0] != '\0')
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: has more weights than the model: there is no layer for those of %s",
                         reader->path, stranger);
    tr_free(keys);
    tr_h5_close(root);
    return status;
}

/* ---- in order ---- */

static tr_status read_listed(weight_reader *reader, hid_t file, tr_error *err)
{
    char **layers = NULL;
    size_t n = 0;
    /* save_weights() of Keras 2 puts the same layout at the root. */
    const char *root = H5Lexists(file, "model_weights", H5P_DEFAULT) > 0 ? "model_weights" : "/";
    const hid_t weights = H5Gopen2(file, root, H5P_DEFAULT);
    tr_status status = TR_OK;
    if (weights < 0 || !tr_h5_read_names(weights, "layer_names", &layers, &n) || n == 0)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: has no /model_weights with layer_names; expected a checkpoint of "
                         "trainer, or a .h5, .weights.h5 or .keras of Keras",
                         reader->path);
    for (size_t i = 0; status == TR_OK && i < n; i++)
        status = read_layer(reader, weights, layers[i], err);
    if (status == TR_OK && reader->next < reader->n_weights) {
        const tr_weight_info info = tr_model_weight(reader->model, reader->next);
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: has %d weights, the model has %d; %s/%s and what follows is missing",
                         reader->path, reader->next, reader->n_weights, info.layer, info.name);
    }
    tr_h5_free_names(layers, n);
    tr_h5_close(weights);
    return status;
}

/* A flipped bit in the numbers is an error to nobody else: HDF5 keeps no sums of them. Files of
 * Keras have no digest. */
static tr_status check_digest(const weight_reader *reader, hid_t file, tr_error *err)
{
    if (H5Lexists(file, "trainer", H5P_DEFAULT) <= 0)
        return TR_OK;
    char **written = NULL, found[TR_DIGEST_TEXT];
    size_t n = 0;
    const hid_t group = H5Gopen2(file, "trainer", H5P_DEFAULT);
    tr_status status = TR_OK;
    if (group < 0 || !tr_h5_read_names(group, "weights_digest", &written, &n) || n > 1)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: the digest of its weights (/trainer, weights_digest) cannot be read: "
                         "the file is damaged",
                         reader->path);
    else if (n == 1)
        status = tr_snapshot_digest(reader->values, reader->n_read, found, err);
    if (status == TR_OK && n == 1 && strcmp(found, written[0]) != 0)
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: its weights are not those that were written: their digest is %s, not "
                         "%s; the file is damaged, take another copy (or, if you changed them on "
                         "purpose, remove the attribute weights_digest of /trainer)",
                         reader->path, found, written[0]);
    tr_h5_free_names(written, n);
    tr_h5_close(group);
    return status;
}

/* In the child. */
static tr_status read_file(void *job, tr_error *err)
{
    weight_reader *reader = job;
    tr_keras_file file;
    tr_status status = tr_keras_file_open_weights(&file, reader->path, err);
    const char *root = status == TR_OK ? tr_keyed_root(file.h5) : NULL;
    if (status == TR_OK)
        status = root == NULL ? read_listed(reader, file.h5, err)
                              : read_keyed(reader, file.h5, root, err);
    if (status == TR_OK)
        status = check_digest(reader, file.h5, err);
    tr_keras_file_close(&file);
    return status;
}

tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err)
{
    weight_reader reader = {.path = path, .model = model, .n_weights = tr_model_n_weights(model)};
    TR_TRY(tr_file_check_input(path, err));
    int64_t n_values = 0;
    for (int i = 0; i < reader.n_weights; i++)
        n_values += tr_model_weight(model, i).n;
    reader.values = tr_shared_alloc((size_t)n_values, sizeof *reader.values);
    tr_status status = reader.values == NULL ? tr_out_of_memory(err, NULL)
                                             : tr_in_child(read_file, &reader, path, err);
    const float *next = reader.values;
    for (int i = 0; status == TR_OK && i < reader.n_weights; i++) {
        status = tr_model_set_weight(model, i, next, err);
        next += tr_model_weight(model, i).n;
    }
    tr_shared_free(reader.values);
    return status;
}
