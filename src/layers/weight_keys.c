/* weight_keys.c -- the tables of functions that a key of a weight may name; see weight_keys.h. */
#include "weight_keys.h"

#include <string.h>

#define N(rows) (sizeof(rows) / sizeof *(rows))

/* -1, as Keras's None: from the training's seed and the weight's place, so that no two weights are
 * alike. */
#define SEED                                                                                       \
    {                                                                                              \
        .name = "seed", .kind = TR_KEY_INT, .fallback = "-1", .min = -1, .max = 0x1p53,            \
        .doc = "of its own; -1: [fit] seed"                                                        \
    }

static const tr_key seed[] = {SEED};

static const char *const fans[] = {"fan_in", "fan_out", "fan_avg", NULL};
static const char *const distributions[] = {"truncated_normal", "untruncated_normal", "uniform",
                                            NULL};

static const tr_key variance_scaling[] = {
    {.name = "scale",
     .kind = TR_KEY_REAL,
     .fallback = "1",
     .max = 1e30,
     .above_min = true,
     .doc = "variance times fan"},
    {.name = "mode",
     .kind = TR_KEY_CHOICE,
     .fallback = "fan_in",
     .choices = fans,
     .doc = "inputs or outputs of an element, or their mean"},
    {.name = "distribution",
     .kind = TR_KEY_CHOICE,
     .fallback = "truncated_normal",
     .choices = distributions,
     .doc = "of the values"},
    SEED,
};

static const tr_key random_uniform[] = {
    {.name = "minval", .kind = TR_KEY_REAL, .fallback = "-0.05", .doc = "least value"},
    {.name = "maxval", .kind = TR_KEY_REAL, .fallback = "0.05", .doc = "largest value"},
    SEED,
};

static const tr_key normal[] = {
    {.name = "mean", .kind = TR_KEY_REAL, .fallback = "0", .doc = "of the values"},
    {.name = "stddev",
     .kind = TR_KEY_REAL,
     .fallback = "0.05",
     .max = 1e30,
     .doc = "standard deviation, before values are cut off"},
    SEED,
};

static const tr_key orthogonal[] = {
    {.name = "gain", .kind = TR_KEY_REAL, .fallback = "1", .doc = "factor"},
    SEED,
};

static const tr_key gain[] = {
    {.name = "gain", .kind = TR_KEY_REAL, .fallback = "1", .doc = "factor"},
};

static const tr_key constant[] = {
    {.name = "value", .kind = TR_KEY_REAL, .fallback = "0", .doc = "of every element"},
};

static const tr_key dirac[] = {
    {.name = "groups",
     .kind = TR_KEY_INT,
     .fallback = "1",
     .min = 1,
     .max = 65536,
     .doc = "of output channels, each of which takes the input channels in turn"},
};

const tr_callable tr_initializers[] = {
    [TR_INIT_GLOROT_UNIFORM] = {"glorot_uniform", NULL, seed, N(seed),
                                "uniform, variance 2 / (fan_in + fan_out)"},
    [TR_INIT_GLOROT_NORMAL] = {"glorot_normal", NULL, seed, N(seed),
                               "normal within two standard deviations, the same variance"},
    [TR_INIT_HE_UNIFORM] = {"he_uniform", NULL, seed, N(seed), "uniform, variance 2 / fan_in"},
    [TR_INIT_HE_NORMAL] = {"he_normal", NULL, seed, N(seed),
                           "normal within two standard deviations, the same variance"},
    [TR_INIT_LECUN_UNIFORM] = {"lecun_uniform", NULL, seed, N(seed),
                               "uniform, variance 1 / fan_in"},
    [TR_INIT_LECUN_NORMAL] = {"lecun_normal", NULL, seed, N(seed),
                              "normal within two standard deviations, the same variance"},
    [TR_INIT_VARIANCE_SCALING] = {"variance_scaling", NULL, variance_scaling, N(variance_scaling),
                                  "variance scale / fan"},
    [TR_INIT_RANDOM_UNIFORM] = {"random_uniform", NULL, random_uniform, N(random_uniform),
                                "uniform from minval to maxval"},
    [TR_INIT_RANDOM_NORMAL] = {"random_normal", NULL, normal, N(normal), "normal"},
    [TR_INIT_TRUNCATED_NORMAL] = {"truncated_normal", NULL, normal, N(normal),
                                  "normal within two standard deviations of the mean"},
    [TR_INIT_ORTHOGONAL] = {"orthogonal", NULL, orthogonal, N(orthogonal),
                            "a random matrix (all dimensions but the last, last) with orthonormal "
                            "columns, or rows where these are fewer"},
    [TR_INIT_ZEROS] = {"zeros", NULL, NULL, 0, "0"},
    [TR_INIT_ONES] = {"ones", NULL, NULL, 0, "1"},
    [TR_INIT_CONSTANT] = {"constant", NULL, constant, N(constant), "one value"},
    [TR_INIT_IDENTITY] = {"identity", NULL, gain, N(gain), "an identity matrix; of dense"},
    [TR_INIT_DIRAC] = {"dirac", "glorot_uniform", dirac, N(dirac),
                       "a convolution that passes its channels on; PyTorch's dirac_"},
    [TR_N_INITIALIZERS] = {0},
};

/* ---- do they fit? ---- */

static tr_status refuse(const tr_param *param, const char *what, tr_error *err)
{
    return tr_fail(err, TR_ERR_CONFIG, "%s_initializer = %s: %s", param->name,
                   tr_initializers[param->rules.initializer.function].name, what);
}

tr_status tr_weight_check(const tr_param *param, tr_error *err)
{
    const tr_call *call = &param->rules.initializer;
    switch ((tr_initializer)call->function) {
    case TR_INIT_ORTHOGONAL:
        return param->n_dims >= 2 ? TR_OK
                                  : refuse(param, "it needs two dimensions; use zeros", err);
    case TR_INIT_IDENTITY:
        return param->n_dims - param->n_hidden == 2
                   ? TR_OK
                   : refuse(param,
                            "it is a matrix, for the kernel of a dense layer; that "
                            "of a convolution takes dirac",
                            err);
    case TR_INIT_DIRAC:
        if (param->n_dims - param->n_hidden != 4)
            return refuse(param, "it is for the kernel of a convolution", err);
        return param->dims[3] % (int64_t)call->arguments[0] == 0
                   ? TR_OK
                   : refuse(param, "groups does not divide the output channels", err);
    case TR_INIT_RANDOM_UNIFORM:
        return call->arguments[0] <= call->arguments[1]
                   ? TR_OK
                   : refuse(param, "minval is larger than maxval", err);
    default:
        return TR_OK;
    }
}
