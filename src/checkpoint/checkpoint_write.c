/* checkpoint_write.c -- the weights in Keras's HDF5 layout; see trainer/checkpoint.h.
 *
 * The file is built in memory (HDF5's core driver) and written by tr_file_write(): HDF5 never
 * touches the disk, so a full disk is one clear error and cannot leave half a file or a library
 * that fails again at exit.
 */
#include <string.h>

#include "file.h"
#include "h5.h"
#include "keras_h5.h"
#include "mem.h"
#include "trainer/checkpoint.h"

/* What Keras 2 readers want to see; Keras 3 ignores the values but wants them there. */
static const char keras_version[] = "2.13.1", backend[] = "tensorflow";

enum { FORMAT_VERSION = 1 };

static tr_status h5_failed(tr_error *err, const char *what)
{
    char cause[256];
    tr_h5_cause(cause, sizeof cause);
    return tr_fail(err, TR_ERR_INTERNAL, "checkpoint: HDF5 cannot make %s: %s", what, cause);
}

/* ---- /model_weights ---- */

/* "<layer>/<weight>:0", the spelling of Keras 2, which Keras 3 reads too. */
static char *weight_path(const tr_weight_info *info)
{
    return tr_format("%s/%s:0", info->layer, info->name);
}

static tr_status write_weight(hid_t group, const tr_model *model, int i, tr_error *err)
{
    const tr_weight_info info = tr_model_weight(model, i);
    hsize_t dims[4];
    for (int k = 0; k < info.n_dims; k++)
        dims[k] = (hsize_t)info.dims[k];
    float *values = tr_alloc((size_t)info.n, sizeof *values);
    char *path = weight_path(&info);
    tr_status status = values == NULL || path == NULL
                           ? tr_fail(err, TR_ERR_INTERNAL, "out of memory")
                           : tr_model_get_weight(model, i, values, err);
    if (status == TR_OK) {
        const hid_t links = H5Pcreate(H5P_LINK_CREATE);
        const hid_t space = H5Screate_simple(info.n_dims, dims, NULL);
        hid_t dataset = H5I_INVALID_HID;
        if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
            dataset =
                H5Dcreate2(group, path, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
        if (dataset < 0 ||
            H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
            status = h5_failed(err, path);
        tr_h5_close(dataset);
        tr_h5_close(space);
        tr_h5_close(links);
    }
    tr_free(path);
    tr_free(values);
    return status;
}

static tr_status write_layer(hid_t weights, const tr_model *model, const tr_layer_info *layer,
                             tr_error *err)
{
    const hid_t group = H5Gcreate2(weights, layer->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        return h5_failed(err, layer->name);
    tr_status status = TR_OK;
    char **names = tr_alloc((size_t)layer->n_weights, sizeof *names);
    bool named = names != NULL;
    for (int k = 0; named && k < layer->n_weights; k++) {
        const tr_weight_info info = tr_model_weight(model, layer->first_weight + k);
        names[k] = weight_path(&info);
        named = names[k] != NULL;
    }
    if (!named)
        status = tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    else if (!tr_h5_write_names(group, "weight_names", (const char *const *)names,
                                (size_t)layer->n_weights))
        status = h5_failed(err, "weight_names");
    for (int k = 0; status == TR_OK && k < layer->n_weights; k++)
        status = write_weight(group, model, layer->first_weight + k, err);
    tr_h5_free_names(names, (size_t)layer->n_weights);
    tr_h5_close(group);
    return status;
}

static tr_status write_model_weights(hid_t file, const tr_model *model, tr_error *err)
{
    const int n = tr_model_n_layers(model);
    const char **names = tr_alloc((size_t)n, sizeof *names);
    if (names == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    for (int i = 0; i < n; i++)
        names[i] = tr_model_layer(model, i).name;
    tr_status status = TR_OK;
    const hid_t group = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0 || !tr_h5_write_names(group, "layer_names", names, (size_t)n) ||
        !tr_h5_write_text(group, "backend", backend, H5T_CSET_ASCII) ||
        !tr_h5_write_text(group, "keras_version", keras_version, H5T_CSET_ASCII))
        status = h5_failed(err, "model_weights");
    for (int i = 0; status == TR_OK && i < n; i++) {
        const tr_layer_info layer = tr_model_layer(model, i);
        status = write_layer(group, model, &layer, err);
    }
    tr_h5_close(group);
    tr_free(names);
    return status;
}

/* ---- the file ---- */

static tr_status write_contents(hid_t file, const tr_model *model, tr_progress progress,
                                tr_error *err)
{
    char digest[33];
    TR_TRY(tr_model_digest(model, digest, err));
    if (!tr_h5_write_text(file, "backend", backend, H5T_CSET_UTF8) ||
        !tr_h5_write_text(file, "keras_version", keras_version, H5T_CSET_UTF8))
        return h5_failed(err, "root attributes");
    TR_TRY(write_model_weights(file, model, err));
    const hid_t group = H5Gcreate2(file, "trainer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const bool ok = group >= 0 && tr_h5_write_int(group, "format_version", FORMAT_VERSION) &&
                    tr_h5_write_int(group, "epoch", progress.epoch) &&
                    tr_h5_write_int(group, "iterations", progress.iterations) &&
                    tr_h5_write_text(group, "weights_digest", digest, H5T_CSET_ASCII);
    tr_h5_close(group);
    return ok ? TR_OK : h5_failed(err, "the group /trainer");
}

/* The bytes of the finished file; released with tr_free(). */
static tr_status take_image(hid_t file, void **image, size_t *n, tr_error *err)
{
    const ssize_t bytes =
        H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    if (bytes < 0)
        return h5_failed(err, "the file image");
    void *block = tr_alloc((size_t)bytes, 1);
    if (block == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    if (H5Fget_file_image(file, block, (size_t)bytes) != bytes) {
        tr_free(block);
        return h5_failed(err, "the file image");
    }
    *image = block;
    *n = (size_t)bytes;
    return TR_OK;
}

tr_status tr_checkpoint_write(const tr_model *model, tr_progress progress, const char *path,
                              tr_error *err)
{
    tr_status status = TR_OK;
    void *image = NULL;
    size_t n = 0;
    hid_t file = H5I_INVALID_HID;
    tr_h5_quiet();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && H5Pset_fapl_core(access, 1 << 20, 0) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    status =
        file < 0 ? h5_failed(err, "a file in memory") : write_contents(file, model, progress, err);
    if (status == TR_OK)
        status = take_image(file, &image, &n, err);
    tr_h5_close(file);
    tr_h5_close(access);
    if (status == TR_OK)
        status = tr_file_write(path, image, n, err);
    tr_free(image);
    return status;
}
