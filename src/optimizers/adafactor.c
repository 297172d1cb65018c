/* adafactor.c -- Adafactor as Keras computes it (Shazeer & Stern 2018).
 *
 * The last two dimensions of a kernel are rows and columns of matrices, one for each position of a
 * convolution's window:
 *
 *     rho = min(lr, 1 / sqrt(t)),   b = 1 - t^beta_2_decay,   s = g^2 + epsilon_1
 *     r = b r + (1 - b) mean of s over columns
 *     c = b c + (1 - b) mean of s over rows
 *     v = r / (mean of r) c                       without two dimensions: v = b v + (1 - b) s
 *     u = g / sqrt(v)
 *     w -= rho max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)
 *
 * Keras's relative_step is no key: rho is the same with it and without. Four passes, in parts of
 * some rows of one matrix: means of rows, and sums of columns over the part; columns; v and u; the
 * step. All sums are in double: over a row, over the parts of a matrix, over the parts of a tensor.
 */
#include <math.h>
#include <string.h>

#include "elementary_math.h"
#include "elementwise.h"
#include "optimizer.h"
#include "simd.h"

typedef struct adafactor {
    tr_optimizer base;
    double beta_2_decay, epsilon_1, epsilon_2, clip_threshold;
    float decay; /* b of the step at hand */
    float rho;
} adafactor;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    {.name = "beta_2_decay",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adafactor, beta_2_decay),
     .fallback = "-0.8",
     .min = -1e3,
     .max = 0,
     .doc = "the mean squared gradient keeps 1 - t^beta_2_decay in step t"},
    {.name = "epsilon_1",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adafactor, epsilon_1),
     .fallback = "1e-30",
     .min = 1.2e-38,
     .max = 1,
     .doc = "added to the squared gradient"},
    {.name = "epsilon_2",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adafactor, epsilon_2),
     .fallback = "0.001",
     .max = 1e6,
     .doc = "the least size of the weights that a step is measured by"},
    {.name = "clip_threshold",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adafactor, clip_threshold),
     .fallback = "1",
     .min = 1e-30,
     .max = 1e30,
     .doc = "size that the direction of a step is shortened to"},
};

/* ---- shape ---- */

typedef struct shape {
    bool factored;                  /* has rows and columns */
    size_t matrices, rows, columns; /* a vector is one row */
    size_t parts;                   /* of a matrix, PART_ROWS rows each, or one of a vector */
} shape;

enum { PART_ROWS = 64 };

static shape shape_of(const tr_weight_tensor *tensor)
{
    if (tensor->n_dims < 2)
        return (shape){.matrices = 1, .rows = 1, .columns = tensor->n, .parts = 1};
    const int64_t *last = tensor->dims + tensor->n_dims;
    shape of = {.factored = true, .rows = (size_t)last[-2], .columns = (size_t)last[-1]};
    of.matrices = tensor->n / (of.rows * of.columns);
    of.parts = (of.rows + PART_ROWS - 1) / PART_ROWS;
    return of;
}

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer;
    slots[0] = (tr_slot){.name = "r", .own_shape = true};
    slots[1] = (tr_slot){.name = "c", .own_shape = true};
    slots[2].name = "velocity";
    if (tensor->n_dims < 2) /* Keras keeps two scalars that nothing uses */
        return 3;
    slots[0].n_dims = slots[1].n_dims = tensor->n_dims - 1;
    memcpy(slots[0].dims, tensor->dims, sizeof slots[0].dims);
    memcpy(slots[1].dims, tensor->dims, sizeof slots[1].dims);
    slots[1].dims[tensor->n_dims - 2] = tensor->dims[tensor->n_dims - 1];
    return 3;
}

/* ---- a step ---- */

static void begin(tr_optimizer *optimizer, int64_t t)
{
    adafactor *self = (adafactor *)optimizer;
    self->decay = (float)(1.0 - tr_pow((double)t, self->beta_2_decay));
    self->rho = (float)fmin(self->base.rate, 1.0 / sqrt((double)t));
}

/* Sums of columns by part, then squares of u by part. */
static size_t room(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    (void)optimizer;
    const shape of = shape_of(tensor);
    return of.matrices * of.parts * (of.columns + 1) * sizeof(double);
}

enum { SUM_ROWS, SUM_COLUMNS, DIRECTION, STEP, N_PASSES };

static int passes(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    (void)optimizer, (void)tensor;
    return N_PASSES;
}

static size_t parts(const tr_optimizer *optimizer, const tr_weight_tensor *tensor, int pass)
{
    (void)optimizer;
    const shape of = shape_of(tensor);
    if (pass <= SUM_COLUMNS && !of.factored)
        return 0;
    return pass == SUM_COLUMNS ? of.matrices : of.matrices * of.parts;
}

/* Some rows of a matrix. */
typedef struct rows {
    size_t matrix, first, n; /* `first`: in the tensor */
    float *g, *v;            /* [n, columns] */
    double *sums;            /* [columns] */
} rows;

static rows rows_of(const shape *of, const tr_tensor_step *step, size_t part)
{
    const size_t matrix = part / of->parts, begin = part % of->parts * PART_ROWS;
    const size_t first = matrix * of->rows + begin, left = of->rows - begin;
    return (rows){.matrix = matrix,
                  .first = first,
                  .n = left < PART_ROWS ? left : PART_ROWS,
                  .g = step->gradients + first * of->columns,
                  .v = step->slots[2] + first * of->columns,
                  .sums = (double *)step->room + part * of->columns};
}

TR_SIMD_CLONES
static double sum_row(const float *restrict g, float epsilon, double *restrict columns, size_t n)
{
    enum { CHAINS = 8 };
    double sum[CHAINS] = {0};
    size_t i = 0;
    for (; i + CHAINS <= n; i += CHAINS)
        for (size_t k = 0; k < CHAINS; k++) {
            const double s = (double)(g[i + k] * g[i + k] + epsilon);
            columns[i + k] += s;
            sum[k] += s;
        }
    for (size_t k = 0; i < n; i++, k++) {
        const double s = (double)(g[i] * g[i] + epsilon);
        columns[i] += s;
        sum[k] += s;
    }
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static float decayed(const adafactor *self, float old, double mean)
{
    return self->decay * old + (1.0f - self->decay) * (float)mean;
}

static void sum_rows(const adafactor *self, const shape *of, const tr_tensor_step *step,
                     size_t part)
{
    const rows at = rows_of(of, step, part);
    memset(at.sums, 0, of->columns * sizeof *at.sums);
    for (size_t i = 0; i < at.n; i++) {
        float *r = step->slots[0] + at.first + i;
        const double sum =
            sum_row(at.g + i * of->columns, (float)self->epsilon_1, at.sums, of->columns);
        *r = decayed(self, *r, sum / (double)of->columns);
    }
}

static void sum_columns(const adafactor *self, const shape *of, const tr_tensor_step *step,
                        size_t matrix)
{
    double *sums = (double *)step->room + matrix * of->parts * of->columns;
    float *c = step->slots[1] + matrix * of->columns;
    for (size_t part = 1; part < of->parts; part++)
        for (size_t k = 0; k < of->columns; k++)
            sums[k] += sums[part * of->columns + k];
    for (size_t k = 0; k < of->columns; k++)
        c[k] = decayed(self, c[k], sums[k] / (double)of->rows);
}

static float mean_of(const float *values, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    return (float)(sum / (double)n);
}

TR_SIMD_CLONES
static void factored_row(float *restrict g, float *restrict v, const float *restrict c, float share,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = share * c[i];
        g[i] = g[i] / sqrtf(v[i]);
    }
}

static void vector(const adafactor *self, float *g, float *v, size_t n)
{
    const float epsilon = (float)self->epsilon_1;
    for (size_t i = 0; i < n; i++) {
        v[i] = self->decay * v[i] + (1.0f - self->decay) * (g[i] * g[i] + epsilon);
        g[i] = g[i] / sqrtf(v[i]);
    }
}

static double *squares(const shape *of, const tr_tensor_step *step)
{
    return (double *)step->room + of->matrices * of->parts * of->columns;
}

static void direction(const adafactor *self, const shape *of, const tr_tensor_step *step,
                      size_t part)
{
    const rows at = rows_of(of, step, part);
    if (of->factored) {
        const float *r = step->slots[0];
        const float mean = mean_of(r + at.matrix * of->rows, of->rows);
        for (size_t i = 0; i < at.n; i++)
            factored_row(at.g + i * of->columns, at.v + i * of->columns,
                         step->slots[1] + at.matrix * of->columns, r[at.first + i] / mean,
                         of->columns);
    } else {
        vector(self, at.g, at.v, of->columns);
    }
    squares(of, step)[part] = tr_sum_of_squares(at.g, at.n * of->columns);
}

static void shorten(const adafactor *self, const shape *of, const tr_tensor_step *step, size_t part)
{
    const rows at = rows_of(of, step, part);
    const double n = (double)step->tensor->n;
    double sum = 0.0;
    for (size_t i = 0; i < of->matrices * of->parts; i++)
        sum += squares(of, step)[i];
    const float size = fmaxf((float)self->epsilon_2, (float)(step->weights_norm / sqrt(n)));
    const float longer = (float)(sqrt(sum / n) / self->clip_threshold);
    tr_rescale(at.g, size * self->rho, fmaxf(1.0f, longer), at.n * of->columns);
}

static void run(const tr_optimizer *optimizer, const tr_tensor_step *step, int pass, size_t part)
{
    static void (*const work[N_PASSES])(const adafactor *, const shape *, const tr_tensor_step *,
                                        size_t) = {sum_rows, sum_columns, direction, shorten};
    const shape of = shape_of(step->tensor);
    work[pass]((const adafactor *)optimizer, &of, step, part);
}

static const tr_tensor_ops tensor_ops = {
    .room = room, .passes = passes, .parts = parts, .run = run};

static const tr_tensor_ops *whole(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    (void)optimizer, (void)tensor;
    return &tensor_ops;
}

const tr_optimizer_ops tr_adafactor_ops = {
    .name = "adafactor",
    .keras_class = "Adafactor",
    .doc = "mean squared gradients of rows and columns, steps as large as the weights allow",
    .bytes = sizeof(adafactor),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .whole = whole,
};
