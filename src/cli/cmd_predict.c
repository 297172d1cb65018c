/* cmd_predict.c -- trainer predict: Keras's predict() on an array of images, or on pictures. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "mem.h"
#include "predict_pictures.h"
#include "predictions.h"
#include "trainer/checkpoint.h"

static const char doc[] =
    "Say what a network sees in pictures, or in an array of images: the class and the "
    "probabilities of each.\v"
    "Pictures of any size are brought to the network's as those of its dataset were (`trainer "
    "convert images`; the checkpoint says how). Of a folder all pictures are taken, in folders "
    "below it, too; where these have the names of classes, it is also said how many were told "
    "right. Without pictures: the test set of the configuration, or an array of an HDF5 file "
    "(--input FILE.h5:DATASET). A network of vectors takes the pixels in their order. Pixels are "
    "scaled as in training; a picture's are 0 to 255. Without --output the answer is printed: a "
    "line per picture, CSV for an array. A file of Keras does not say how pixels were scaled: "
    "where they were from 0 to 1, give --set data.scale=1/255.";

typedef struct predict_options {
    const char *input, *output, *fit;
    const char **images; /* pictures and folders */
    size_t n_images;
    int top; /* 0: not given */
} predict_options;

static int parse_top(const char *text, struct argp_state *state)
{
    enum { MOST = 1000000 };
    char *end;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MOST)
        argp_error(state, "--top %s: must be a whole number from 1 to %d", text, MOST);
    return (int)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    predict_options *options = state->input;
    const char **grown;
    switch (key) {
    case 'i':
        tr_option_once(&options->input, arg, "input", state);
        return 0;
    case 'o':
        tr_option_once(&options->output, arg, "output", state);
        return 0;
    case 'f':
        tr_option_once(&options->fit, arg, "fit", state);
        return 0;
    case 'n':
        options->top = parse_top(arg, state);
        return 0;
    case 'p':
    case ARGP_KEY_ARG:
        grown = tr_grown(options->images, options->n_images, sizeof *grown);
        if (grown == NULL)
            return ENOMEM;
        grown[options->n_images++] = arg;
        options->images = grown;
        return 0;
    case ARGP_KEY_END:
        if (options->input != NULL && options->n_images > 0)
            argp_error(state, "--input and pictures both say what to predict; give one of them");
        if (options->fit != NULL && options->n_images == 0)
            argp_error(state, "--fit: says how pictures come to their size, and there are none");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option table[] = {
    {"input", 'i', "FILE.h5[:DATASET]", 0, "an array of images (x_test)", 0},
    {"image", 'p', "FILE", 0, "the same as FILE alone: a picture, JPEG, PNG, GIF, BMP, PGM or PPM",
     0},
    {"top", 'n', "K", 0, "the K likeliest classes of each, in place of all", 0},
    {"fit", 'f', "crop|pad|stretch", 0,
     "how pictures of another shape come to the network's, in place of what the checkpoint says",
     0},
    {"output", 'o', "FILE", 0, "write a .csv, .json or .h5 file", 0},
    {0},
};

/* ---- what to predict ---- */

/* "FILE.h5:DATASET"; without a dataset, x_test. */
static tr_status open_array(tr_dataset **out, const char *input, const tr_config *config,
                            tr_error *err)
{
    const char *colon = strrchr(input, ':');
    const bool named = colon != NULL && colon != input && colon[1] != '\0';
    char *path = tr_format("%.*s", named ? (int)(colon - input) : (int)strlen(input), input);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status =
        tr_dataset_open_images(out, path, named ? colon + 1 : "x_test", config, err);
    tr_free(path);
    return status;
}

/* Borrowed from session->dataset. */
static tr_status find_images(tr_session *session, const predict_options *options,
                             const tr_samples **samples, tr_error *err)
{
    const tr_config *config = session->config;
    if (options->input != NULL)
        TR_TRY(open_array(&session->dataset, options->input, config, err));
    else
        TR_TRY(tr_session_opened(session,
                                 tr_dataset_open_images(&session->dataset, config->data.file,
                                                        config->data.x_test, config, err),
                                 err));
    *samples = tr_dataset_test(session->dataset);
    return TR_OK;
}

static tr_status predict_array(tr_session *session, const predict_options *options,
                               tr_prediction_file *file, int64_t *n, tr_error *err)
{
    const tr_samples *samples = NULL;
    TR_TRY(find_images(session, options, &samples, err));
    const size_t width = (size_t)tr_model_n_classes(session->model);
    float *values = tr_alloc((size_t)samples->n, width * sizeof *values);
    tr_status status = values == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_predict(session->config, session->model, samples, values, err);
    const tr_predictions predictions = {
        .model = session->model, .values = values, .n = samples->n, .top = options->top};
    if (status == TR_OK && file == NULL)
        tr_predictions_print_csv(stdout, &predictions);
    else if (status == TR_OK)
        status = tr_prediction_file_add(file, &predictions, err);
    *n = samples->n;
    tr_free(values);
    return status;
}

/* ---- the command ---- */

/* --top K of what has so many. */
static tr_status check_top(const tr_session *session, const predict_options *options, tr_error *err)
{
    if (options->top == 0)
        return TR_OK;
    if (!tr_model_predicts_classes(session->model))
        return tr_fail(err, TR_ERR_CONFIG,
                       "--top %d: the network does not tell classes apart; leave it out",
                       options->top);
    if (options->output != NULL &&
        (tr_ends_in(options->output, ".h5") || tr_ends_in(options->output, ".hdf5")))
        return tr_fail(err, TR_ERR_CONFIG,
                       "--top %d: an HDF5 file has the outputs of all classes; leave it out",
                       options->top);
    return TR_OK;
}

/* What was predicted is put in place also where some pictures could not be read. */
static tr_status predict_into(tr_session *session, const predict_options *options,
                              tr_prediction_file *file, tr_error *err)
{
    const tr_picture_request request = {
        .paths = options->images, .n = options->n_images, .fit = options->fit, .top = options->top};
    int64_t n = 0;
    const tr_status status = options->n_images > 0
                                 ? tr_predict_pictures(session, &request, file, &n, err)
                                 : predict_array(session, options, file, &n, err);
    if (file == NULL || n == 0 || (status != TR_OK && status != TR_ERR_DATA))
        return status;
    tr_error lost;
    const tr_status put = tr_prediction_file_put(file, status == TR_OK ? err : &lost);
    if (put != TR_OK)
        return status == TR_OK ? put : tr_fail(err, put, "%.8000s", lost.text);
    printf("%s: predictions for %lld images\n", options->output, (long long)n);
    return status;
}

static tr_status predict(tr_session *session, const char *checkpoint,
                         const predict_options *options, tr_error *err)
{
    tr_prediction_file *file = NULL;
    TR_TRY(tr_session_build_for_inference(session, err));
    TR_TRY(tr_checkpoint_read_weights(session->model, checkpoint, err));
    TR_TRY(tr_checkpoint_read_legend(session->model, checkpoint, err));
    TR_TRY(check_top(session, options, err));
    if (options->output != NULL)
        TR_TRY(tr_prediction_file_open(&file, options->output, err));
    const tr_status status = predict_into(session, options, file, err);
    tr_prediction_file_free(file);
    return status;
}

tr_status tr_command_predict(int argc, char **argv)
{
    const struct argp more = {.options = table, .parser = parse, .args_doc = "[PICTURE|FOLDER]..."};
    predict_options predicting = {0};
    tr_options options;
    tr_session session = {0};
    tr_error err = {0};
    TR_TRY(
        tr_options_parse_more(&options, argc, argv, doc, TR_TAKES_CHECKPOINT, &more, &predicting));
    tr_status status = tr_session_load(&session, &options, &err);
    if (status == TR_OK && predicting.input == NULL && predicting.n_images == 0)
        status = tr_session_need_dataset(&session, options.checkpoint, &err);
    if (status == TR_OK)
        status = predict(&session, options.checkpoint, &predicting, &err);
    tr_session_close(&session);
    tr_options_release(&options);
    tr_free(predicting.images);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
