/* cmd_convert.c -- trainer convert: datasets from other formats, and back. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "file.h"

static const char doc[] =
    "Make an HDF5 dataset (x_train, y_train, x_test, y_test) from another format, or turn one "
    "back.\v"
    "idx, to-idx: the four files of MNIST and its relatives in FOLDER, read plain or .gz:\n"
    "  train-images-idx3-ubyte  train-labels-idx1-ubyte\n"
    "  t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte\n"
    "npz, to-npz: NumPy arrays of those names in one file, as Keras's mnist.npz.\n"
    "What is written back may do without a test set.";

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
    const char **args = state->input;
    if (key == ARGP_KEY_ARG) {
        if (state->arg_num >= 3)
            argp_error(state, "unexpected argument '%s'", arg);
        else
            args[state->arg_num] = arg;
        return 0;
    }
    if (key == ARGP_KEY_END && state->arg_num < 3)
        argp_error(state, "expected: idx FOLDER OUT.h5, to-idx FILE.h5 FOLDER, npz FILE.npz OUT.h5 "
                          "or to-npz FILE.h5 OUT.npz");
    return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

tr_status tr_command_convert(int argc, char **argv)
{
    const struct argp argp = {.parser = parse,
                              .args_doc = "idx FOLDER OUT.h5\nto-idx FILE.h5 FOLDER\n"
                                          "npz FILE.npz OUT.h5\nto-npz FILE.h5 OUT.npz",
                              .doc = doc};
    const char *args[3] = {0};
    tr_error err = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, args) != 0)
        return TR_ERR_INTERNAL;
    const conversion *chosen = NULL;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (strcmp(args[0], conversions[i].name) == 0)
            chosen = &conversions[i];
    tr_status status =
        chosen == NULL
            ? tr_fail(&err, TR_ERR_CONFIG,
                      "convert %s: unknown format; allowed: idx, to-idx, npz, to-npz", args[0])
        : tr_file_same(args[1], args[2])
            ? tr_fail(&err, TR_ERR_CONFIG, "%s: is the input; give another output", args[2])
            : chosen->run(args[1], args[2], &err);
    if (status != TR_OK)
        return tr_complain(status, &err);
    printf("%s: written from %s\n", args[2], args[1]);
    return TR_OK;
}
