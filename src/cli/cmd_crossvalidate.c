/* cmd_crossvalidate.c -- trainer crossvalidate -c FILE: a run for each fold, and what all say.
 *
 * Each fold is a run of its own, `trainer -c FILE --set data.fold=N --set
 * output.directory=OUT/fold_N`, in a process of its own, so that each begins as if it were alone,
 * and its result comes back through shared memory. What stops such a run stops the whole;
 * --resume goes on, and finds finished folds finished.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "held_signals.h"
#include "mem.h"

static const char doc[] =
    "Train a run for each of [data] folds into OUT/fold_1, OUT/fold_2, ..., OUT being [output] "
    "directory, and print what they say of validation and test samples, mean and standard "
    "deviation over the folds; also in OUT/crossvalidation.csv.\v"
    "Ctrl-C saves and exits as in a run alone, and --resume goes on.";

/* ---- one fold ---- */

/* "--set", "data.fold=2", "--set", "output.directory=OUT/fold_2" behind the arguments that there
 * are. */
static int run_fold(int argc, char **argv, const char *output, int fold, tr_fit_result *result)
{
    char **all = tr_alloc((size_t)argc + 5, sizeof *all);
    char *number = tr_format("data.fold=%d", fold);
    char *folder = tr_format("output.directory=%s/fold_%d", output, fold);
    if (all == NULL || number == NULL || folder == NULL) {
        fprintf(stderr, "trainer: error: out of memory\n");
        return TR_ERR_INTERNAL;
    }
    memcpy(all, argv, (size_t)argc * sizeof *all);
    char set[] = "--set";
    char *const more[] = {set, number, set, folder};
    memcpy(all + argc, more, sizeof more);
    printf("==== fold %d ====\n", fold);
    return (int)tr_fit_command(argc + 4, all, result);
}

/* Hands signals on that only this process got; what a terminal sends, the fold gets itself. Returns
 * the fold's wait status; *stop: the last signal that asks for the end. */
static int wait_for(pid_t fold, const sigset_t *signals, int *stop)
{
    int status = 0;
    siginfo_t info;
    for (;;) {
        const int signal = sigwaitinfo(signals, &info);
        if (signal == SIGCHLD && waitpid(fold, &status, WNOHANG) == fold)
            return status;
        if (signal <= 0 || signal == SIGCHLD)
            continue;
        if (info.si_code <= 0)
            kill(fold, signal);
        if (signal != SIGUSR1)
            *stop = signal;
    }
}

/* The exit code of the run of that fold. */
static int live_fold(int argc, char **argv, const char *output, int fold, tr_fit_result *result)
{
    sigset_t signals;
    int stop = 0;
    tr_fill_held_signals(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        return TR_ERR_INTERNAL;
    if (child == 0) {
        sigset_t children;
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        sigprocmask(SIG_UNBLOCK, &children, NULL);
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* it saves and ends */
        const int code = run_fold(argc, argv, output, fold, result);
        fflush(NULL);
        _exit(code);
    }
    const int status = wait_for(child, &signals, &stop);
    if (!WIFEXITED(status))
        return TR_ERR_INTERNAL;
    return WEXITSTATUS(status) == 0 && stop != 0 ? (int)tr_stopped_by(stop) : WEXITSTATUS(status);
}

/* ---- what all say ---- */

/* A column of the table: that metric of the validation or the test samples. */
typedef struct fold_column {
    bool test;
    int metric;
} fold_column;

static double value_of(const tr_fit_result *result, fold_column column)
{
    return column.test ? result->test[column.metric] : result->validation[column.metric];
}

enum { COLUMNS_MAX = 2 * (1 + TR_MAX_METRICS) };

static int list_columns(fold_column columns[COLUMNS_MAX], const tr_fit_result *result)
{
    int n = 0;
    for (int test = 0; test <= (result->has_test ? 1 : 0); test++)
        for (int i = 0; i < result->n_values; i++)
            columns[n++] = (fold_column){test == 1, i};
    return n;
}

/* Mean and standard deviation of the sample, of n - 1 degrees of freedom. */
static void take_spread(const tr_fit_result *results, int n, fold_column column, double *mean,
                        double *deviation)
{
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < n; i++)
        sum += value_of(&results[i], column);
    *mean = sum / n;
    for (int i = 0; i < n; i++)
        squares +=
            (value_of(&results[i], column) - *mean) * (value_of(&results[i], column) - *mean);
    *deviation = sqrt(squares / (n - 1));
}

static void print_row(FILE *out, const char *name, const double *values, int n, bool csv)
{
    fprintf(out, csv ? "%s" : "%-6s", name);
    for (int i = 0; i < n; i++)
        fprintf(out, csv ? ",%.9g" : "  %16.4f", values[i]);
    fputc('\n', out);
}

static void print_table(FILE *out, const tr_fit_result *results, int n, bool csv)
{
    fold_column columns[COLUMNS_MAX];
    double values[COLUMNS_MAX], deviations[COLUMNS_MAX];
    const int n_columns = list_columns(columns, results);
    fprintf(out, csv ? "%s" : "%-6s", "fold");
    for (int k = 0; k < n_columns; k++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", columns[k].test ? "test_" : "val_",
                 results->names[columns[k].metric]);
        fprintf(out, csv ? ",%s" : "  %16s", name);
    }
    fputc('\n', out);
    for (int i = 0; i < n; i++) {
        char fold[16];
        snprintf(fold, sizeof fold, "%d", i + 1);
        for (int k = 0; k < n_columns; k++)
            values[k] = value_of(&results[i], columns[k]);
        print_row(out, fold, values, n_columns, csv);
    }
    for (int k = 0; k < n_columns; k++)
        take_spread(results, n, columns[k], &values[k], &deviations[k]);
    print_row(out, "mean", values, n_columns, csv);
    print_row(out, "std", deviations, n_columns, csv);
}

static tr_status write_csv(const char *output, const tr_fit_result *results, int n, tr_error *err)
{
    char *text = NULL, *path = tr_path_join(output, "crossvalidation.csv");
    size_t bytes = 0;
    FILE *stream = path == NULL ? NULL : open_memstream(&text, &bytes);
    if (stream != NULL)
        print_table(stream, results, n, true);
    const bool ok = stream != NULL && fclose(stream) == 0;
    const tr_status status =
        ok ? tr_file_write(path, text, bytes, err) : tr_out_of_memory(err, NULL);
    if (status == TR_OK)
        printf("\nall folds: %s, a run in each of its folders fold_1 to fold_%d\n", path, n);
    free(text);
    tr_free(path);
    return status;
}

/* ---- the command ---- */

static int live_all(int argc, char **argv, const tr_config *config)
{
    const int n = (int)config->data.folds;
    tr_error err = {0};
    tr_fit_result *results = tr_shared_alloc((size_t)n, sizeof *results);
    if (results == NULL)
        return (int)tr_complain(tr_out_of_memory(&err, NULL), &err);
    int code = 0;
    for (int i = 0; code == 0 && i < n; i++) {
        code = live_fold(argc, argv, config->output_directory, i + 1, &results[i]);
        if (code != 0)
            fprintf(stderr,
                    "trainer: fold %d of %d ended with exit code %d; what is done is kept\n", i + 1,
                    n, code);
    }
    if (code == 0) {
        printf("\n==== all folds: the weights that each run ended with ====\n");
        print_table(stdout, results, n, false);
        if (write_csv(config->output_directory, results, n, &err) != TR_OK)
            code = (int)tr_complain(err.status, &err);
    }
    tr_shared_free(results);
    return code;
}

tr_status tr_command_crossvalidate(int argc, char **argv)
{
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(tr_fit_options(&options, argc, argv, doc));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK && session.config->data.folds == 0)
        status = tr_fail(&err, TR_ERR_CONFIG,
                         "%s: crossvalidate wants [data] folds = N, 2 or more; for a try, --set "
                         "data.folds=5 --set data.validation_split=0",
                         options.config_path);
    if (status == TR_OK && session.config->fit.max_seconds > 0.0)
        status = tr_fail(&err, TR_ERR_CONFIG,
                         "%s: crossvalidate compares whole epochs, and [fit] max_seconds may end a "
                         "fold within one: take [fit] epochs or [early_stopping], --set "
                         "fit.max_seconds=0",
                         options.config_path);
    const int code =
        status == TR_OK ? live_all(argc, argv, session.config) : (int)tr_complain(status, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    return (tr_status)code;
}
