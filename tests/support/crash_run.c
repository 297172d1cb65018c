/* crash_run.c -- see crash_run.h. */
#include "crash_run.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_read.h"
#include "digest.h"
#include "h5_write.h"
#include "history_columns.h"
#include "mem.h"
#include "net.h"
#include "rng.h"

enum { SIDE = 6, BATCH = 4, SHARE = 5 /* a fifth of the samples validates */ };

/* ---- data and configuration ---- */

static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    const int64_t n = *(const int64_t *)user, dims[3] = {n, SIDE, SIDE};
    uint8_t *x = tr_alloc((size_t)n, SIDE * SIDE), *y = tr_alloc((size_t)n, 1);
    for (int64_t i = 0; i < n * SIDE * SIDE; i++)
        x[i] = (uint8_t)tr_random_below(256, 5, TR_PURPOSE_SHUFFLE, 3, (uint64_t)i);
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i * SIDE * SIDE] > 127;
    tr_status status =
        tr_h5_write_dataset(file, "x_train", 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x, err);
    if (status == TR_OK)
        status =
            tr_h5_write_dataset(file, "y_train", 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, y, err);
    tr_free(x);
    tr_free(y);
    return status;
}

const char *test_crash_config(int steps, int every_steps)
{
    tr_error err = {0};
    char data[512];
    const int64_t n = (int64_t)steps * BATCH * SHARE / (SHARE - 1);
    snprintf(data, sizeof data, "%s/crash.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(data, fill, &n, &err), TR_OK, "%s", err.text);
    char *text =
        tr_format("[data]\nfile = %s\nscale = 1/255\nvalidation_split = 0.2\n"
                  "[model]\ninput_shape = 6, 6, 1\n"
                  "[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3\nactivation = relu\n"
                  "[layer.f]\ntype = flatten\n[layer.drop]\ntype = dropout\nrate = 0.3\n"
                  "[layer.d]\ntype = dense\nunits = 2\nactivation = softmax\n[compile]\n"
                  "loss = sparse_categorical_crossentropy\noptimizer = adam\nmetrics = accuracy\n"
                  "[optimizer]\nuse_ema = true\n[fit]\nepochs = 3\nbatch_size = %d\n"
                  "[engine]\nmicro_batch = 2\n[checkpoint]\nevery_steps = %d\nkeep = 2\n"
                  "[output]\ndirectory = %s/unused\n",
                  data, BATCH, every_steps, test_folder());
    const char *path = test_file("crash.ini", text);
    tr_free(text);
    return path;
}

/* ---- a run ---- */

static const char *output_path(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/output.txt", test_folder());
    return path;
}

static void be_program(const char *config, const char *output, int threads, const char *environment)
{
    char command[4096];
    const int fd = open(output_path(), O_CREAT | O_WRONLY | O_TRUNC, 0666);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    snprintf(command, sizeof command,
             "exec env %s %s -c %s %s --threads %d --set output.directory=%s",
             environment == NULL ? "" : environment, TR_BINARY, config,
             strstr(config, " --overwrite") == NULL ? "--resume" : "", threads, output);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

int test_crash_run(const char *config, const char *output, int threads, const char *environment,
                   double kill_after_s)
{
    int status;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        be_program(config, output, threads, environment);
    if (kill_after_s >= 0.0) {
        const struct timespec wait = {(time_t)kill_after_s,
                                      (long)(1e9 * (kill_after_s - (double)(time_t)kill_after_s))};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *test_crash_output(void)
{
    static char text[16384];
    const int fd = open(output_path(), O_RDONLY);
    const ssize_t n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

/* ---- its result ---- */

static void digest_slots(const tr_snapshot *snapshot, char text[33])
{
    tr_digest *digest = tr_digest_new();
    for (int i = 0; i < snapshot->n_slots; i++)
        tr_digest_add(digest, snapshot->slots[i], (size_t)snapshot->n_slot_values * sizeof(float));
    if (snapshot->training_weights != NULL)
        tr_digest_add(digest, snapshot->training_weights,
                      (size_t)snapshot->n_values * sizeof(float));
    tr_digest_text(digest, text);
    tr_digest_free(digest);
}

static void digest_history(const tr_snapshot *snapshot, char text[33])
{
    tr_history_column columns[TR_MAX_COLUMNS];
    const int n = tr_model_history_columns(columns, snapshot->model);
    tr_digest *digest = tr_digest_new();
    for (int64_t i = 0; i < snapshot->n_epochs; i++) {
        tr_epoch epoch = snapshot->epochs[i];
        double row[TR_MAX_COLUMNS] = {0};
        epoch.seconds = epoch.validation_seconds = epoch.images_per_s = 0.0;
        tr_history_to_row(row, columns, n, &epoch);
        tr_digest_add(digest, row, sizeof row);
    }
    tr_digest_text(digest, text);
    tr_digest_free(digest);
}

test_result test_crash_result(const char *config_path, const char *output, int epochs)
{
    tr_error err = {0};
    tr_config *config;
    tr_model *model;
    tr_snapshot *snapshot;
    test_result result;
    char path[600];
    snprintf(path, sizeof path, "%s/last.h5", output);
    cr_assert_eq(tr_config_load(&config, config_path, NULL, 0, &err), TR_OK);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_model_build(model, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_read(&snapshot, model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(snapshot->n_epochs, epochs);
    cr_assert_eq(tr_snapshot_digest(snapshot->weights, snapshot->n_values, result.weights, &err),
                 TR_OK);
    digest_slots(snapshot, result.slots);
    digest_history(snapshot, result.history);
    tr_snapshot_free(snapshot);
    snprintf(path, sizeof path, "%s/best.h5", output);
    cr_assert_eq(tr_checkpoint_read(&snapshot, model, path, TR_READ_STATE, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_snapshot_digest(snapshot->weights, snapshot->n_values, result.best, &err),
                 TR_OK);
    tr_snapshot_free(snapshot);
    tr_model_free(model);
    tr_config_free(config);
    return result;
}

void test_same_result(const test_result *a, const test_result *b, const char *what)
{
    cr_assert_str_eq(a->weights, b->weights, "%s: the weights are others", what);
    cr_assert_str_eq(a->best, b->best, "%s: best.h5 is another", what);
    cr_assert_str_eq(a->slots, b->slots, "%s: the state of the optimizer is another", what);
    cr_assert_str_eq(a->history, b->history, "%s: the history is another", what);
}
