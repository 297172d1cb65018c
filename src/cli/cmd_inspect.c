/* cmd_inspect.c -- trainer inspect FILE.h5: what is in a dataset or checkpoint, and its pictures.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "class_names_table.h"
#include "command.h"
#include "dataset_legend.h"
#include "h5_sample.h"
#include "inspect_augmented.h"
#include "inspect_table.h"
#include "mem.h"
#include "picture.h"
#include "trainer/checkpoint.h"
#include "zip_file.h"

static const char doc[] =
    "List what is in an HDF5 file: datasets with type, shape, range and class counts; of a "
    "checkpoint its model, layers and weights, the optimizer's variables, the history, and whether "
    "the weights are those that were written. With --show, draw one sample instead; with "
    "--augmented, training images and what the first layers of a configuration make of them.\v"
    "A sample is drawn in true colour where the terminal says it can (COLORTERM), else in plain "
    "characters. Its label is from the dataset with y instead of x in its name.";

enum { MOST_ZOOM = 1000, MOST_AUGMENTED = 1000 };

typedef struct inspect_options {
    const char *path, *dataset, *png, *show, *zoom; /* as given; NULL: not */
    const char *augmented, *config_path;            /* likewise */
    bool digest, config, external;
    int64_t index; /* of --show, or how many of --augmented */
    int factor;    /* of --zoom; 0: not given */
} inspect_options;

enum { OPTION_CONFIG = 256 };

static const struct argp_option table[] = {
    {"digest", 'x', NULL, 0, "add a digest of each dataset: of its values, however they are packed",
     0},
    {"config", OPTION_CONFIG, NULL, 0, "of a checkpoint: print the configuration of its run, only",
     0},
    {"external-files", 'e', NULL, 0, "read what the file names in other files, too", 0},
    {"show", 's', "N", 0, "draw sample N, from 0", 0},
    {"dataset", 'd', "NAME", 0, "of this dataset (x_train)", 0},
    {"augmented", 'a', "N", 0,
     "draw the first N images of a training of -c FILE on this dataset, each as it is and as the "
     "first epochs see it",
     0},
    {"with", 'c', "FILE", 0, "that configuration", 0},
    {"png", 'p', "FILE", 0, "write that sample, or these, as a PNG, too", 0},
    {"zoom", 'z', "K", 0, "each of its pixels as K x K in the PNG (1)", 0},
    {0},
};

static int64_t parse_number(const char *option, const char *text, int64_t least, int64_t most,
                            struct argp_state *state)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most)
        argp_error(state, "%s %s: must be a whole number from %lld to %lld", option, text,
                   (long long)least, (long long)most);
    return value;
}

static void check_views(const inspect_options *options, const struct argp_state *state)
{
    const bool drawn = options->show != NULL || options->augmented != NULL;
    if (options->digest + options->config + (options->show != NULL) + (options->augmented != NULL) >
        1)
        argp_error(state, "--digest, --config, --show and --augmented are different views; give "
                          "one");
    if (options->show == NULL && options->dataset != NULL)
        argp_error(state, "--dataset: which sample? give its number with --show N");
    if (!drawn && options->png != NULL)
        argp_error(state, "--png: which sample? give its number with --show N, or how many with "
                          "--augmented N");
    if ((options->augmented == NULL) != (options->config_path == NULL))
        argp_error(state, options->augmented == NULL
                              ? "-c FILE: belongs to --augmented N (of a checkpoint, --config "
                                "prints its configuration)"
                              : "--augmented: with which layers? give the configuration with -c "
                                "FILE");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    inspect_options *options = state->input;
    switch (key) {
    case 'x':
        options->digest = true;
        return 0;
    case OPTION_CONFIG:
        options->config = true;
        return 0;
    case 'a':
        tr_option_once(&options->augmented, arg, "augmented", state);
        options->index = parse_number("--augmented", arg, 1, MOST_AUGMENTED, state);
        return 0;
    case 'c':
        tr_option_once(&options->config_path, arg, "with", state);
        return 0;
    case 'e':
        options->external = true;
        return 0;
    case 's':
        tr_option_once(&options->show, arg, "show", state);
        options->index = parse_number("--show", arg, 0, INT64_MAX, state);
        return 0;
    case 'd':
        tr_option_once(&options->dataset, arg, "dataset", state);
        return 0;
    case 'p':
        tr_option_once(&options->png, arg, "png", state);
        return 0;
    case 'z':
        tr_option_once(&options->zoom, arg, "zoom", state);
        options->factor = (int)parse_number("--zoom", arg, 1, MOST_ZOOM, state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "unexpected argument '%s'", arg);
        options->path = arg;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL)
            argp_error(state, "expected: FILE.h5");
        check_views(options, state);
        if (options->zoom != NULL && options->png == NULL)
            argp_error(state, "--zoom: enlarges the picture of --png FILE only");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static tr_h5_policy policy_of(const inspect_options *options)
{
    return options->external ? TR_H5_DATASET_WITH_EXTERNAL : TR_H5_DATASET;
}

/* Of a dataset or a checkpoint; where it cannot be read, that is said and nothing has a name. */
static tr_legend legend_of(const inspect_options *options, const char *labels)
{
    const tr_legend_place place = {.path = options->path,
                                   .policy = policy_of(options),
                                   .labels = {labels == NULL ? "y_train" : labels, "y_test"}};
    tr_legend legend = {0};
    tr_error err;
    tr_status status = tr_checkpoint_legend(&legend, options->path, &err);
    if (status == TR_OK && legend.n_classes == 0) {
        tr_legend_release(&legend);
        status = tr_dataset_legend_read(&legend, &place, &err);
    }
    if (status != TR_OK)
        fprintf(stderr, "trainer: note: %s\n", err.text);
    return legend;
}

/* ---- the list ---- */

static tr_status list(const inspect_options *options, tr_error *err)
{
    const char *path = options->path;
    const tr_h5_policy policy = policy_of(options);
    tr_inspection *found = NULL;
    tr_checkpoint_outline *outline = NULL;
    if (tr_is_zip(path))
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: is an archive, not HDF5: of a .keras file `trainer summary --checkpoint` "
            "shows the model and `trainer inspect --config` the configuration; of a .npz "
            "file `trainer convert npz` makes a dataset",
            path);
    tr_status status = tr_inspect(&found, path, policy, err);
    if (status == TR_OK && options->digest)
        status = tr_inspect_digests(found, path, policy, err);
    if (status == TR_OK)
        status = tr_checkpoint_outline_read(&outline, path, err);
    /* What could be read of a damaged file is worth seeing. */
    if (found != NULL)
        tr_inspect_print(stdout, path, found, outline);
    if (status == TR_OK) {
        tr_legend legend = legend_of(options, NULL);
        tr_print_class_names(stdout, &legend);
        tr_legend_release(&legend);
    }
    if (status == TR_OK && tr_checkpoint_outline_damaged(outline))
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: its weights are not those that were written (their digest is %s, "
                         "not %s); the file is damaged, take another copy",
                         path, outline->digest, outline->digest_stored);
    tr_checkpoint_outline_free(outline);
    tr_inspection_free(found);
    return status;
}

/* The text as it is, so that it can be a run's configuration again. */
static tr_status print_config(const char *path, tr_error *err)
{
    tr_checkpoint_info info = {0};
    TR_TRY(tr_checkpoint_describe(&info, path, err));
    fputs(info.config, stdout);
    const tr_status status = tr_print_notes(&info, path, err);
    tr_checkpoint_info_release(&info);
    return status;
}

/* ---- a sample ---- */

static void print_caption(const inspect_options *options, const tr_h5_sample *sample, double low,
                          double high)
{
    printf("%s: %s, sample %lld, %lld x %lld x %lld, ", options->path, options->dataset,
           (long long)options->index, (long long)sample->h, (long long)sample->w,
           (long long)sample->c);
    if (sample->has_label) {
        tr_legend legend = legend_of(options, sample->labels);
        const char *name = tr_legend_class(&legend, sample->label);
        printf("label %lld%s%s (%s), ", (long long)sample->label, name == NULL ? "" : " ",
               name == NULL ? "" : name, sample->labels);
        tr_legend_release(&legend);
    }
    printf("min %g, max %g%s\n", low, high,
           sample->c == 1 || sample->c == 3 ? "" : "; the first channel is drawn");
}

static tr_status draw(const inspect_options *options, const tr_h5_sample *sample, tr_image *image,
                      tr_error *err)
{
    double low, high;
    tr_picture_range(sample->values, sample->h * sample->w * sample->c, &low, &high);
    print_caption(options, sample, low, high);
    TR_TRY(tr_picture_from_values(image, sample->values, sample->h, sample->w, sample->c,
                                  sample->is_uint8 ? 0 : low, sample->is_uint8 ? 255 : high, err));
    TR_TRY(tr_print_picture(image, err));
    if (options->png == NULL)
        return TR_OK;
    TR_TRY(tr_picture_write_png(image, options->png, options->zoom == NULL ? 1 : options->factor,
                                err));
    printf("%s: written\n", options->png);
    return TR_OK;
}

static tr_status show(const inspect_options *options, tr_error *err)
{
    tr_h5_sample sample;
    tr_image image = {0};
    TR_TRY(tr_h5_sample_read(&sample, options->path, options->dataset, options->index,
                             policy_of(options), err));
    const tr_status status = draw(options, &sample, &image, err);
    tr_image_release(&image);
    tr_h5_sample_release(&sample);
    return status;
}

tr_status tr_command_inspect(int argc, char **argv)
{
    const struct argp argp = {.options = table, .parser = parse, .args_doc = "FILE.h5", .doc = doc};
    inspect_options options = {0};
    tr_error err = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return TR_ERR_INTERNAL;
    if (options.dataset == NULL)
        options.dataset = "x_train";
    const tr_status status =
        options.show != NULL ? show(&options, &err)
        : options.augmented != NULL
            ? tr_inspect_augmented(options.path, options.config_path, options.index, options.png,
                                   options.factor, &err)
        : options.config ? print_config(options.path, &err)
                         : list(&options, &err);
    return status == TR_OK ? TR_OK : tr_complain(status, &err);
}
