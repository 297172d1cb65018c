/* checkpoint_look.c -- the names in a checkpoint; see checkpoint_look.h. */
#include "checkpoint_look.h"

#include <stdio.h>
#include <string.h>

#include "child.h"
#include "digest.h"
#include "h5.h"
#include "h5_attributes.h"
#include "mem.h"

typedef struct look_job {
    const char *path;
    tr_checkpoint_outline *outline;
    tr_digest *digest; /* of all weights, listed or not; NULL: none is stored to compare it with */
} look_job;

void tr_outline_add(tr_checkpoint_outline *outline, const char *root, const char *layer,
                    const char *weight)
{
    const bool is_variable = layer[0] == '\0';
    int64_t *n = is_variable ? &outline->n_variables : &outline->n_entries;
    if (*n == TR_OUTLINE_ENTRIES) {
        ++*(is_variable ? &outline->n_unlisted_variables : &outline->n_unlisted);
        return;
    }
    tr_outline_entry *entry = is_variable ? &outline->variables[*n] : &outline->entries[*n];
    ++*n;
    snprintf(entry->layer, sizeof entry->layer, "%s", layer);
    snprintf(entry->weight, sizeof entry->weight, "%s", weight);
    snprintf(entry->path, sizeof entry->path, "%s%s%s%s", root, layer, is_variable ? "" : "/",
             weight);
}

/* ---- layer_names, weight_names ---- */

/* float32 values of one weight. */
static bool add_weight(tr_digest *digest, hid_t file, const char *path)
{
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    const hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    float *values = n < 0 ? NULL : tr_alloc((size_t)n, sizeof *values);
    const bool ok = values != NULL &&
                    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (ok)
        tr_digest_add(digest, values, (size_t)n * sizeof *values);
    tr_free(values);
    tr_h5_close(space);
    tr_h5_close(dataset);
    return ok;
}

static tr_status look_at_layer(const look_job *job, hid_t weights, const char *root,
                               const char *layer, tr_error *err)
{
    char **names = NULL;
    size_t n = 0;
    const hid_t group = H5Gopen2(weights, layer, H5P_DEFAULT);
    tr_status status = TR_OK;
    if (group < 0 || !tr_h5_read_names(group, "weight_names", &names, &n))
        status = tr_fail(err, TR_ERR_DATA, "%s: group %s or its weight_names cannot be read",
                         job->path, layer);
    for (size_t i = 0; status == TR_OK && i < n; i++) {
        tr_outline_add(job->outline, root, layer, names[i]);
        if (job->digest != NULL && !add_weight(job->digest, group, names[i]))
            status = tr_fail(err, TR_ERR_DATA, "%s: dataset %s%s/%s cannot be read", job->path,
                             root, layer, names[i]);
    }
    if (status == TR_OK && n == 0)
        tr_outline_add(job->outline, root, layer, "");
    tr_h5_free_names(names, n);
    tr_h5_close(group);
    return status;
}

static tr_status look_at_layers(const look_job *job, hid_t file, tr_error *err)
{
    char **layers = NULL;
    size_t n = 0;
    /* save_weights() of Keras 2 puts the same layout at the root. */
    const char *root = H5Lexists(file, "model_weights", H5P_DEFAULT) > 0 ? "model_weights/" : "";
    const hid_t weights = H5Gopen2(file, root[0] == '\0' ? "/" : root, H5P_DEFAULT);
    tr_status status = TR_OK;
    if (weights < 0 || !tr_h5_read_names(weights, "layer_names", &layers, &n))
        status = tr_fail(err, TR_ERR_DATA, "%s: the layer_names of /model_weights cannot be read",
                         job->path);
    for (size_t i = 0; status == TR_OK && i < n; i++)
        status = look_at_layer(job, weights, root, layers[i], err);
    job->outline->n_layers = (int64_t)n;
    tr_h5_free_names(layers, n);
    tr_h5_close(weights);
    return status;
}

/* ---- Keras 3's weights-only layout: layers/<key>/vars/0, 1, ... ---- */

/* H5Literate visitor over /layers. */
static herr_t visit_key(hid_t layers, const char *key, const H5L_info_t *info, void *user)
{
    tr_checkpoint_outline *outline = user;
    char path[300], number[16], weight[24];
    snprintf(path, sizeof path, "%.200s/vars", key);
    if (info->type != H5L_TYPE_HARD || H5Lexists(layers, path, H5P_DEFAULT) <= 0)
        return 0;
    const hid_t vars = H5Oopen(layers, path, H5P_DEFAULT);
    int n = 0;
    outline->n_layers++;
    for (;; n++) {
        snprintf(number, sizeof number, "%d", n);
        if (vars < 0 || H5Lexists(vars, number, H5P_DEFAULT) <= 0)
            break;
        snprintf(weight, sizeof weight, "vars/%d", n);
        tr_outline_add(outline, "layers/", key, weight);
    }
    if (n == 0)
        tr_outline_add(outline, "layers/", key, "");
    tr_h5_close(vars);
    return 0;
}

static void look_at_keys(const look_job *job, hid_t file)
{
    hsize_t at = 0;
    const hid_t layers = H5Lexists(file, "layers", H5P_DEFAULT) > 0
                             ? H5Gopen2(file, "layers", H5P_DEFAULT)
                             : H5I_INVALID_HID;
    if (layers >= 0)
        H5Literate(layers, H5_INDEX_NAME, H5_ITER_INC, &at, visit_key, job->outline);
    tr_h5_close(layers);
}

/* ---- both ---- */

static tr_status look_at_weights(look_job *job, hid_t file, tr_error *err)
{
    tr_checkpoint_outline *outline = job->outline;
    TR_TRY(tr_checkpoint_look_digest(outline, file, job->path, err));
    job->digest = outline->digest_stored[0] == '\0' ? NULL : tr_digest_new();
    if (outline->digest_stored[0] != '\0' && job->digest == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = look_at_layers(job, file, err);
    if (job->digest != NULL)
        tr_digest_text(job->digest, outline->digest);
    tr_digest_free(job->digest);
    if (status == TR_OK && outline->n_layers == 0) {
        outline->digest_stored[0] = '\0'; /* of an order that such a file does not tell */
        look_at_keys(job, file);
    }
    return status;
}

/* In the child. */
static tr_status look(void *user, tr_error *err)
{
    look_job *job = user;
    tr_h5_quiet();
    const hid_t file = H5Fopen(job->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not a whole HDF5 file", job->path);
    tr_status status = look_at_weights(job, file, err);
    if (status == TR_OK)
        status = tr_checkpoint_look_beside(job->outline, file, job->path, err);
    tr_h5_close(file);
    return status;
}

tr_status tr_checkpoint_look(tr_checkpoint_outline **out, const char *path, tr_error *err)
{
    look_job job = {.path = path, .outline = tr_shared_alloc(1, sizeof *job.outline)};
    if (job.outline == NULL)
        return tr_out_of_memory(err, path);
    const tr_status status = tr_in_child(look, &job, path, err);
    if (status == TR_OK)
        *out = job.outline;
    else
        tr_checkpoint_outline_free(job.outline);
    return status;
}

bool tr_checkpoint_outline_damaged(const tr_checkpoint_outline *outline)
{
    return outline->digest_stored[0] != '\0' &&
           strcmp(outline->digest_stored, outline->digest) != 0;
}

void tr_checkpoint_outline_free(tr_checkpoint_outline *outline)
{
    tr_shared_free(outline);
}
