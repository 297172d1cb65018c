/* lamb.c -- LAMB as Keras computes it: Adam's direction, as long as the weights (You et al. 2020).
 *
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     d = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *     w -= |w| / |d| lr d           norms over each kernel or bias; where one is 0: w -= lr d
 *
 * Two passes over a tensor in pieces: d and the squares of its norm; then the step.
 */
#include <math.h>

#include "elementary_math.h"
#include "elementwise.h"
#include "optimizer.h"
#include "simd.h"

typedef struct lamb {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    float correction_1, correction_2; /* of the step at hand */
} lamb;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(lamb, beta_1, "0.9", "decay of the mean gradient"),
    TR_ROW_SHARE(lamb, beta_2, "0.999", "decay of the mean squared gradient"),
    TR_ROW_EPSILON(lamb),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0].name = "momentum";
    slots[1].name = "velocity";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    lamb *self = (lamb *)optimizer;
    self->correction_1 = (float)(1.0 - tr_pow(self->beta_1, (double)t));
    self->correction_2 = (float)(1.0 - tr_pow(self->beta_2, (double)t));
}

/* ---- passes ---- */

enum { PIECE = 512 }; /* elements, as many as are summed at a time */

static size_t parts(const tr_optimizer *optimizer, const tr_weight_tensor *tensor, int pass)
{
    (void)optimizer, (void)pass;
    return (tensor->n + PIECE - 1) / PIECE;
}

static size_t room(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    return parts(optimizer, tensor, 0) * sizeof(double);
}

static int passes(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    (void)optimizer, (void)tensor;
    return 2;
}

TR_SIMD_CLONES
static void direction(const lamb *self, float *restrict g, float *restrict m, float *restrict v,
                      size_t n)
{
    const float eps = (float)self->epsilon;
    const float c1 = (float)(1.0 - self->beta_1), c2 = (float)(1.0 - self->beta_2);
    const float of_m = self->correction_1, of_v = self->correction_2;
    for (size_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        g[i] = m[i] / of_m / (sqrtf(v[i] / of_v) + eps);
    }
}

TR_SIMD_CLONES
static void scale(float *d, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = factor * d[i];
}

static float length_of_step(const lamb *self, const tr_tensor_step *step)
{
    const double *squares = step->room;
    double sum = 0.0;
    for (size_t i = 0; i < parts(&self->base, step->tensor, 0); i++)
        sum += squares[i];
    const double norm = sqrt(sum);
    const bool has_ratio = step->weights_norm > 0.0 && norm > 0.0;
    return (has_ratio ? (float)(step->weights_norm / norm) : 1.0f) * (float)self->base.rate;
}

static void run(const tr_optimizer *optimizer, const tr_tensor_step *step, int pass, size_t part)
{
    const lamb *self = (const lamb *)optimizer;
    const size_t begin = part * PIECE, left = step->tensor->n - begin;
    const size_t n = left < PIECE ? left : PIECE;
    float *g = step->gradients + begin;
    if (pass == 0) {
        direction(self, g, step->slots[0] + begin, step->slots[1] + begin, n);
        ((double *)step->room)[part] = tr_sum_of_squares(g, n);
    } else {
        scale(g, length_of_step(self, step), n);
    }
}

static const tr_tensor_ops tensor_ops = {
    .any_layout = true, .room = room, .passes = passes, .parts = parts, .run = run};

static const tr_tensor_ops *whole(const tr_optimizer *optimizer, const tr_weight_tensor *tensor)
{
    (void)optimizer, (void)tensor;
    return &tensor_ops;
}

const tr_optimizer_ops tr_lamb_ops = {
    .name = "lamb",
    .keras_class = "Lamb",
    .keras_since = "3.7",
    .doc = "Adam's direction, in steps as long as each layer's weights allow",
    .bytes = sizeof(lamb),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .whole = whole,
};
