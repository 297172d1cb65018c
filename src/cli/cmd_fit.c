/* cmd_fit.c -- trainer -c FILE: train, then evaluate on the test set, as the tutorial does. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "dnn.h"
#include "file.h"
#include "mem.h"
#include "progress.h"
#include "trainer/fit.h"

static const char doc[] =
    "Train the network of an INI file and evaluate it on the test set.\v"
    "Results go to [output] directory: last.h5 (weights, Keras's layout), history.csv, config.ini "
    "(every default spelled out). Ctrl-C finishes the step, saves and exits; a second one quits at "
    "once.";

/* ---- signals ---- */

static volatile sig_atomic_t stop_signal;

static void request_stop(int signal)
{
    stop_signal = signal;
}

static void catch_signals(void)
{
    /* One shot: the second signal meets the default action and ends the process at once. */
    const struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write(2), like a full disk */
}

/* ---- events ---- */

typedef struct fit_watcher {
    tr_progress_view view;
    const char *csv_path;
    bool validation;
} fit_watcher;

static void on_step(void *user, const tr_step_event *event)
{
    tr_progress_step(&((fit_watcher *)user)->view, event);
}

static tr_status on_epoch(void *user, const tr_history *history, int64_t epochs, tr_error *err)
{
    fit_watcher *self = user;
    tr_progress_epoch(&self->view, history, epochs);
    return tr_history_write_csv(history, self->csv_path, self->view.accuracy, self->validation,
                                err);
}

/* ---- the command ---- */

static void print_start(const tr_session *session, const tr_run *run)
{
    const tr_config *config = session->config;
    const tr_samples *samples = tr_dataset_train(session->dataset);
    const tr_run_info info = tr_run_describe(run);
    char version[64];
    char *summary = tr_model_summary(session->model);
    tr_dnn_version(version, sizeof version);
    printf("trainer %s, %s, %s, threads: %d\n", TR_VERSION, version, tr_dnn_isa_name(),
           info.threads);
    printf("data: %s: %lld training, %lld validation, %lld test samples, %s %lld x %lld x %lld\n\n",
           config->data.file, (long long)info.n_train, (long long)info.n_validation,
           (long long)info.n_test, samples->pixel == TR_PIXEL_U8 ? "uint8" : "float32",
           (long long)samples->h, (long long)samples->w, (long long)samples->c);
    fputs(summary == NULL ? "" : summary, stdout);
    printf("\n%s, %s, batch %lld in micro-batches of %lld, %lld steps per epoch\n",
           config->compile.loss, config->compile.optimizer, (long long)config->fit.batch_size,
           (long long)config->engine.micro_batch, (long long)info.steps);
    fflush(stdout);
    tr_free(summary);
}

static tr_status print_result(tr_session *session, tr_run *run, tr_error *err)
{
    tr_metrics test;
    char digest[33];
    TR_TRY(tr_run_evaluate(run, &test, err));
    TR_TRY(tr_model_digest(session->model, digest, err));
    if (test.n > 0)
        printf("test loss %.6f  ", test.loss);
    if (test.n > 0 && (session->config->compile.metrics & TR_METRIC_ACCURACY))
        printf("test accuracy %.4f +- %.4f  ", test.accuracy, tr_metrics_standard_error(&test));
    printf("parameters %s\n", digest);
    return TR_OK;
}

static tr_status train(tr_session *session, tr_run *run, tr_error *err)
{
    const tr_config *config = session->config;
    char *csv_path = tr_path_join(config->output_directory, "history.csv");
    if (csv_path == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    fit_watcher watcher = {
        .view = {.lines = stdout,
                 .bar = isatty(STDERR_FILENO) ? stderr : NULL,
                 .accuracy = (config->compile.metrics & TR_METRIC_ACCURACY) != 0},
        .csv_path = csv_path,
        .validation = tr_run_describe(run).n_validation > 0};
    const tr_listener listener = {.user = &watcher, .on_step = on_step, .on_epoch = on_epoch};
    catch_signals();
    print_start(session, run);
    tr_status status = tr_run_fit(run, &listener, &stop_signal, err);
    tr_progress_clear(&watcher.view);
    if (status == TR_OK)
        status = print_result(session, run, err);
    tr_free(csv_path);
    return status;
}

tr_status tr_command_fit(int argc, char **argv)
{
    tr_options options;
    tr_session session = {0};
    tr_run *run = NULL;
    tr_error err = {0};
    TR_TRY(tr_options_parse(&options, argc, argv, doc, 0));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK)
        status = tr_session_build(&session, &err);
    if (status == TR_OK)
        status = tr_dataset_open(&session.dataset, session.config, &err);
    if (status == TR_OK)
        status = tr_run_new(&run, session.config, session.model, session.dataset, &err);
    if (status == TR_OK)
        status = train(&session, run, &err);
    tr_run_free(run);
    tr_session_close(&session);
    tr_options_release(&options);
    return status == TR_OK ? TR_OK : tr_complain(&err);
}
