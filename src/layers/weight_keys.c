/* weight_keys.c -- the tables of functions that a key of a weight may name; see weight_keys.h. */
#include "weight_keys.h"

#include <string.h>

#define N(rows) (sizeof(rows) / sizeof *(rows))

/* ---- initializers ---- */

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

static const char *const dirac_rests[] = {"zeros", "uniform", NULL}; /* no, yes */

static const tr_key dirac[] = {
    {.name = "groups",
     .kind = TR_KEY_INT,
     .fallback = "1",
     .min = 1,
     .max = 65536,
     .doc = "of output channels, each of which takes the input channels in turn"},
    {.name = "rest",
     .kind = TR_KEY_CHOICE,
     .fallback = "zeros",
     .choices = dirac_rests,
     .doc = "of output channels that have none to pass on: zeros, as dirac_; uniform: PyTorch's "
            "kernels of convolutions, variance 1 / (3 fan_in), as in airbench"},
};

static const tr_key whitening[] = {
    {.name = "eps",
     .kind = TR_KEY_REAL,
     .fallback = "0.0005",
     .max = 1e30,
     .doc = "added to the variance of each direction"},
    {.name = "images",
     .kind = TR_KEY_INT,
     .fallback = "5000",
     .min = 1,
     .max = 0x1p31,
     .doc = "of the training samples, from the first on"},
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
    [TR_INIT_WHITENING] = {"whitening", "glorot_uniform", whitening, N(whitening),
                           "windows of the training samples get uncorrelated results: their "
                           "principal directions, and those negated; as in airbench"},
    [TR_N_INITIALIZERS] = {0},
};

/* ---- regularizers ---- */

#define FACTOR(key, usual)                                                                         \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REAL, .fallback = usual, .max = 1e30, .doc = "factor"          \
    }

static const tr_key l1[] = {FACTOR("l1", "0.01")};
static const tr_key l2[] = {FACTOR("l2", "0.01")};
static const tr_key l1_l2[] = {FACTOR("l1", "0"), FACTOR("l2", "0")};

const tr_callable tr_regularizers[] = {
    [TR_REGULARIZER_NONE] = {"none", NULL, NULL, 0, "no penalty"},
    [TR_REGULARIZER_L1] = {"l1", NULL, l1, N(l1), "l1 times the sum of |w|"},
    [TR_REGULARIZER_L2] = {"l2", NULL, l2, N(l2), "l2 times the sum of w^2"},
    [TR_REGULARIZER_L1_L2] = {"l1_l2", NULL, l1_l2, N(l1_l2), "both"},
    [TR_N_REGULARIZERS] = {0},
};

tr_penalty tr_regularizer_penalty(const tr_call *regularizer)
{
    const double *a = regularizer->arguments;
    switch ((tr_regularizer)regularizer->function) {
    case TR_REGULARIZER_L1:
        return (tr_penalty){.l1 = (float)a[0]};
    case TR_REGULARIZER_L2:
        return (tr_penalty){.l2 = (float)a[0]};
    case TR_REGULARIZER_L1_L2:
        return (tr_penalty){.l1 = (float)a[0], .l2 = (float)a[1]};
    case TR_REGULARIZER_NONE:
    case TR_N_REGULARIZERS:
        break;
    }
    return (tr_penalty){0};
}

/* ---- constraints ---- */

static const char *const axes[] = {"0", "1", "2", "3", "-1", "-2", "-3", "-4", NULL};

#define AXIS                                                                                       \
    {                                                                                              \
        .name = "axis", .kind = TR_KEY_CHOICES, .fallback = "0", .choices = axes,                  \
        .doc = "dimensions that a norm is over: 0 of a dense kernel, [0, 1, 2] of a convolution's" \
    }
#define NORM(key, usual, what)                                                                     \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REAL, .fallback = usual, .max = 1e30, .doc = what              \
    }

static const tr_key max_norm[] = {NORM("max_value", "2", "largest norm"), AXIS};
static const tr_key unit_norm[] = {AXIS};
static const tr_key min_max_norm[] = {
    NORM("min_value", "0", "least norm"),
    NORM("max_value", "1", "largest norm"),
    {.name = "rate", .kind = TR_KEY_REAL, .fallback = "1", .max = 1, .doc = "part of the way"},
    AXIS,
};

const tr_callable tr_constraint_functions[] = {
    [TR_CONSTRAINT_NONE] = {"none", NULL, NULL, 0, "free"},
    [TR_CONSTRAINT_MAX_NORM] = {"max_norm", NULL, max_norm, N(max_norm), "norms of at most that"},
    [TR_CONSTRAINT_UNIT_NORM] = {"unit_norm", NULL, unit_norm, N(unit_norm), "norms of 1"},
    [TR_CONSTRAINT_MIN_MAX_NORM] = {"min_max_norm", NULL, min_max_norm, N(min_max_norm),
                                    "norms between two values"},
    [TR_CONSTRAINT_NON_NEG] = {"non_neg", NULL, NULL, 0, "no element below 0"},
    [TR_N_CONSTRAINTS] = {0},
};

unsigned tr_constraint_axes(const tr_param *param)
{
    const tr_call *constraint = &param->rules.constraint;
    const int n_dims = param->n_dims - param->n_hidden; /* Keras's */
    const tr_callable *function = &tr_constraint_functions[constraint->function];
    unsigned found = 0;
    for (size_t i = 0; i < function->n_arguments; i++) {
        const unsigned given = (unsigned)constraint->arguments[i];
        for (int k = 0; function->arguments[i].choices == axes && axes[k] != NULL; k++) {
            const int axis = k < 4 ? k : n_dims + 3 - k; /* -1 is row 4 */
            if ((given & 1u << k) == 0)
                continue;
            if (axis < 0 || axis >= n_dims)
                return 0;
            found |= 1u << (axis + param->n_hidden);
        }
    }
    return found;
}

/* ---- do they fit? ---- */

static tr_status refuse(const tr_param *param, const char *what, tr_error *err)
{
    return tr_fail(err, TR_ERR_CONFIG, "initializer %s of %s: %s",
                   tr_initializers[param->rules.initializer.function].name, param->name, what);
}

static tr_status check_constraint(const tr_param *param, tr_error *err)
{
    const tr_call *call = &param->rules.constraint;
    const tr_constraint kind = (tr_constraint)call->function;
    if (kind == TR_CONSTRAINT_MIN_MAX_NORM && call->arguments[0] > call->arguments[1])
        return tr_fail(err, TR_ERR_CONFIG,
                       "constraint min_max_norm of %s: min_value is larger than max_value",
                       param->name);
    if (kind == TR_CONSTRAINT_NONE || kind == TR_CONSTRAINT_NON_NEG ||
        tr_constraint_axes(param) != 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "constraint %s of %s: axis names a dimension that a weight of %d does not have",
                   tr_constraint_functions[kind].name, param->name,
                   param->n_dims - param->n_hidden);
}

/* A direction and its opposite for each pair of filters, and no more directions than there are. */
static tr_status check_whitening(const tr_param *param, int64_t channels, tr_error *err)
{
    const int64_t *dims = param->dims, window = dims[0] * dims[1] * dims[2];
    if (param->n_dims - param->n_hidden != 4 || param->depthwise || param->transposed)
        return refuse(param, "it is for the kernel of conv2d", err);
    if (dims[2] != channels)
        return refuse(param, "it takes all channels; remove groups", err);
    if (dims[3] % 2 != 0 || dims[3] > 2 * window)
        return refuse(param,
                      "filters must be even, and at most twice the numbers in a window "
                      "(height x width x channels)",
                      err);
    return window <= TR_WHITENING_MAX
               ? TR_OK
               : refuse(param, "a window has more than 1024 numbers; use a smaller one", err);
}

static tr_status check_initializer(const tr_param *param, int64_t channels, tr_error *err)
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
    case TR_INIT_WHITENING:
        return check_whitening(param, channels, err);
    case TR_INIT_RANDOM_UNIFORM:
        return call->arguments[0] <= call->arguments[1]
                   ? TR_OK
                   : refuse(param, "minval is larger than maxval", err);
    default:
        return TR_OK;
    }
}

tr_status tr_weight_check(const tr_param *param, int64_t channels, tr_error *err)
{
    TR_TRY(check_initializer(param, channels, err));
    return check_constraint(param, err);
}
