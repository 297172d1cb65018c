/* command.h -- the commands of the program; the only code that prints and decides the exit code. */
#ifndef TR_COMMAND_H
#define TR_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "trainer/checkpoint.h"
#include "trainer/config.h"
#include "trainer/dataset.h"
#include "trainer/fit.h"
#include "trainer/model.h"
#include "trainer/status.h"

typedef struct tr_command {
    const char *name; /* first argument; the fit command has none */
    const char *doc;
    tr_status (*run)(int argc, char **argv);
} tr_command;

/* Ends in a row without run. The first row is what runs without a command word. */
extern const tr_command tr_commands[];

/* argv -> exit code. */
int tr_cli_main(int argc, char **argv);

/* ---- shared by commands ---- */

/* The list of commands. */
tr_status tr_print_overview(FILE *out);

/* Options that every command with a configuration has. */
typedef struct tr_options {
    const char *config_path;
    const char **overrides; /* "section.key=value"; released with tr_options_release() */
    char *threads_override;
    size_t n_overrides;
    const char *checkpoint; /* only where the command takes one */
} tr_options;

/* Whether a command takes --checkpoint. */
typedef enum tr_takes {
    TR_TAKES_NONE,
    TR_TAKES_CHECKPOINT, /* must be given; -c FILE may be, too */
    TR_TAKES_EITHER      /* for its configuration, in place of -c FILE */
} tr_takes;

/* Parses argv with argp, which prints usage errors and --help itself and exits (2, or 0). */
tr_status tr_options_parse(tr_options *options, int argc, char **argv, const char *doc,
                           tr_takes takes);
/* The same with options of the command's own: `more` (its options and parser), `input` for it. */
struct argp;
tr_status tr_options_parse_more(tr_options *options, int argc, char **argv, const char *doc,
                                tr_takes takes, const struct argp *more, void *input);
/* An option that may be given once: which of two files was meant is not ours to choose. */
struct argp_state;
void tr_option_once(const char **value, const char *arg, const char *name,
                    const struct argp_state *state);
void tr_options_release(tr_options *options);

/* Prints "trainer: error: ..." (every line of the text) to stderr and returns `status`; without
 * "error" where a signal asked for the end. */
tr_status tr_complain(tr_status status, const tr_error *err);

/* On stderr, "trainer: KIND: ..." for each line of the text, which it takes over. */
tr_status tr_print_lines(const char *kind, char *text, tr_error *err);

/* On stderr, what of the checkpoint at `path` is left out or assumed. */
tr_status tr_print_notes(const tr_checkpoint_info *info, const char *path, tr_error *err);

/* What a configured command works with; released with tr_session_close(). */
typedef struct tr_session {
    tr_config *config;
    tr_model *model;
    tr_dataset *dataset;
    tr_checkpoint_info checkpoint; /* where the configuration is that of a checkpoint */
} tr_session;

/* Loads and checks the configuration and the model; all problems of both are one error. */
tr_status tr_session_load(tr_session *session, const tr_options *options, tr_error *err);
/* Plans the model for this machine and says on stderr which kernels are wrong and not used and
 * which are only reference kernels, what is probably not meant, and what of a checkpoint is left
 * out or assumed. The second form is for what does not train. */
tr_status tr_session_build(tr_session *session, tr_error *err);
tr_status tr_session_build_for_inference(tr_session *session, tr_error *err);
/* TR_ERR_CONFIG where the configuration, of a file of Keras, names no dataset. */
tr_status tr_session_need_dataset(const tr_session *session, const char *path, tr_error *err);
/* `status` of opening the dataset of the configuration; of one that is missing, with the way to get
 * one. */
tr_status tr_session_opened(const tr_session *session, tr_status status, tr_error *err);
/* Before it is built, which takes memory: TR_ERR_INTERNAL where its parameters alone are too many
 * to be trained here. */
tr_status tr_session_check_parameters(const tr_session *session, tr_error *err);
/* Of a session that is built for training: says on `out` what memory a run of it will take, on
 * stderr where that may be too much, and fails where it surely is. A configuration may be checked
 * where its data are not. out NULL: only where it matters, and what is wrong with the data is not
 * its business. */
tr_status tr_session_check_memory(const tr_session *session, FILE *out, tr_error *err);
bool tr_session_memory_is_short(const tr_session *session);
void tr_session_close(tr_session *session);

/* The end of a run: the classes of the test set, and in the last line loss and metrics, as far as
 * the run has them, and the digest of the parameters. */
tr_status tr_print_result(const tr_session *session, const tr_evaluation *test, tr_error *err);

/* What a run ended with: the loss and the metrics of the validation samples, after the epoch whose
 * weights it has, and of the test samples. Plain memory, for other processes. */
typedef struct tr_fit_result {
    int n_values;
    char names[1 + TR_MAX_METRICS][64]; /* loss first */
    double validation[1 + TR_MAX_METRICS], test[1 + TR_MAX_METRICS];
    bool has_test;
} tr_fit_result;

/* cmd_fit.c: the command; `result` may be NULL. And its options alone, for another one. */
tr_status tr_fit_command(int argc, char **argv, tr_fit_result *result);
tr_status tr_fit_options(tr_options *options, int argc, char **argv, const char *doc);

/* One command, one file. */
tr_status tr_command_fit(int argc, char **argv);
tr_status tr_command_crossvalidate(int argc, char **argv);
tr_status tr_command_check(int argc, char **argv);
tr_status tr_command_summary(int argc, char **argv);
tr_status tr_command_evaluate(int argc, char **argv);
tr_status tr_command_predict(int argc, char **argv);
tr_status tr_command_bench(int argc, char **argv);
tr_status tr_command_export(int argc, char **argv);
tr_status tr_command_convert(int argc, char **argv);
tr_status tr_command_inspect(int argc, char **argv);
tr_status tr_command_help(int argc, char **argv);

#endif
