/* cmd_convert.c -- trainer convert idx FOLDER OUT.h5: datasets from other formats. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static const char doc[] =
    "Make an HDF5 dataset (x_train, y_train, x_test, y_test) from another format.\v"
    "idx: the four files of MNIST and its relatives, plain or .gz, in FOLDER:\n"
    "  train-images-idx3-ubyte  train-labels-idx1-ubyte\n"
    "  t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte";

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
        argp_error(state, "expected: idx FOLDER OUT.h5");
    return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

tr_status tr_command_convert(int argc, char **argv)
{
    const struct argp argp = {.parser = parse, .args_doc = "idx FOLDER OUT.h5", .doc = doc};
    const char *args[3] = {0};
    tr_error err = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, args) != 0)
        return TR_ERR_INTERNAL;
    if (strcmp(args[0], "idx") != 0) {
        const tr_status unknown =
            tr_fail(&err, TR_ERR_CONFIG, "convert %s: unknown format; allowed: idx", args[0]);
        return tr_complain(unknown, &err);
    }
    const tr_status status = tr_convert_idx(args[1], args[2], &err);
    if (status != TR_OK)
        return tr_complain(status, &err);
    printf("%s: written from %s\n", args[2], args[1]);
    return TR_OK;
}
