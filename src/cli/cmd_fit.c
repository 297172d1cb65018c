/* cmd_fit.c -- trainer -c FILE: train, then evaluate on the test set, as the tutorial does. */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "data_notes.h"
#include "dnn.h"
#include "evaluation_files.h"
#include "file.h"
#include "fit_watcher.h"
#include "keras_limits.h"
#include "mem.h"
#include "run_table.h"
#include "signals.h"
#include "trainer/checkpoint.h"
#include "transfer_table.h"

static const char doc[] =
    "Train the network of an INI file and evaluate it on the test set.\v"
    "Results go to [output] directory: last.h5 and best.h5 (Keras's layout), history.csv, .jsonl, "
    ".svg and .png, evaluation.json and confusion.csv (the test set), config.ini (every default "
    "spelled out). Ctrl-C finishes the step, saves and "
    "exits, and --resume goes on from there; a second one quits at once. SIGUSR1 saves and goes "
    "on.";

static tr_control control; /* outlives what signals.c's thread may do to it */

/* ---- the command ---- */

/* "metrics: accuracy (sparse_categorical_accuracy)" */
static void print_metric_names(const tr_model *model)
{
    for (int i = 0; i < tr_model_n_metrics(model); i++) {
        const tr_metric_info info = tr_model_metric(model, i);
        printf("%s%s", i == 0 ? "metrics: " : ", ", info.name);
        if (strcmp(info.name, info.resolved) != 0)
            printf(" (%s)", info.resolved);
    }
    if (tr_model_n_metrics(model) > 0)
        putchar('\n');
}

static tr_status print_start(const tr_session *session, const tr_run *run, tr_error *err)
{
    const tr_config *config = session->config;
    const tr_samples *samples = tr_dataset_train(session->dataset);
    const tr_run_info info = tr_run_describe(run);
    char version[64];
    tr_pixel_range range;
    TR_TRY(tr_pixel_range_of(&range, config, samples, err));
    char *summary = tr_model_summary(session->model);
    tr_dnn_version(version, sizeof version);
    printf("trainer %s, %s, %s, threads: %d (%s)\n", TR_VERSION, version, tr_dnn_isa_name(),
           info.threads, info.threads_why);
    printf("data: %s: %lld training, %lld validation, %lld test samples, %s ", config->data.file,
           (long long)info.n_train, (long long)info.n_validation, (long long)info.n_test,
           samples->pixel == TR_PIXEL_U8 ? "uint8" : "float32");
    if (!config->input_flat)
        printf("%lld x %lld x ", (long long)samples->h, (long long)samples->w);
    printf("%lld%s\n", (long long)samples->c, samples->x == NULL ? ", streamed" : "");
    /* Keras's tutorial prints x_train.min() and max(). */
    printf("pixels: %g to %g, scaled to %g to %g\n\n", range.low, range.high, range.seen_low,
           range.seen_high);
    tr_warn_of_pixels(stderr, config, &range);
    tr_warn_of_value_ranges(stderr, config, &range);
    tr_warn_of_classes(stderr, config, session->model, samples);
    fputs(summary == NULL ? "" : summary, stdout);
    printf("\n%s, %s, batch %lld in micro-batches of %lld, %lld steps per epoch\n",
           config->compile.loss, config->compile.optimizer, (long long)config->fit.batch_size,
           (long long)config->engine.micro_batch, (long long)info.steps);
    print_metric_names(session->model);
    fflush(stdout);
    tr_free(summary);
    return TR_OK;
}

/* ---- where it begins ---- */

typedef enum fit_mode { FIT_NEW, FIT_RESUME, FIT_OVERWRITE } fit_mode;

/* What the run is to do with an earlier one. */
typedef struct fit_start {
    fit_mode mode;
    const char *path;     /* the checkpoint it goes on from; NULL: it begins anew */
    tr_resumed at;        /* where */
    char *replaced_names; /* the files of the run that it replaces; NULL: it replaces none */
} fit_start;

/* Before any data is read. */
static tr_status check_folder(const tr_session *session, fit_mode mode, tr_error *err)
{
    tr_error found;
    if (mode != FIT_NEW || tr_run_check_folder(session->config, &found) == TR_OK)
        return TR_OK;
    return tr_fail(err, found.status,
                   "%.7000s; go on from it with --resume, put a new run in its place with "
                   "--overwrite, or choose another folder with --set output.directory=FOLDER",
                   found.text);
}

/* What was reported before the stop may not have reached the tables. */
static tr_status resume(tr_run *run, fit_start *start, tr_fit_watcher *watcher, tr_error *err)
{
    start->path = tr_run_newest_path(run);
    TR_TRY(tr_run_resume(run, start->path, &start->at, err));
    if (start->at.history->n == 0)
        return TR_OK;
    watcher->history = start->at.history;
    return tr_fit_watcher_tabulate(watcher, err);
}

/* Layer by layer, where not all need fit. */
static tr_status start_from(tr_session *session, const char *path, tr_error *err)
{
    const tr_fit_config *fit = &session->config->fit;
    const tr_transfer_rules rules = {fit->by_name, fit->skip_mismatch};
    tr_transfer *transfer = NULL;
    if (!rules.by_name && !rules.skip_mismatch)
        return tr_checkpoint_read_weights(session->model, path, err);
    TR_TRY(tr_checkpoint_transfer(&transfer, session->model, path, &rules, err));
    tr_print_transfer(stdout, session->model, path, transfer);
    tr_transfer_free(transfer);
    return TR_OK;
}

static tr_status begin(tr_session *session, tr_run *run, fit_start *start, tr_fit_watcher *watcher,
                       tr_error *err)
{
    const char *initial_weights = session->config->fit.initial_weights;
    if (start->mode == FIT_RESUME && tr_run_newest_path(run) != NULL)
        return resume(run, start, watcher, err);
    if (start->mode == FIT_OVERWRITE)
        TR_TRY(tr_run_overwrite(run, &start->replaced_names, err));
    return initial_weights[0] == '\0' ? TR_OK : start_from(session, initial_weights, err);
}

static void print_resumed(const fit_start *start, const tr_run *run)
{
    const tr_resumed *at = &start->at;
    const tr_ending ending = tr_run_ending(run);
    if (ending.why == TR_END_NONE)
        printf("resuming %s: %lld epochs and %lld steps done, %lld updates\n", start->path,
               (long long)at->epoch, (long long)at->step, (long long)at->iterations);
    else
        printf("%s: finished, %s; more with --set %s\n", start->path, ending.text,
               ending.why == TR_END_EPOCHS  ? "fit.epochs=N"
               : ending.why == TR_END_EARLY ? "early_stopping.patience=N"
                                            : "fit.max_seconds=N");
    if (at->other_machine[0] != '\0')
        fprintf(stderr,
                "trainer: warning: %s was computed with %s, which is not what computes here: the "
                "result will be as good, but not the same to the last bit\n",
                start->path, at->other_machine);
    if (at->best_epoch > 0 && !at->best_is_there)
        fprintf(stderr,
                "trainer: warning: epoch %lld is the best one so far by [checkpoint] monitor, and "
                "there is no best.h5 of it; a better epoch will write one\n",
                (long long)at->best_epoch);
}

static void print_beginning(const fit_start *start, const tr_session *session, const tr_run *run)
{
    if (start->path != NULL)
        print_resumed(start, run);
    else if (start->mode == FIT_RESUME)
        printf("nothing to resume: there is no %s; starting anew\n", tr_run_checkpoint_path(run));
    if (start->replaced_names != NULL)
        fprintf(stderr,
                "trainer: note: the first checkpoint of this run replaces the earlier one in %s: "
                "last.h5 is overwritten%s%s\n",
                session->config->output_directory,
                start->replaced_names[0] == '\0' ? "" : ", and these are removed: ",
                start->replaced_names);
    fflush(stdout);
}

/* ---- the run ---- */

/* What all epochs being done leaves to say. */
static void print_ending(const tr_run *run)
{
    const tr_ending ending = tr_run_ending(run);
    if (ending.why != TR_END_EPOCHS)
        printf("%s\n", ending.text);
    if (ending.restored_epoch > 0)
        printf("restore_best_weights: the weights are those of epoch %lld\n",
               (long long)ending.restored_epoch);
}

/* `history` NULL: it has not one epoch. */
static void take_result(tr_fit_result *result, const tr_model *model, const tr_history *history,
                        int64_t restored_epoch, const tr_metrics *test)
{
    if (result == NULL || history == NULL)
        return;
    const tr_epoch *epoch =
        &history->epochs[(restored_epoch > 0 ? restored_epoch : history->n) - 1];
    result->n_values = 1 + history->n_metrics;
    result->has_test = test->n > 0;
    for (int i = 0; i <= history->n_metrics; i++) {
        snprintf(result->names[i], sizeof result->names[i], "%s",
                 i == 0 ? "loss" : tr_model_metric(model, i - 1).name);
        result->validation[i] = i == 0 ? epoch->validation.loss : epoch->validation.values[i - 1];
        result->test[i] = i == 0 ? test->loss : test->values[i - 1];
    }
}

static tr_status train(tr_session *session, tr_run *run, fit_start *start, tr_drawer *drawer,
                       tr_fit_result *result, tr_error *err)
{
    tr_fit_watcher watcher = {
        .view = {.lines = stdout, .bar = isatty(STDERR_FILENO) ? stderr : NULL},
        .folder = session->config->output_directory,
        .tensorboard = session->config->tensorboard,
        .drawer = drawer};
    const tr_listener listener = tr_fit_watcher_listener(&watcher);
    TR_TRY(begin(session, run, start, &watcher, err));
    TR_TRY(print_start(session, run, err));
    print_beginning(start, session, run);
    tr_signals_training_begins();
    tr_status status = tr_run_fit(run, &listener, &control, err);
    tr_progress_clear(&watcher.view);
    if (status == TR_OK)
        print_ending(run);
    if (watcher.history != NULL)
        tr_print_run(stdout, watcher.history);
    if (watcher.history != NULL && watcher.drawn_epochs < watcher.history->n) {
        tr_error lost; /* what ended the run says more */
        const tr_status drawn = tr_fit_watcher_draw(&watcher, status == TR_OK ? err : &lost);
        status = status == TR_OK ? drawn : status;
    }
    tr_evaluation test = {0};
    if (status == TR_OK)
        status = tr_run_evaluate(run, &control.stop, &test, err);
    if (status == TR_OK && test.metrics.n > 0)
        status = tr_evaluation_write_files(watcher.folder, session->model, &test, err);
    if (status == TR_OK)
        status = tr_print_result(session, &test, err);
    if (status == TR_OK)
        tr_print_folder(stdout, watcher.folder);
    take_result(result, session->model, watcher.history, tr_run_ending(run).restored_epoch,
                &test.metrics);
    tr_evaluation_release(&test);
    return status;
}

/* ---- options ---- */

enum { KEY_RESUME = 'r', KEY_OVERWRITE = 0x100 };

static const struct argp_option table[] = {
    {"resume", KEY_RESUME, NULL, 0, "go on from last.h5 in the output folder, to the bit", 0},
    {"overwrite", KEY_OVERWRITE, NULL, 0,
     "train anew where an earlier run is; it stays whole until the first checkpoint", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    fit_mode *mode = state->input;
    (void)arg;
    if (key != KEY_RESUME && key != KEY_OVERWRITE)
        return ARGP_ERR_UNKNOWN;
    const fit_mode wanted = key == KEY_RESUME ? FIT_RESUME : FIT_OVERWRITE;
    if (*mode != FIT_NEW && *mode != wanted)
        argp_error(state, "--resume goes on with the earlier run, --overwrite ends it; keep one");
    *mode = wanted;
    return 0;
}

tr_status tr_fit_options(tr_options *options, int argc, char **argv, const char *about)
{
    const struct argp more = {.options = table, .parser = parse};
    fit_mode mode = FIT_NEW;
    return tr_options_parse_more(options, argc, argv, about, TR_TAKES_NONE, &more, &mode);
}

tr_status tr_command_fit(int argc, char **argv)
{
    return tr_fit_command(argc, argv, NULL);
}

tr_status tr_fit_command(int argc, char **argv, tr_fit_result *result)
{
    const struct argp more = {.options = table, .parser = parse};
    fit_start start = {.mode = FIT_NEW};
    tr_options options;
    tr_session session = {0};
    tr_run *run = NULL;
    tr_error err = {0};
    TR_TRY(tr_options_parse_more(&options, argc, argv, doc, TR_TAKES_NONE, &more, &start.mode));
    tr_drawer *drawer = NULL; /* first of all, as threads may not be there yet */
    tr_status status = tr_drawer_new(&drawer, &tr_history_drawing, &err);
    if (status == TR_OK)
        status = tr_signals_watch(&control, &err);
    if (status == TR_OK)
        status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = check_folder(&session, start.mode, &err);
    if (status == TR_OK)
        status = tr_session_check_parameters(&session, &err);
    if (status == TR_OK)
        status = tr_session_build(&session, &err);
    if (status == TR_OK)
        status = tr_model_check_trainable(session.model, &err);
    if (status == TR_OK)
        status = tr_print_lines("note: last.h5, best.h5", tr_keras_h5_limits(session.model), &err);
    if (status == TR_OK && tr_session_memory_is_short(&session))
        status = tr_session_check_memory(&session, NULL, &err);
    if (status == TR_OK)
        status = tr_session_opened(&session,
                                   tr_dataset_open(&session.dataset, session.config,
                                                   tr_model_targets(session.model), &err),
                                   &err);
    if (status == TR_OK)
        status = tr_run_new(&run, session.config, session.model, session.dataset, &err);
    if (status == TR_OK)
        status = train(&session, run, &start, drawer, result, &err);
    tr_run_free(run);
    tr_free(start.replaced_names);
    tr_drawer_free(drawer);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
