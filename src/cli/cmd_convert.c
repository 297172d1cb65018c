/* cmd_convert.c -- trainer convert: datasets from other formats, and back. */
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "convert_images.h"
#include "file.h"
#include "trainer/convert.h"

static const char doc[] =
    "Make an HDF5 dataset (x_train, y_train, x_test, y_test) from another format, or turn one "
    "back.\v"
    "idx, to-idx: the four files of MNIST and its relatives in FOLDER, read plain or .gz:\n"
    "  train-images-idx3-ubyte  train-labels-idx1-ubyte\n"
    "  t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte\n"
    "EMNIST's, with emnist-letters- or the like before them, likewise; its pictures are turned "
    "upright.\n"
    "npz, to-npz: NumPy arrays of those names in one file, as Keras's mnist.npz; for others say "
    "which is which, as in --x_train train_images.\n"
    "csv: tables as text, a class and then numbers in each line, as mnist_train.csv: vectors "
    "(input_shape = 784), or with --shape images. A head may name another column as label.\n"
    "cifar10, cifar100: the binary version or the one for Python, the folder or the .tar.gz of it; "
    "nothing in its pickles is executed.\n"
    "images: pictures (JPEG, PNG, GIF, BMP, PGM, PPM) in a folder for each class, or in such "
    "folders "
    "within train, test and validation, or in a .tar or .zip of that; of a .tar also WebDataset's "
    "KEY.jpg with KEY.cls. They are turned as the camera says and become RGB of one "
    "size; what cannot be read is named and left out.\n"
    "h5: another HDF5 file, however packed, as one whose images can be streamed ([data] memory).\n"
    "What is written back may do without a test set.";

enum { MOST_PATHS = 3 };

/* What is asked for. */
typedef struct request {
    const struct format *format;
    const char *paths[MOST_PATHS]; /* inputs, and the output behind them */
    int n;
    const char *shape, *emnist;
    const char *names[TR_CONVERT_NAMES];
    bool coarse;
    tr_images_request images;
    char given[32]; /* letters of the options */
} request;

/* A row for each; `options`: those of the table below that it takes, by their letters. */
typedef struct format {
    const char *name, *paths; /* of its arguments, as help shows them */
    int least, most;          /* of them */
    const char *options;
    tr_status (*run)(const request *asked, tr_error *err);
} format;

static const char npz_options[] = "\1\2\3\4\5\6"; /* in the order of the arrays; no letters */

static const struct argp_option table[] = {
    {"shape", 's', "H,W[,C]", 0, "csv: samples are images, their numbers row by row", 0},
    {"emnist", 'e', "SET", 0, "idx: of EMNIST, such as letters, where FOLDER has several", 0},
    {"x_train", '\1', "ARRAY", 0, "npz: where it is, NAME or OTHER.npz:NAME or OTHER.npy", 0},
    {"y_train", '\2', "ARRAY", 0, "classes of x_train", 0},
    {"x_test", '\3', "ARRAY", 0, "the test set", 0},
    {"y_test", '\4', "ARRAY", 0, "its classes", 0},
    {"x_validation", '\5', "ARRAY", 0, "the validation set", 0},
    {"y_validation", '\6', "ARRAY", 0, "its classes", 0},
    {"coarse", 'c', NULL, 0, "cifar100: the 20 classes instead of the 100", 0},
    {"size", 'z', "HxW", 0, "images: height and width of each (what all have)", 0},
    {"fit", 'f', "HOW", 0,
     "of another shape: crop (the middle; default), pad (black beside it) or stretch", 0},
    {"gray", 'g', NULL, 0, "one channel instead of three", 0},
    {"test-split", 't', "SHARE", 0, "split this share off as the test set, such as 0.2", 0},
    {"split-seed", 'r', "N", 0, "by this random seed (0)", 0},
    {"stratify", 'y', NULL, 0, "and from each class the same share", 0},
    {"strict", 'x', NULL, 0, "end where a picture cannot be read", 0},
    {"threads", 'n', "N", 0, "processes that decode (the cores); the file is the same with any", 0},
    {0},
};

/* ---- formats ---- */

static const char *output_of(const request *asked)
{
    return asked->paths[asked->n - 1];
}

static tr_status convert_idx(const request *asked, tr_error *err)
{
    return tr_convert_idx(asked->paths[0], asked->emnist, output_of(asked), err);
}

static tr_status convert_to_idx(const request *asked, tr_error *err)
{
    return tr_convert_to_idx(asked->paths[0], output_of(asked), err);
}

static tr_status convert_npz(const request *asked, tr_error *err)
{
    bool named = false;
    for (int i = 0; i < TR_CONVERT_NAMES; i++)
        named = named || asked->names[i] != NULL;
    return tr_convert_npz(asked->paths[0], named ? asked->names : NULL, output_of(asked), err);
}

static tr_status convert_to_npz(const request *asked, tr_error *err)
{
    return tr_convert_to_npz(asked->paths[0], output_of(asked), err);
}

static tr_status convert_cifar10(const request *asked, tr_error *err)
{
    return tr_convert_cifar10(asked->paths[0], output_of(asked), err);
}

static tr_status convert_cifar100(const request *asked, tr_error *err)
{
    return tr_convert_cifar100(asked->paths[0], output_of(asked), asked->coarse, err);
}

/* "28,28": 0 numbers without it, -1 where they are none. */
static int parse_shape(const char *text, int64_t shape[TR_CSV_SHAPE])
{
    int n = 0;
    for (const char *rest = text; rest != NULL && *rest != '\0';) {
        char *end;
        const long side = isdigit((unsigned char)*rest) ? strtol(rest, &end, 10) : 0;
        if (n == TR_CSV_SHAPE || side < 1 || side > 65536 || (*end != ',' && *end != '\0'))
            return -1;
        shape[n++] = side;
        rest = *end == ',' ? end + 1 : end;
        if (*end == ',' && *rest == '\0')
            return -1;
    }
    return text == NULL ? 0 : n < 2 ? -1 : n;
}

static tr_status convert_csv(const request *asked, tr_error *err)
{
    int64_t shape[TR_CSV_SHAPE];
    const int n = parse_shape(asked->shape, shape);
    if (n < 0)
        return tr_fail(err, TR_ERR_CONFIG,
                       "--shape %s: must be height, width and perhaps channels, such as 28,28 or "
                       "32,32,3",
                       asked->shape);
    return tr_convert_csv(asked->paths[0], asked->n == 3 ? asked->paths[1] : NULL, shape, n,
                          output_of(asked), err);
}

static tr_status convert_images(const request *asked, tr_error *err)
{
    return tr_images_convert(&asked->images, asked->paths[0], output_of(asked), err);
}

static tr_status convert_h5(const request *asked, tr_error *err)
{
    return tr_convert_h5(asked->paths[0], output_of(asked), err);
}

static const format formats[] = {
    {"images", "FOLDER|ARCHIVE OUT.h5", 2, 2, "zfgtryxn", convert_images},
    {"idx", "FOLDER OUT.h5", 2, 2, "e", convert_idx},
    {"to-idx", "FILE.h5 FOLDER", 2, 2, "", convert_to_idx},
    {"npz", "FILE.npz OUT.h5", 2, 2, npz_options, convert_npz},
    {"to-npz", "FILE.h5 OUT.npz", 2, 2, "", convert_to_npz},
    {"h5", "FILE.h5 OUT.h5", 2, 2, "", convert_h5},
    {"csv", "TRAIN.csv [TEST.csv] OUT.h5", 2, 3, "s", convert_csv},
    {"cifar10", "FOLDER|ARCHIVE OUT.h5", 2, 2, "", convert_cifar10},
    {"cifar100", "FOLDER|ARCHIVE OUT.h5", 2, 2, "c", convert_cifar100},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

/* ---- the command line ---- */

/* "idx FOLDER OUT.h5", ...: each behind `before`. */
static const char *list_formats(char *text, size_t n, const char *before)
{
    size_t used = 0;
    for (int i = 0; i < N_FORMATS && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s%s %s", i == 0 ? "" : before,
                                 formats[i].name, formats[i].paths);
    return text;
}

static void choose_format(request *asked, const char *name, struct argp_state *state)
{
    char list[1024];
    for (int i = 0; i < N_FORMATS; i++)
        if (strcmp(name, formats[i].name) == 0)
            asked->format = &formats[i];
    if (asked->format == NULL)
        argp_error(state, "unknown format '%s'; expected: %s", name,
                   list_formats(list, sizeof list, ", "));
}

static const char *option_name(int key)
{
    int i = 0;
    while (table[i].key != key)
        i++;
    return table[i].name;
}

/* The formats that take an option. */
static const char *list_takers(int key, char *text, size_t n)
{
    size_t used = 0;
    for (int i = 0; i < N_FORMATS && used < n; i++)
        if (strchr(formats[i].options, key) != NULL)
            used += (size_t)snprintf(text + used, n - used, "%s%s", used > 0 ? ", " : "",
                                     formats[i].name);
    return text;
}

/* Options may stand before the format, so they are looked at in the end. */
static void check_request(const request *asked, struct argp_state *state)
{
    char list[1024];
    if (asked->format == NULL)
        argp_error(state, "expected: %s", list_formats(list, sizeof list, ", "));
    else if (asked->n < asked->format->least)
        argp_error(state, "expected: %s %s", asked->format->name, asked->format->paths);
    for (const char *key = asked->given; asked->format != NULL && *key != '\0'; key++)
        if (strchr(asked->format->options, *key) == NULL)
            argp_error(state, "--%s is for %s, not for %s", option_name(*key),
                       list_takers(*key, list, sizeof list), asked->format->name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *asked = state->input;
    const bool option = key > 0 && key < 128;
    const char *array = option ? strchr(npz_options, key) : NULL;
    if (option && strchr(asked->given, key) == NULL)
        asked->given[strlen(asked->given)] = (char)key;
    if (array != NULL) {
        tr_option_once(&asked->names[array - npz_options], arg, option_name(key), state);
        return 0;
    }
    switch (key) {
    case 's':
        tr_option_once(&asked->shape, arg, "shape", state);
        return 0;
    case 'e':
        tr_option_once(&asked->emnist, arg, "emnist", state);
        return 0;
    case 'c':
        asked->coarse = true;
        return 0;
    case 'z':
        tr_option_once(&asked->images.size, arg, "size", state);
        return 0;
    case 'f':
        tr_option_once(&asked->images.fit, arg, "fit", state);
        return 0;
    case 't':
        tr_option_once(&asked->images.test_split, arg, "test-split", state);
        return 0;
    case 'r':
        tr_option_once(&asked->images.split_seed, arg, "split-seed", state);
        return 0;
    case 'n':
        tr_option_once(&asked->images.threads, arg, "threads", state);
        return 0;
    case 'g':
        asked->images.grey = true;
        return 0;
    case 'y':
        asked->images.stratify = true;
        return 0;
    case 'x':
        asked->images.strict = true;
        return 0;
    case ARGP_KEY_ARG:
        if (asked->format == NULL)
            choose_format(asked, arg, state);
        else if (asked->n == asked->format->most)
            argp_error(state, "unexpected argument '%s'", arg);
        else
            asked->paths[asked->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        check_request(asked, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static tr_status convert(const request *asked, tr_error *err)
{
    for (int i = 0; i + 1 < asked->n; i++)
        if (tr_file_same(asked->paths[i], output_of(asked)))
            return tr_fail(err, TR_ERR_CONFIG, "%s: is the input; give another output",
                           output_of(asked));
    return asked->format->run(asked, err);
}

tr_status tr_command_convert(int argc, char **argv)
{
    char args[1024];
    const struct argp argp = {.options = table,
                              .parser = parse,
                              .args_doc = list_formats(args, sizeof args, "\n"),
                              .doc = doc};
    request asked = {0};
    tr_error err = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &asked) != 0)
        return TR_ERR_INTERNAL;
    const tr_status status = convert(&asked, &err);
    if (status != TR_OK)
        return tr_complain(status, &err);
    if (strcmp(asked.format->name, "images") != 0) /* which says more */
        printf("%s: written from %s\n", output_of(&asked), asked.paths[0]);
    return TR_OK;
}
