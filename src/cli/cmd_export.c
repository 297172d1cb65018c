/* cmd_export.c -- trainer export: a checkpoint as a file for Keras. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint_read.h"
#include "command.h"
#include "export.h"
#include "file.h"
#include "keras_limits.h"
#include "mem.h"

static const char doc[] =
    "Write a checkpoint as a file for Keras.\v"
    "weights.h5: for model.load_weights(): weights, and the optimizer's state where the checkpoint "
    "has it.\n"
    "keras: for keras.models.load_model(): the model, too; with the optimizer's state, fit() goes "
    "on where the run stood.\n"
    "keras2: the same for Keras 2 (2.11 to 2.15, tf_keras), as a .h5 file.\n"
    "The checkpoint itself (.h5) is what load_model() reads to predict, evaluate and train anew.";

typedef struct export_options {
    const char *format, *output;
} export_options;

typedef struct export_format {
    const char *name, *suffix; /* of the file, unless another is given */
    const char *ending;        /* by which Keras knows what it is */
    tr_status (*write)(const tr_snapshot *snapshot, const tr_keras_source *source, const char *path,
                       tr_error *err);
    char *(*limits)(const tr_model *model, bool state); /* keras_limits.h */
    bool has_model;
} export_format;

/* Such a file has nothing of the source but the weights. */
static tr_status write_weights(const tr_snapshot *snapshot, const tr_keras_source *source,
                               const char *path, tr_error *err)
{
    (void)source;
    return tr_export_weights(snapshot, path, err);
}

static const export_format formats[] = {
    {"weights.h5", ".weights.h5", ".weights.h5", write_weights, tr_keras3_limits, false},
    {"keras", ".keras", ".keras", tr_export_keras, tr_keras3_limits, true},
    {"keras2", ".keras2.h5", ".h5", tr_export_keras2, tr_keras2_limits, true},
    {NULL, NULL, NULL, NULL, NULL, false},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    export_options *options = state->input;
    switch (key) {
    case 'f':
        tr_option_once(&options->format, arg, "format", state);
        return 0;
    case 'o':
        tr_option_once(&options->output, arg, "output", state);
        return 0;
    case ARGP_KEY_END:
        if (options->format == NULL)
            argp_error(state, "no format: give one with --format keras, keras2 or weights.h5");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option table[] = {
    {"format", 'f', "FORMAT", 0, "keras, keras2 or weights.h5", 0},
    {"output", 'o', "FILE", 0, "where to; without: the checkpoint's name with the new suffix", 0},
    {0},
};

static const export_format *find_format(const char *name)
{
    for (const export_format *format = formats; format->name != NULL; format++)
        if (strcmp(name, format->name) == 0)
            return format;
    return NULL;
}

/* "runs/last.h5" -> "runs/last.keras" */
static char *default_output(const char *checkpoint, const char *suffix)
{
    static const char *const suffixes[] = {".weights.h5", ".keras2.h5", ".h5", ".keras"};
    const size_t n = strlen(checkpoint);
    size_t n_suffix = 0;
    for (size_t i = 0; n_suffix == 0 && i < sizeof suffixes / sizeof *suffixes; i++)
        if (tr_ends_in(checkpoint, suffixes[i]) && strlen(suffixes[i]) < n)
            n_suffix = strlen(suffixes[i]);
    return tr_format("%.*s%s", (int)(n - n_suffix), checkpoint, suffix);
}

/* Found before anything is read. */
static tr_status check(const export_options *options, const char *checkpoint, const char *output,
                       tr_error *err)
{
    if (tr_file_same(checkpoint, output))
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: is the checkpoint itself; give another file with --output", output);
    /* Keras chooses by the name how to read a file. */
    const char *suffix = find_format(options->format)->ending;
    if (!tr_ends_in(output, suffix) || strlen(output) == strlen(suffix))
        return tr_fail(err, TR_ERR_CONFIG,
                       "--output %s: must end in %s, by which Keras knows what it is", output,
                       suffix);
    return TR_OK;
}

static bool sets(const tr_options *common, const char *key)
{
    const size_t n = strlen(key);
    for (size_t i = 0; i < common->n_overrides; i++)
        if (strncmp(common->overrides[i], key, n) == 0 && common->overrides[i][n] == '=')
            return true;
    return false;
}

/* What the model was made from, where that is a file of Keras; what is left out is said. */
static tr_status find_source(tr_keras_source *source, const tr_session *session,
                             const tr_options *common, const char *output, bool has_model,
                             tr_error *err)
{
    const tr_checkpoint_info *info = &session->checkpoint;
    *source = (tr_keras_source){"", true};
    if (info->config == NULL || info->of_trainer || !has_model)
        return TR_OK;
    *source = (tr_keras_source){info->carried,
                                (info->own_loss || sets(common, "compile.loss")) &&
                                    (info->own_optimizer || sets(common, "compile.optimizer"))};
    TR_TRY(tr_print_notes(info, common->checkpoint, err));
    if (!source->compiled)
        fprintf(stderr,
                "trainer: note: %s: is written without loss, optimizer and metrics: call compile() "
                "before evaluate() and fit() (or give what is missing here: --set "
                "compile.loss=NAME, --set compile.optimizer=NAME)\n",
                output);
    return TR_OK;
}

static tr_status print_limits(const export_format *format, const tr_model *model,
                              const char *output, bool state, tr_error *err)
{
    char *kind = tr_format("note: %s", output);
    const tr_status status = kind == NULL ? tr_out_of_memory(err, NULL)
                                          : tr_print_lines(kind, format->limits(model, state), err);
    tr_free(kind);
    return status;
}

static tr_status export_to(tr_session *session, const export_format *format,
                           const tr_options *common, const char *output, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    tr_keras_source source;
    const char *checkpoint = common->checkpoint;
    TR_TRY(tr_model_build(session->model, err));
    TR_TRY(find_source(&source, session, common, output, format->has_model, err));
    if (format->write == tr_export_keras2 && tr_keras2_lacks(session->model, false) != NULL)
        source.compiled = false;
    TR_TRY(
        tr_checkpoint_read(&snapshot, session->model, checkpoint, TR_READ_STATE_IF_IT_FITS, err));
    const bool has_state = source.compiled && tr_snapshot_has_state(snapshot);
    tr_status status = format->write(snapshot, &source, output, err);
    tr_snapshot_free(snapshot);
    if (status == TR_OK)
        status = print_limits(format, session->model, output, has_state, err);
    if (status == TR_OK)
        printf("%s: written from %s, %s\n", output, checkpoint,
               has_state ? "with the optimizer's state" : "without the optimizer's state");
    return status;
}

static tr_status run(const tr_options *common, const export_options *options, tr_error *err)
{
    const export_format *format = find_format(options->format);
    if (format == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "--format %s: unknown format; allowed: keras, keras2, weights.h5",
                       options->format);
    char *output = options->output != NULL ? tr_strdup(options->output)
                                           : default_output(common->checkpoint, format->suffix);
    if (output == NULL)
        return tr_out_of_memory(err, NULL);
    tr_session session = {0};
    tr_status status = check(options, common->checkpoint, output, err);
    if (status == TR_OK)
        status = tr_session_load(&session, common, err);
    if (status == TR_OK)
        status = export_to(&session, format, common, output, err);
    tr_session_close(&session);
    tr_free(output);
    return status;
}

tr_status tr_command_export(int argc, char **argv)
{
    const struct argp own = {.options = table, .parser = parse};
    tr_options common;
    export_options options = {0};
    tr_error err = {0};
    TR_TRY(tr_options_parse_more(&common, argc, argv, doc, 1, &own, &options));
    const tr_status status = run(&common, &options, &err);
    tr_options_release(&common);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
