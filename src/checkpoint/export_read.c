/* export_read.c -- a snapshot from a checkpoint; see export.h. */
#include <string.h>
#include <unistd.h>

#include "checkpoint_look.h"
#include "export.h"
#include "mem.h"
#include "optimizer_list.h"
#include "trainer/checkpoint.h"
#include "training_state.h"
#include "zip_file.h"

static const char group[] = "trainer/optimizer_weights/";

/* Has the file the state of the optimizer that the configuration names? Files of Keras have none,
 * and with another configuration than the run's it may be that of another optimizer. */
static bool has_state_of(const tr_checkpoint_outline *outline, const tr_variable *variables,
                         size_t n)
{
    size_t found = 0;
    for (int64_t i = 0; i < outline->n_variables; i++) {
        const char *path = outline->variables[i].path;
        if (strncmp(path, group, strlen(group)) != 0)
            continue;
        if (found == n || strcmp(path + strlen(group), variables[found].name) != 0)
            return false;
        found++;
    }
    return n > 0 && found == n;
}

static tr_status look_for_state(bool *found, const tr_model *model, const char *path, tr_error *err)
{
    tr_checkpoint_outline *outline = NULL;
    tr_snapshot *expected = NULL;
    tr_variable *variables = NULL;
    size_t n = 0;
    tr_status status = tr_checkpoint_look(&outline, path, err);
    if (status == TR_OK)
        status = tr_snapshot_new(&expected, model, true, err);
    if (status == TR_OK)
        status = tr_optimizer_list(&variables, &n, expected, err);
    if (status == TR_OK)
        *found = has_state_of(outline, variables, n);
    tr_free(variables);
    tr_snapshot_free(expected);
    tr_checkpoint_outline_free(outline);
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
    /* Archives have no state of ours; of what cannot be read, the reader of the weights tells. */
    if (access(path, R_OK) == 0 && !tr_is_zip(path))
        TR_TRY(look_for_state(&found, model, path, err));
    return found ? tr_training_state_read(out, model, path, err)
                 : read_weights(out, model, path, err);
}
