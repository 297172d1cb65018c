/* export_keras2.c -- a whole-model HDF5 file for Keras 2; see export.h. */
#include "checkpoint_write.h"
#include "export.h"
#include "h5_write.h"
#include "keras_limits.h"
#include "mem.h"
#include "optimizer_list.h"

typedef struct keras2_export {
    const tr_snapshot *snapshot;
    const tr_keras_source *source;
} keras2_export;

static tr_status write_contents(const void *user, hid_t file, tr_error *err)
{
    const keras2_export *job = user;
    const tr_model *model = job->snapshot->model;
    const bool compiled =
        (job->source == NULL || job->source->compiled) && tr_keras2_lacks(model, false) == NULL;
    char *model_config = tr_keras_model_config(model, job->source);
    char *training_config = compiled ? tr_keras2_training_config(model) : NULL;
    tr_status status = TR_OK;
    if (model_config == NULL || (compiled && training_config == NULL))
        status = tr_out_of_memory(err, NULL);
    if (status == TR_OK)
        status = tr_whole_model_write(file, job->snapshot, model_config, training_config, err);
    if (status == TR_OK && compiled && tr_snapshot_has_state(job->snapshot))
        status = tr_optimizer_group_write(file, job->snapshot, TR_VARIABLES_KERAS2, err);
    tr_free(training_config);
    tr_free(model_config);
    return status;
}

tr_status tr_export_keras2(const tr_snapshot *snapshot, const tr_keras_source *source,
                           const char *path, tr_error *err)
{
    const keras2_export job = {snapshot, source};
    TR_TRY(tr_keras2_check(snapshot->model, err));
    return tr_h5_write_file(path, write_contents, &job, err);
}
