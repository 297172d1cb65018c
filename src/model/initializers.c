/* initializers.c -- the values of a weight before the training, by the initializer of its keys.
 *
 * Keras's definitions. A value is addressed by (seed, number of the weight, element in Keras's
 * layout), so that it depends neither on the packed layout nor on the order of filling. Uniform
 * ones have 24 bits, as a float has; normal ones are the quantile of a uniform number, which for a
 * truncated distribution is one between those of -2 and 2.
 */
#include "initializers.h"

#include <math.h>
#include <string.h>

#include "elementary_math.h"
#include "mem.h"
#include "rng.h"
#include "simd.h"

/* One weight being filled. */
typedef struct filling {
    const tr_param *param;
    const double *arguments;
    uint64_t seed;
    uint32_t number; /* of the weight: part of the address */
    int64_t n;       /* elements */
    float *values;
} filling;

/* ---- random numbers ---- */

static double next_uniform(const filling *self, int64_t element)
{
    const uint64_t bits =
        tr_random_bits(self->seed, TR_PURPOSE_INIT, self->number, (uint64_t)element);
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

static void fill_uniform(const filling *self, float low, float high)
{
    for (int64_t k = 0; k < self->n; k++) {
        const float u = tr_random_uniform(self->seed, TR_PURPOSE_INIT, self->number, (uint64_t)k);
        self->values[k] = low + u * (high - low);
    }
}

/* U(-limit, limit), rounded as it always was. */
static void fill_symmetric(const filling *self, float limit)
{
    for (int64_t k = 0; k < self->n; k++) {
        const float u = tr_random_uniform(self->seed, TR_PURPOSE_INIT, self->number, (uint64_t)k);
        self->values[k] = (2.0f * u - 1.0f) * limit;
    }
}

/* The share of a standard normal distribution that is below -2. */
static const double below_minus_2 = 0.022750131948179207;

static void fill_normal(const filling *self, double mean, double stddev, bool truncated)
{
    const double low = truncated ? below_minus_2 : 0.0;
    for (int64_t k = 0; k < self->n; k++) {
        const double p = low + next_uniform(self, k) * (1.0 - 2.0 * low);
        self->values[k] = (float)(mean + stddev * tr_normal_quantile(p));
    }
}

/* ---- scaled by the shape ---- */

/* Keras's compute_fans(): inputs and outputs of an element, the window counted. */
static void count_fans(const tr_param *param, double *in, double *out)
{
    double window = 1.0;
    if (param->n_dims < 2) {
        *in = *out = param->n_dims == 0 ? 1.0 : (double)param->dims[0];
        return;
    }
    for (int i = 0; i < param->n_dims - 2; i++)
        window *= (double)param->dims[i];
    *in = window * (double)param->dims[param->n_dims - 2];
    *out = window * (double)param->dims[param->n_dims - 1];
}

static void fill_scaled(const filling *self, double scale, tr_fan mode, tr_distribution from)
{
    double in, out;
    count_fans(self->param, &in, &out);
    double fan = mode == TR_FAN_IN ? in : mode == TR_FAN_OUT ? out : (in + out) / 2.0;
    fan = fmax(fan, 1.0);
    if (from == TR_UNIFORM)
        fill_symmetric(self, (float)sqrt(3.0 * scale / fan));
    else if (from == TR_UNTRUNCATED_NORMAL)
        fill_normal(self, 0.0, sqrt(scale / fan), false);
    else /* what is cut off takes from the variance */
        fill_normal(self, 0.0, sqrt(scale / fan) / 0.87962566103423978, true);
}

/* ---- matrices ---- */

enum { LANES = 8 };

TR_SIMD_CLONES
static double dot(const double *a, const double *b, int64_t n)
{
    double sums[LANES] = {0.0}, sum = 0.0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            sums[k] += a[i + k] * b[i + k];
    for (int k = 0; k < LANES; k++)
        sum += sums[k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

TR_SIMD_CLONES
static void subtract(double *restrict a, double factor, const double *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        a[i] -= factor * b[i];
}

/* Makes the n vectors [length], n <= length, orthonormal: modified Gram-Schmidt, which is the Q of
 * a QR decomposition whose R has positive diagonal elements, as Keras makes its own. */
static void make_orthonormal(double *vectors, int64_t n, int64_t length)
{
    for (int64_t i = 0; i < n; i++) {
        double *one = vectors + i * length;
        const double norm = sqrt(dot(one, one, length));
        for (int64_t k = 0; k < length; k++)
            one[k] /= norm;
        for (int64_t j = i + 1; j < n; j++) {
            double *other = vectors + j * length;
            subtract(other, dot(one, other, length), one, length);
        }
    }
}

/* The weight as a matrix: all dimensions but the last, and the last. */
static tr_status fill_orthogonal(const filling *self, double gain, tr_error *err)
{
    const int64_t columns = self->param->dims[self->param->n_dims - 1];
    const int64_t rows = self->n / columns, n = rows < columns ? rows : columns;
    const int64_t length = self->n / n;
    double *vectors = tr_alloc((size_t)self->n, sizeof *vectors);
    if (vectors == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t k = 0; k < self->n; k++)
        vectors[k] = tr_normal_quantile(next_uniform(self, k));
    make_orthonormal(vectors, n, length);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            self->values[row * columns + column] =
                (float)(gain * (rows < columns ? vectors[row * length + column]
                                               : vectors[column * length + row]));
    tr_free(vectors);
    return TR_OK;
}

static void fill_identity(const filling *self, float gain)
{
    const int64_t *dims = self->param->dims + self->param->n_hidden;
    const int64_t rows = dims[0], columns = dims[1];
    for (int64_t i = 0; i < rows && i < columns; i++)
        self->values[i * columns + i] = gain;
}

/* The output channel `out` (of a depthwise kernel: of the channel `in`) is the input channel `in`.
 */
static void pass_on(const filling *self, int64_t in, int64_t out)
{
    const int64_t *dims = self->param->dims;
    const int64_t n_in = dims[2], n_out = dims[3], middle = dims[0] / 2 * dims[1] + dims[1] / 2;
    for (int64_t k = 0; k < dims[0] * dims[1] * n_in; k++) {
        const bool own = !self->param->depthwise || k % n_in == in;
        if (own)
            self->values[k * n_out + out] = k == middle * n_in + in ? 1.0f : 0.0f;
    }
}

/* In each group of output channels channel i takes input channel i, at the centre of the window,
 * as far as there are both; of a depthwise kernel the first result of each channel. The rest are
 * zeros, or drawn. */
static void fill_dirac(const filling *self, int64_t groups, bool draw_rest)
{
    const int64_t in = self->param->dims[2], out = self->param->dims[3], each = out / groups;
    if (draw_rest)
        fill_scaled(self, 1.0 / 3.0, TR_FAN_IN, TR_UNIFORM);
    for (int64_t i = 0; self->param->depthwise && i < in; i++)
        pass_on(self, i, 0);
    for (int64_t g = 0; !self->param->depthwise && g < groups; g++)
        for (int64_t i = 0; i < in && i < each; i++)
            pass_on(self, i, g * each + i);
}

static void fill_constant(const filling *self, float value)
{
    for (int64_t k = 0; k < self->n; k++)
        self->values[k] = value;
}

/* ---- all ---- */

static tr_status fill(const filling *self, tr_initializer kind, tr_error *err)
{
    const double *a = self->arguments;
    switch (kind) {
    case TR_INIT_GLOROT_UNIFORM:
    case TR_INIT_WHITENING: /* until the data are seen */
        fill_scaled(self, 1.0, TR_FAN_AVG, TR_UNIFORM);
        break;
    case TR_INIT_GLOROT_NORMAL:
        fill_scaled(self, 1.0, TR_FAN_AVG, TR_TRUNCATED_NORMAL);
        break;
    case TR_INIT_HE_UNIFORM:
        fill_scaled(self, 2.0, TR_FAN_IN, TR_UNIFORM);
        break;
    case TR_INIT_HE_NORMAL:
        fill_scaled(self, 2.0, TR_FAN_IN, TR_TRUNCATED_NORMAL);
        break;
    case TR_INIT_LECUN_UNIFORM:
        fill_scaled(self, 1.0, TR_FAN_IN, TR_UNIFORM);
        break;
    case TR_INIT_LECUN_NORMAL:
        fill_scaled(self, 1.0, TR_FAN_IN, TR_TRUNCATED_NORMAL);
        break;
    case TR_INIT_VARIANCE_SCALING:
        fill_scaled(self, a[0], (tr_fan)a[1], (tr_distribution)a[2]);
        break;
    case TR_INIT_RANDOM_UNIFORM:
        fill_uniform(self, (float)a[0], (float)a[1]);
        break;
    case TR_INIT_RANDOM_NORMAL:
        fill_normal(self, a[0], a[1], false);
        break;
    case TR_INIT_TRUNCATED_NORMAL:
        fill_normal(self, a[0], a[1], true);
        break;
    case TR_INIT_ORTHOGONAL:
        return fill_orthogonal(self, a[0], err);
    case TR_INIT_ONES:
        fill_constant(self, 1.0f);
        break;
    case TR_INIT_CONSTANT:
        fill_constant(self, (float)a[0]);
        break;
    case TR_INIT_IDENTITY:
        fill_identity(self, (float)a[0]);
        break;
    case TR_INIT_DIRAC:
        fill_dirac(self, (int64_t)a[0], a[1] != 0.0);
        break;
    case TR_INIT_ZEROS:
    case TR_N_INITIALIZERS:
        break;
    }
    return TR_OK;
}

tr_status tr_initialize(const tr_param *param, uint64_t seed, uint32_t number, float *values,
                        tr_error *err)
{
    const tr_initializer kind = (tr_initializer)param->rules.initializer.function;
    const double *arguments = param->rules.initializer.arguments;
    const tr_callable *function = &tr_initializers[kind];
    filling self = {param, arguments, seed, number, tr_param_elements(param), values};
    for (size_t i = 0; i < function->n_arguments; i++)
        if (strcmp(function->arguments[i].name, "seed") == 0 && arguments[i] >= 0.0) {
            self.seed = (uint64_t)arguments[i];
            self.number = 0; /* the same numbers wherever it stands, as in Keras */
        }
    return fill(&self, kind, err);
}
