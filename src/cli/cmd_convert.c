/* cmd_convert.c -- trainer convert: datasets from other formats, and back. */
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "trainer/convert.h"

static const char doc[] =
    "Make an HDF5 dataset (x_train, y_train, x_test, y_test) from another format, or turn one "
    "back.\v"
    "idx, to-idx: the four files of MNIST and its relatives in FOLDER, read plain or .gz:\n"
    "  train-images-idx3-ubyte  train-labels-idx1-ubyte\n"
    "  t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte\n"
    "npz, to-npz: NumPy arrays of those names in one file, as Keras's mnist.npz.\n"
    "csv: tables as text, a class and then numbers in each line, as mnist_train.csv: vectors "
    "(input_shape = 784), or with --shape images. A head may name another column as label.\n"
    "What is written back may do without a test set.";

/* What is asked for. */
typedef struct request {
    const char *paths[4]; /* the format, its files, and the output behind them */
    unsigned n;
    const char *shape;
} request;

typedef struct conversion {
    const char *name;
    tr_status (*run)(const char *from, const char *to, tr_error *err);
} conversion;

static const conversion conversions[] = {
    {"idx", tr_convert_idx},
    {"to-idx", tr_convert_to_idx},
    {"npz", tr_convert_npz},
    {"to-npz", tr_convert_to_npz},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *asked = state->input;
    switch (key) {
    case 's':
        tr_option_once(&asked->shape, arg, "shape", state);
        return 0;
    case ARGP_KEY_ARG:
        if (asked->n == 4 || (asked->n == 3 && strcmp(asked->paths[0], "csv") != 0))
            argp_error(state, "unexpected argument '%s'", arg);
        else
            asked->paths[asked->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (asked->n < 3)
            argp_error(state, "expected: idx FOLDER OUT.h5, to-idx FILE.h5 FOLDER, npz FILE.npz "
                              "OUT.h5, to-npz FILE.h5 OUT.npz or csv TRAIN.csv [TEST.csv] OUT.h5");
        else if (asked->shape != NULL && strcmp(asked->paths[0], "csv") != 0)
            argp_error(state, "--shape is for csv alone: other formats say it");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option table[] = {
    {"shape", 's', "H,W[,C]", 0, "csv: samples are images, their numbers row by row", 0},
    {0},
};

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
    return tr_convert_csv(asked->paths[1], asked->n == 4 ? asked->paths[2] : NULL, shape, n,
                          asked->paths[asked->n - 1], err);
}

static tr_status convert(const request *asked, tr_error *err)
{
    const char *format = asked->paths[0], *out = asked->paths[asked->n - 1];
    for (unsigned i = 1; i + 1 < asked->n; i++)
        if (tr_file_same(asked->paths[i], out))
            return tr_fail(err, TR_ERR_CONFIG, "%s: is the input; give another output", out);
    if (strcmp(format, "csv") == 0)
        return convert_csv(asked, err);
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (strcmp(format, conversions[i].name) == 0)
            return conversions[i].run(asked->paths[1], out, err);
    return tr_fail(err, TR_ERR_CONFIG,
                   "convert %s: unknown format; allowed: idx, to-idx, npz, to-npz, csv", format);
}

tr_status tr_command_convert(int argc, char **argv)
{
    const struct argp argp = {.options = table,
                              .parser = parse,
                              .args_doc = "idx FOLDER OUT.h5\nto-idx FILE.h5 FOLDER\n"
                                          "npz FILE.npz OUT.h5\nto-npz FILE.h5 OUT.npz\n"
                                          "csv TRAIN.csv [TEST.csv] OUT.h5",
                              .doc = doc};
    request asked = {0};
    tr_error err = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &asked) != 0)
        return TR_ERR_INTERNAL;
    const tr_status status = convert(&asked, &err);
    if (status != TR_OK)
        return tr_complain(status, &err);
    printf("%s: written from %s\n", asked.paths[asked.n - 1], asked.paths[1]);
    return TR_OK;
}
