/* export_read.c -- a snapshot from a checkpoint; see export.h. */
#include <string.h>

#include "child.h"
#include "export.h"
#include "h5_attributes.h"
#include "mem.h"
#include "optimizer_list.h"
#include "trainer/checkpoint.h"
#include "training_state.h"
#include "zip_file.h"

static const char group_name[] = "trainer/optimizer_weights";

typedef struct look_job {
    const char *path;
    const tr_variable *variables; /* [n] of the optimizer that the configuration names */
    size_t n;
    bool *found; /* shared */
} look_job;

static bool same_names(const look_job *job, char *const *names, size_t n)
{
    bool same = n == job->n && n > 0;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(names[i], job->variables[i].name) == 0;
    return same;
}

/* In the child. A file that cannot be read has none: the reader of the weights says what is wrong.
 */
static tr_status look(void *user, tr_error *err)
{
    const look_job *job = user;
    char **names = NULL;
    size_t n = 0;
    tr_h5_quiet();
    if (tr_is_zip(job->path)) /* a .keras */
        return TR_OK;
    const hid_t file = H5Fopen(job->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool has_group = file >= 0 && H5Lexists(file, "trainer", H5P_DEFAULT) > 0 &&
                           H5Lexists(file, group_name, H5P_DEFAULT) > 0;
    const hid_t group = has_group ? H5Gopen2(file, group_name, H5P_DEFAULT) : H5I_INVALID_HID;
    const bool ok =
        !has_group || (group >= 0 && tr_h5_read_names(group, "weight_names", &names, &n));
    *job->found = same_names(job, names, n);
    tr_h5_free_names(names, n);
    tr_h5_close(group);
    tr_h5_close(file);
    return ok ? TR_OK
              : tr_fail(err, TR_ERR_DATA, "%s: weight_names of /%s cannot be read", job->path,
                        group_name);
}

/* Has the file the state of the optimizer that the configuration names? Files of Keras have none,
 * and with another configuration than the run's it may be that of another optimizer. */
static tr_status look_for_state(bool *found, const tr_model *model, const char *path, tr_error *err)
{
    tr_snapshot *expected = NULL;
    tr_variable *variables = NULL;
    look_job job = {.path = path, .found = tr_shared_alloc(1, sizeof *job.found)};
    tr_status status = job.found != NULL ? tr_snapshot_new(&expected, model, true, err)
                                         : tr_out_of_memory(err, NULL);
    if (status == TR_OK)
        status = tr_optimizer_list(&variables, &job.n, expected, err);
    job.variables = variables;
    if (status == TR_OK)
        status = tr_in_child(look, &job, path, err);
    if (status == TR_OK)
        *found = *job.found;
    tr_free(variables);
    tr_snapshot_free(expected);
    tr_shared_free(job.found);
    return status;
}

static tr_status read_weights(tr_snapshot **out, tr_model *model, const char *path, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    TR_TRY(tr_checkpoint_read_weights(model, path, err));
    TR_TRY(tr_snapshot_new(&snapshot, model, false, err));
    const tr_status status = tr_snapshot_take_weights(snapshot, err);
    if (status == TR_OK)
        *out = snapshot;
    else
        tr_snapshot_free(snapshot);
    return status;
}

tr_status tr_export_read(tr_snapshot **out, tr_model *model, const char *path, tr_error *err)
{
    bool found = false;
    TR_TRY(look_for_state(&found, model, path, err));
    return found ? tr_training_state_read(out, model, path, err)
                 : read_weights(out, model, path, err);
}
