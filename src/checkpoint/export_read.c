/* export_read.c -- a snapshot from a checkpoint: its weights, no state of an optimizer. */
#include "export.h"

/* trainer/checkpoint.h and snapshot.h each have a tr_progress. */
tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err);

tr_status tr_export_read(tr_snapshot **out, tr_model *model, const char *path, tr_error *err)
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
