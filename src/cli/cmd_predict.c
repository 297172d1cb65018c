/* cmd_predict.c -- trainer predict: Keras's predict() on an array of images, or on pictures. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "mem.h"
#include "picture_read.h"
#include "predictions.h"
#include "trainer/checkpoint.h"

static const char doc[] =
    "Say what a network sees in images: the class and the probabilities of each.\v"
    "Images are the test set of the configuration, or an array of an HDF5 file (--input "
    "FILE.h5:DATASET), or picture files (--image, may be repeated) of the size that the network "
    "was trained for; a network of vectors takes the pixels in their order. Pixels are scaled as "
    "in training; a picture's are 0 to 255. Without --output "
    "the answer is printed: a line per picture, CSV for an array. A file of Keras does not say how "
    "pixels were scaled: where they were from 0 to 1, give --set data.scale=1/255.";

typedef struct predict_options {
    const char *input, *output;
    const char **images;
    size_t n_images;
} predict_options;

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
    case 'p':
        grown = tr_grown(options->images, options->n_images, sizeof *grown);
        if (grown == NULL)
            return ENOMEM;
        grown[options->n_images++] = arg;
        options->images = grown;
        return 0;
    case ARGP_KEY_END:
        if (options->input != NULL && options->n_images > 0)
            argp_error(state, "--input and --image both say what to predict; give one of them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option table[] = {
    {"input", 'i', "FILE.h5[:DATASET]", 0, "an array of images (x_test)", 0},
    {"image", 'p', "FILE", 0, "a picture: JPEG, PNG, GIF, BMP, PGM or PPM; may be repeated", 0},
    {"output", 'o', "FILE", 0, "write a .csv or .h5 file", 0},
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

/* A picture of the network's size. One that takes vectors takes the picture's pixels in their
 * order: grey, or red, green and blue of each, whichever makes its length. */
static tr_status read_picture(tr_image *out, const char *path, const tr_config *config,
                              tr_error *err)
{
    const int64_t *hwc = config->input_shape;
    tr_picture_rules rules = {.channels = config->input_flat ? 1 : (int)hwc[2]};
    TR_TRY(tr_picture_read(out, path, &rules, err));
    if (config->input_flat && 3 * out->h * out->w == hwc[2]) {
        tr_image_release(out);
        rules.channels = 3;
        TR_TRY(tr_picture_read(out, path, &rules, err));
    }
    const int64_t h = out->h, w = out->w;
    if (config->input_flat ? h * w * out->c == hwc[2] : h == hwc[0] && w == hwc[1])
        return TR_OK;
    tr_image_release(out);
    return config->input_flat
               ? tr_fail(err, TR_ERR_DATA,
                         "%s: is %lld x %lld pixels (height x width), the network takes vectors of "
                         "%lld: neither its grey pixels nor their three colours are as many",
                         path, (long long)h, (long long)w, (long long)hwc[2])
               : tr_fail(err, TR_ERR_DATA,
                         "%s: is %lld x %lld pixels (height x width), the network was trained "
                         "for %lld x %lld; scale or crop it to that size",
                         path, (long long)h, (long long)w, (long long)hwc[0], (long long)hwc[1]);
}

/* The pictures as one array [n, h, w, c]. */
static tr_status read_pictures(const predict_options *options, const tr_config *config,
                               tr_samples *out, tr_error *err)
{
    const int64_t *hwc = config->input_shape;
    const size_t bytes = (size_t)(hwc[0] * hwc[1] * hwc[2]);
    uint8_t *x = tr_alloc(options->n_images, bytes);
    if (x == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = TR_OK;
    for (size_t i = 0; i < options->n_images && status == TR_OK; i++) {
        const char *path = options->images[i];
        tr_image image;
        status = read_picture(&image, path, config, err);
        if (status != TR_OK)
            break;
        memcpy(x + i * bytes, image.pixels, bytes);
        if (image.transparent)
            fprintf(stderr, "trainer: note: %s: its transparent parts are taken as white\n", path);
        tr_image_release(&image);
    }
    *out = (tr_samples){.n = (int64_t)options->n_images,
                        .h = hwc[0],
                        .w = hwc[1],
                        .c = hwc[2],
                        .pixel = TR_PIXEL_U8,
                        .x = x};
    return status;
}

/* Borrowed from session->dataset, or with an array of its own (pictures). */
static tr_status find_images(tr_session *session, const predict_options *options,
                             tr_samples *samples, tr_error *err)
{
    const tr_config *config = session->config;
    if (options->n_images > 0)
        return read_pictures(options, config, samples, err);
    if (options->input != NULL)
        TR_TRY(open_array(&session->dataset, options->input, config, err));
    else
        TR_TRY(tr_session_opened(session,
                                 tr_dataset_open_images(&session->dataset, config->data.file,
                                                        config->data.x_test, config, err),
                                 err));
    *samples = *tr_dataset_test(session->dataset);
    return TR_OK;
}

/* ---- the command ---- */

static tr_status answer(const predict_options *options, const tr_predictions *predictions,
                        tr_error *err)
{
    if (options->output == NULL && options->n_images > 0)
        tr_predictions_print_lines(stdout, predictions);
    else if (options->output == NULL)
        tr_predictions_print_csv(stdout, predictions);
    else
        TR_TRY(tr_predictions_write(options->output, predictions, err));
    if (options->output != NULL)
        printf("%s: predictions for %lld images\n", options->output, (long long)predictions->n);
    return TR_OK;
}

static tr_status predict(tr_session *session, const char *checkpoint,
                         const predict_options *options, tr_error *err)
{
    tr_samples samples = {0};
    TR_TRY(tr_session_build_for_inference(session, err));
    TR_TRY(tr_checkpoint_read_weights(session->model, checkpoint, err));
    TR_TRY(tr_checkpoint_read_legend(session->model, checkpoint, err));
    tr_status status = find_images(session, options, &samples, err);
    float *values = NULL;
    if (status == TR_OK) {
        const size_t width = (size_t)tr_model_n_classes(session->model);
        values = tr_alloc((size_t)samples.n, width * sizeof *values);
        status = values == NULL
                     ? tr_out_of_memory(err, NULL)
                     : tr_predict(session->config, session->model, &samples, values, err);
    }
    const tr_predictions predictions = {.model = session->model,
                                        .values = values,
                                        .n = samples.n,
                                        .files = options->n_images > 0 ? options->images : NULL};
    if (status == TR_OK)
        status = answer(options, &predictions, err);
    tr_free(values);
    if (options->n_images > 0)
        tr_free((void *)samples.x);
    return status;
}

tr_status tr_command_predict(int argc, char **argv)
{
    const struct argp more = {.options = table, .parser = parse};
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
