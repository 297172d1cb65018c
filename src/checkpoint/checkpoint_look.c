/* checkpoint_look.c -- the names in a checkpoint; see checkpoint_look.h. */
#include "checkpoint_look.h"

#include <stdio.h>

#include "child.h"
#include "h5.h"
#include "keras_h5.h"
#include "mem.h"

typedef struct look_job {
    const char *path;
    tr_checkpoint_outline *outline;
} look_job;

static void add_entry(tr_checkpoint_outline *outline, const char *root, const char *layer,
                      const char *weight)
{
    if (outline->n_entries == TR_OUTLINE_ENTRIES)
        return;
    tr_outline_entry *entry = &outline->entries[outline->n_entries++];
    snprintf(entry->layer, sizeof entry->layer, "%s", layer);
    snprintf(entry->weight, sizeof entry->weight, "%s", weight);
    snprintf(entry->path, sizeof entry->path, "%s%s/%s", root, layer, weight);
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
    for (size_t i = 0; status == TR_OK && i < n; i++)
        add_entry(job->outline, root, layer, names[i]);
    if (status == TR_OK && n == 0)
        add_entry(job->outline, root, layer, "");
    tr_h5_free_names(names, n);
    tr_h5_close(group);
    return status;
}

/* In the child. */
static tr_status look(void *user, tr_error *err)
{
    const look_job *job = user;
    char **layers = NULL;
    size_t n = 0;
    tr_h5_quiet();
    const hid_t file = H5Fopen(job->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: is not a whole HDF5 file", job->path);
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
    tr_h5_close(file);
    return status;
}

tr_status tr_checkpoint_look(tr_checkpoint_outline **out, const char *path, tr_error *err)
{
    look_job job = {path, tr_shared_alloc(1, sizeof *job.outline)};
    if (job.outline == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory", path);
    const tr_status status = tr_in_child(look, &job, path, err);
    if (status == TR_OK)
        *out = job.outline;
    else
        tr_checkpoint_outline_free(job.outline);
    return status;
}

void tr_checkpoint_outline_free(tr_checkpoint_outline *outline)
{
    tr_shared_free(outline);
}
