/* run.c -- life of a run: everything that can fail before the first step fails here. */
#include <unistd.h>

#include "earlier_run.h"
#include "file.h"
#include "from_samples.h"
#include "mem.h"
#include "run_internal.h"

/* ---- life ---- */

tr_status tr_run_prepare_samples(tr_run *run, tr_error *err)
{
    const tr_target_rules rules = tr_model_target_rules(run->model);
    TR_TRY(tr_dataset_check_targets(run->dataset, &rules, err));
    TR_TRY(tr_run_split(run, err));
    TR_TRY(tr_run_weigh_classes(run, err));
    run->validation = run->split.n_validation > 0 ? tr_dataset_train(run->dataset)
                                                  : tr_dataset_validation(run->dataset);
    run->order = tr_alloc((size_t)run->split.n_train, sizeof *run->order);
    return run->order == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

static tr_status prepare_history(tr_run *run, tr_error *err)
{
    tr_history_begin(&run->history, run->model, tr_run_describe(run).n_validation > 0);
    return tr_run_identify(&run->identity, run, err);
}

static tr_status prepare_folder(tr_run *run, tr_error *err)
{
    const char *folder = run->config->output_directory;
    TR_TRY(tr_folder_prepare(folder, err));
    TR_TRY(tr_folder_lock(folder, &run->folder_lock, err));
    TR_TRY(tr_earlier_settle(folder, err));
    TR_TRY(tr_earlier_checkpoint(&run->newest, folder, err));
    return tr_saver_new(&run->saver, folder, run->model, err);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The engine is sized by the largest batch that will really come. */
static tr_status prepare_engine(tr_run *run, tr_error *err)
{
    const tr_config *config = run->config;
    const int64_t train = smaller(config->fit.batch_size, run->split.n_train);
    const int64_t n_test = tr_dataset_test(run->dataset)->n;
    const int64_t n_validation =
        run->split.n_validation > 0 ? run->split.n_validation : run->validation->n;
    const int64_t evaluate =
        smaller(tr_measure_chunk(config), n_test > n_validation ? n_test : n_validation);
    TR_TRY(tr_config_check(config, err));
    const int threads = tr_engine_choose_threads(run->model, run->threads_why);
    return tr_engine_new(&run->engine, run->model, tr_model_optimizers(run->model), threads, train,
                         evaluate, err);
}

tr_status tr_run_new(tr_run **out, const tr_config *config, tr_model *model,
                     const tr_dataset *dataset, tr_error *err)
{
    tr_run *run = tr_alloc(1, sizeof *run);
    if (run == NULL)
        return tr_out_of_memory(err, NULL);
    run->folder_lock = -1;
    run->config = config;
    run->model = model;
    run->dataset = dataset;
    tr_status status = tr_model_set_legend(model, tr_dataset_legend(dataset), err);
    if (status == TR_OK)
        status = tr_run_prepare_samples(run, err);
    if (status == TR_OK)
        status = prepare_engine(run, err);
    if (status == TR_OK)
        status = tr_weights_from_samples(model, tr_dataset_train(dataset), run->split.train,
                                         run->split.n_train, err);
    if (status == TR_OK)
        status = prepare_history(run, err);
    if (status == TR_OK)
        status = prepare_folder(run, err);
    if (status != TR_OK) {
        tr_run_free(run);
        return status;
    }
    *out = run;
    return TR_OK;
}

void tr_run_free(tr_run *run)
{
    if (run == NULL)
        return;
    tr_saver_free(run->saver);
    if (run->folder_lock >= 0)
        close(run->folder_lock);
    tr_engine_free(run->engine);
    tr_split_release(&run->split);
    tr_free(run->order);
    tr_free(run->class_weights);
    tr_free(run->newest);
    tr_history_release(&run->history);
    tr_free(run);
}

/* ---- an earlier run ---- */

tr_status tr_run_check_folder(const tr_config *config, tr_error *err)
{
    char *path = NULL;
    TR_TRY(tr_earlier_checkpoint(&path, config->output_directory, err));
    if (path == NULL)
        return TR_OK;
    const tr_status status = tr_fail(
        err, TR_ERR_CONFIG, "%s: is of an earlier run, which is not overwritten unasked", path);
    tr_free(path);
    return status;
}

tr_status tr_run_overwrite(tr_run *run, char **names, tr_error *err)
{
    *names = NULL;
    if (run->newest == NULL)
        return TR_OK;
    run->overwrites = true;
    return tr_earlier_files(names, run->config->output_directory, err);
}

const char *tr_run_newest_path(const tr_run *run)
{
    return run->newest;
}

/* ---- questions ---- */

const char *tr_run_checkpoint_path(const tr_run *run)
{
    return tr_saver_last_path(run->saver);
}

tr_run_info tr_run_describe(const tr_run *run)
{
    const int64_t batch = run->config->fit.batch_size;
    return (tr_run_info){.threads = tr_engine_threads(run->engine),
                         .threads_why = run->threads_why,
                         .n_train = run->split.n_train,
                         .n_validation = run->split.n_validation > 0 ? run->split.n_validation
                                                                     : run->validation->n,
                         .n_test = tr_dataset_test(run->dataset)->n,
                         .steps = (run->split.n_train + batch - 1) / batch,
                         .iterations = tr_engine_iterations(run->engine)};
}
