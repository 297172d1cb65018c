/* checkpoint_legend.c -- what a checkpoint says of the numbers that its model deals with; see
 * tr_checkpoint_legend(). */
#include "checkpoint_file.h"
#include "child.h"
#include "h5_legend.h"
#include "mem.h"
#include "trainer/checkpoint.h"

typedef struct legend_job {
    const char *path;
    tr_told_legend *told; /* shared */
} legend_job;

static tr_status tell(tr_told_legend *told, const tr_h5_file *file, tr_error *err)
{
    static const char names[] = "trainer/class_names";
    bool has;
    TR_TRY(tr_h5_legend_read_pictures(told, file, "trainer", err));
    TR_TRY(tr_h5_file_has(file, names, &has, err));
    return has ? tr_h5_legend_read_names(told, file, names, err) : TR_OK;
}

static tr_status read_file(void *user, tr_error *err)
{
    const legend_job *job = user;
    tr_checkpoint_file file;
    tr_status status = tr_checkpoint_file_open(&file, job->path, err);
    if (status == TR_OK && file.of_trainer)
        status = tell(job->told, &file.keras.file, err);
    tr_checkpoint_file_close(&file);
    return status;
}

tr_status tr_checkpoint_legend(tr_legend *out, const char *path, tr_error *err)
{
    legend_job job = {.path = path, .told = tr_shared_alloc(1, sizeof *job.told)};
    if (job.told == NULL)
        return tr_out_of_memory(err, path);
    tr_status status = tr_in_child(read_file, &job, path, err);
    if (status == TR_OK)
        status = tr_legend_believe(out, job.told, err);
    tr_shared_free(job.told);
    return status;
}

tr_status tr_checkpoint_read_legend(tr_model *model, const char *path, tr_error *err)
{
    tr_legend legend = {0};
    TR_TRY(tr_checkpoint_legend(&legend, path, err));
    const tr_status status = tr_model_set_legend(model, &legend, err);
    tr_legend_release(&legend);
    return status;
}
