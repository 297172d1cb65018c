/* cli.c -- from argv to a command, and what all commands share. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "evaluation_table.h"
#include "last_words.h"
#include "mem.h"
#include "problems.h"
#include "signals.h"

const tr_command tr_commands[] = {
    {NULL, "train and evaluate: trainer -c FILE", tr_command_fit},
    {"check", "check a configuration without training", tr_command_check},
    {"crossvalidate", "train a run for each fold; mean and spread of what they say",
     tr_command_crossvalidate},
    {"summary", "print the model's table and the kernels in use", tr_command_summary},
    {"evaluate", "measure a checkpoint on the test set", tr_command_evaluate},
    {"predict", "say what is in pictures or arrays, from a checkpoint", tr_command_predict},
    {"bench", "measure a step by layer, against the machine's peak", tr_command_bench},
    {"export", "write a checkpoint as a file for Keras 3 or Keras 2", tr_command_export},
    {"convert", "a dataset from IDX or NumPy files, and back", tr_command_convert},
    {"inspect", "list what is in an HDF5 file, or draw a sample of it", tr_command_inspect},
    {"help", "explain config, layers, losses, metrics, optimizers, weights: trainer help layers",
     tr_command_help},
    {NULL, NULL, NULL},
};

const char *argp_program_version = "trainer " TR_VERSION;

tr_status tr_print_overview(FILE *out)
{
    fprintf(out, "trainer %s -- trains convolutional networks on the cores of a CPU\n\n",
            TR_VERSION);
    for (const tr_command *command = tr_commands; command->run != NULL; command++)
        fprintf(out, "  trainer %-13s %s\n", command->name == NULL ? "-c FILE" : command->name,
                command->doc);
    fprintf(out, "\nEach command explains itself with --help. Exit codes: 0 done, 1 internal "
                 "failure,\n2 usage or configuration, 3 data, 4 not a number during training, "
                 "5 output cannot be\nwritten, 129, 130 and 143 stopped by SIGHUP, SIGINT and "
                 "SIGTERM, saved before.\n");
    return out == stdout ? TR_OK : TR_ERR_CONFIG; /* on stderr it answers a wrong call */
}

static int dispatch(int argc, char **argv)
{
    const bool trains = argc > 1 && strcmp(argv[1], "--help") != 0 &&
                        (argv[1][0] == '-' || strcmp(argv[1], "crossvalidate") == 0);
    if (!trains)
        tr_signals_release(); /* only a run has something to save */
    if (argc < 2)
        return tr_print_overview(stderr);
    if (strcmp(argv[1], "--help") == 0)
        return tr_print_overview(stdout);
    if (argv[1][0] == '-')
        return (int)tr_commands[0].run(argc, argv);
    for (const tr_command *command = &tr_commands[1]; command->run != NULL; command++) {
        if (strcmp(argv[1], command->name) != 0)
            continue;
        char *name = tr_format("trainer %s", command->name);
        if (name == NULL)
            return TR_ERR_INTERNAL;
        argv[1] = name; /* what argp calls the program in its messages */
        const int code = (int)command->run(argc - 1, argv + 1);
        tr_free(name);
        return code;
    }
    fprintf(stderr, "trainer: error: unknown command '%s'\n\n", argv[1]);
    return tr_print_overview(stderr);
}

/* A report that nobody could read is a failure, too. */
static bool output_failed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return false;
    fprintf(stderr, "trainer: error: standard output cannot be written\n");
    clearerr(stdout); /* said once */
    return true;
}

/* argp ends the process itself after --help and --version. */
static void at_exit(void)
{
    if (output_failed())
        _exit(TR_ERR_IO);
}

int tr_cli_main(int argc, char **argv)
{
    tr_last_words();
    argp_err_exit_status = TR_ERR_CONFIG;
    atexit(at_exit);
    const int code = dispatch(argc, argv);
    if (!tr_children_are_confined())
        fprintf(stderr, "trainer: note: this kernel or container lets no process give up system "
                        "calls (seccomp): files were read without that protection\n");
    return output_failed() && code == TR_OK ? TR_ERR_IO : code;
}

/* ---- options ---- */

typedef struct option_parser {
    tr_options *options;
    tr_takes takes;
    bool more_arguments; /* the command has arguments of its own */
    void *input;         /* of the command's own options */
} option_parser;

/* A script puts its own behind what it was given, so the last counts; but not in silence. */
static void note_again(const tr_options *options, const char *text)
{
    const size_t n = strcspn(text, "=");
    for (size_t i = 0; i < options->n_overrides; i++) {
        const char *other = options->overrides[i];
        if (text[n] == '=' && strncmp(other, text, n + 1) == 0 && strcmp(other, text) != 0)
            fprintf(stderr, "trainer: note: --set %.*s is given twice: %s counts, not %s\n", (int)n,
                    text, text + n + 1, other + n + 1);
    }
}

static int add_override(tr_options *options, const char *text)
{
    const char **grown = tr_grown(options->overrides, options->n_overrides, sizeof *grown);
    if (grown == NULL)
        return ENOMEM;
    grown[options->n_overrides++] = text;
    options->overrides = grown;
    return 0;
}

void tr_option_once(const char **value, const char *arg, const char *name,
                    const struct argp_state *state)
{
    if (*value != NULL)
        argp_error(state, "--%s is given twice, as %s and as %s; keep one", name, *value, arg);
    *value = arg;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    option_parser *parsing = state->input;
    tr_options *options = parsing->options;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = parsing->input;
        return 0;
    case 'c':
        tr_option_once(&options->config_path, arg, "config", state);
        return 0;
    case 's':
        note_again(options, arg);
        return add_override(options, arg);
    case 't':
        tr_free(options->threads_override);
        options->threads_override = tr_format("engine.threads=%s", arg);
        return options->threads_override == NULL ? ENOMEM : 0;
    case 'k':
        tr_option_once(&options->checkpoint, arg, "checkpoint", state);
        return 0;
    case ARGP_KEY_ARG:
        if (parsing->more_arguments)
            return ARGP_ERR_UNKNOWN;
        argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        if (parsing->takes == TR_TAKES_CHECKPOINT && options->checkpoint == NULL)
            argp_error(state, "no checkpoint: give one with --checkpoint FILE");
        else if (parsing->takes == TR_TAKES_EITHER && options->checkpoint != NULL &&
                 options->config_path != NULL)
            argp_error(state, "-c and --checkpoint both say which model; keep one");
        else if (options->config_path == NULL && options->checkpoint == NULL)
            argp_error(state, "no configuration: give one with -c FILE");
        return options->threads_override == NULL ? 0
                                                 : add_override(options, options->threads_override);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

tr_status tr_options_parse(tr_options *options, int argc, char **argv, const char *doc,
                           tr_takes takes)
{
    static const struct argp nothing = {0};
    return tr_options_parse_more(options, argc, argv, doc, takes, &nothing, NULL);
}

tr_status tr_options_parse_more(tr_options *options, int argc, char **argv, const char *doc,
                                tr_takes takes, const struct argp *more, void *input)
{
    const bool takes_one = takes != TR_TAKES_NONE;
    const struct argp_option table[] = {
        {"config", 'c', "FILE", 0,
         takes_one ? "the INI file of the run; without: the one inside the checkpoint"
                   : "the INI file of the run",
         0},
        {"set", 's', "SECTION.KEY=VALUE", 0, "replace one value of it; may be repeated", 0},
        {"threads", 't', "N", 0, "same as --set engine.threads=N; changes the speed only", 0},
        {takes_one ? "checkpoint" : NULL, takes_one ? 'k' : 0, "FILE", 0,
         takes == TR_TAKES_CHECKPOINT
             ? "file with the weights: of trainer, or a .h5, .keras or (with -c) .weights.h5 of "
               "Keras"
         : takes_one ? "the model of this file instead: of trainer, or a .h5 or .keras of Keras"
                     : NULL,
         0},
        {0},
    };
    const struct argp_child children[] = {{more, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = table, .parser = parse_option, .doc = doc, .children = children};
    option_parser parsing = {options, takes, more->args_doc != NULL, input};
    memset(options, 0, sizeof *options);
    if (argp_parse(&argp, argc, argv, 0, NULL, &parsing) == 0)
        return TR_OK;
    tr_options_release(options);
    fprintf(stderr, "trainer: error: out of memory\n");
    return TR_ERR_INTERNAL;
}

void tr_options_release(tr_options *options)
{
    tr_free(options->overrides);
    tr_free(options->threads_override);
}

/* ---- a session ---- */

tr_status tr_complain(tr_status status, const tr_error *err)
{
    const bool asked = status >= TR_HUNG_UP; /* to stop: nothing went wrong */
    fprintf(stderr, "trainer: %s%s\n", asked ? "" : "error: ", err->text);
    return status;
}

tr_status tr_print_result(const tr_session *session, const tr_evaluation *test, tr_error *err)
{
    char digest[33];
    TR_TRY(tr_model_digest(session->model, digest, err));
    if (test->metrics.n > 0) {
        tr_print_classes(stdout, test, tr_model_legend(session->model));
        tr_print_metrics(stdout, session->model, &test->metrics);
        fputs("  ", stdout);
    }
    printf("parameters %s\n", digest);
    return TR_OK;
}

/* A model is data: what opens other files is said on the command line, not by it. */
static bool allows_external_files(const tr_options *options)
{
    static const char key[] = "data.external_files=";
    for (size_t i = 0; i < options->n_overrides; i++)
        if (strncmp(options->overrides[i], key, sizeof key - 1) == 0)
            return true;
    return false;
}

static tr_status load_config(tr_session *session, const tr_options *options, tr_error *err)
{
    if (options->config_path != NULL)
        return tr_config_load(&session->config, options->config_path, options->overrides,
                              options->n_overrides, err);
    TR_TRY(tr_checkpoint_describe(&session->checkpoint, options->checkpoint, err));
    TR_TRY(tr_config_parse(&session->config, options->checkpoint, session->checkpoint.config,
                           options->overrides, options->n_overrides, err));
    if (!allows_external_files(options))
        session->config->data.external_files = false;
    return TR_OK;
}

tr_status tr_session_load(tr_session *session, const tr_options *options, tr_error *err)
{
    TR_TRY(load_config(session, options, err));
    TR_TRY(tr_model_parse(&session->model, session->config, err));
    return tr_config_check(session->config, err);
}

tr_status tr_print_lines(const char *kind, char *text, tr_error *err)
{
    if (text == NULL)
        return tr_out_of_memory(err, NULL);
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        fprintf(stderr, "trainer: %s: %s\n", kind, line);
    }
    tr_free(text);
    return TR_OK;
}

tr_status tr_print_notes(const tr_checkpoint_info *info, const char *path, tr_error *err)
{
    if (info->notes == NULL)
        return TR_OK;
    char *kind = tr_format("note: %s", path);
    const tr_status status =
        kind == NULL ? tr_out_of_memory(err, NULL)
                     : tr_print_lines(kind,
                                      tr_format("%s%s%s", info->notes, info->no_measure,
                                                info->no_measure[0] == '\0' ? "" : "\n"),
                                      err);
    tr_free(kind);
    return status;
}

static tr_status print_remarks(tr_session *session, tr_error *err)
{
    TR_TRY(tr_print_notes(&session->checkpoint, tr_problems_path(session->config->problems), err));
    if (session->config->data.external_files)
        fprintf(stderr, "trainer: note: external_files = true: what the dataset's file names in "
                        "other files is read, too\n");
    TR_TRY(tr_print_lines("note", tr_model_wrong_kernels(session->model), err));
    TR_TRY(tr_print_lines("slow", tr_model_slow_paths(session->model), err));
    return tr_print_lines("warning", tr_model_warnings(session->model), err);
}

tr_status tr_session_build(tr_session *session, tr_error *err)
{
    TR_TRY(tr_model_build(session->model, err));
    return print_remarks(session, err);
}

tr_status tr_session_build_for_inference(tr_session *session, tr_error *err)
{
    TR_TRY(tr_model_build_for_inference(session->model, err));
    return print_remarks(session, err);
}

tr_status tr_session_need_dataset(const tr_session *session, const char *path, tr_error *err)
{
    if (strcmp(session->config->data.file, TR_NO_DATASET) != 0)
        return TR_OK;
    return tr_fail(
        err, TR_ERR_CONFIG,
        "%s: names no dataset, as files of Keras do not; give the dataset with --set "
        "data.file=FILE (and, where the network was trained on pixels from 0 to 1, --set "
        "data.scale=1/255)",
        path);
}

tr_status tr_session_opened(const tr_session *session, tr_status status, tr_error *err)
{
    const char *file = session->config->data.file;
    if (status != TR_ERR_DATA || access(file, F_OK) == 0 || errno != ENOENT)
        return status;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: no such file; data/fetch_mnist.sh makes data/mnist.h5, and `trainer "
                   "convert` makes a dataset from other formats",
                   file);
}

void tr_session_close(tr_session *session)
{
    tr_dataset_free(session->dataset);
    tr_model_free(session->model);
    tr_config_free(session->config);
    tr_checkpoint_info_release(&session->checkpoint);
}
