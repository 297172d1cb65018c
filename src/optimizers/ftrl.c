/* ftrl.c -- "follow the regularized leader" as Keras computes it (McMahan et al. 2013).
 *
 *     n' = n + g^2,   q = -learning_rate_power
 *     z += g + 2 l2_shrinkage w - (n'^q - n^q) / lr w
 *     w = (clip(z, -l1, l1) - z) / (n'^q / lr + 2 (l2 + beta / (2 lr)))
 *     n = n'                                        from initial_accumulator_value on
 *
 * Weights follow from n and z alone; the initial ones are forgotten in the first step.
 */
#include <math.h>

#include "elementary_math.h"
#include "optimizer.h"
#include "simd.h"

typedef struct ftrl {
    tr_optimizer base;
    double learning_rate_power, initial_accumulator_value;
    double l1_regularization_strength, l2_regularization_strength;
    double l2_shrinkage_regularization_strength, beta;
} ftrl;

#define ROW_STRENGTH(field, text)                                                                  \
    {                                                                                              \
        .name = #field, .kind = TR_KEY_REAL, .offset = offsetof(ftrl, field), .fallback = "0",     \
        .max = 1e6, .doc = text                                                                    \
    }

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    {.name = "learning_rate_power",
     .kind = TR_KEY_REAL,
     .offset = offsetof(ftrl, learning_rate_power),
     .fallback = "-0.5",
     .min = -10,
     .doc = "how steps shrink with the sum of squared gradients; other than -0.5 is slower"},
    {.name = "initial_accumulator_value",
     .kind = TR_KEY_REAL,
     .offset = offsetof(ftrl, initial_accumulator_value),
     .fallback = "0.1",
     .max = 1e6,
     .doc = "of the sum of squared gradients"},
    ROW_STRENGTH(l1_regularization_strength, "pulls weights to 0 exactly"),
    ROW_STRENGTH(l2_regularization_strength, "keeps weights near 0"),
    ROW_STRENGTH(l2_shrinkage_regularization_strength, "adds to the gradient twice this times w"),
    ROW_STRENGTH(beta, "the paper's beta"),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)tensor;
    const ftrl *self = (const ftrl *)optimizer;
    slots[0] = (tr_slot){.name = "accumulator", .initial = self->initial_accumulator_value};
    slots[1].name = "linear";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

/* An element that has no gradient yet and no accumulator to start from stays 0: padding, a dead
 * pixel. */
static inline __attribute__((always_inline)) void step(const ftrl *self, const tr_update *range,
                                                       float power)
{
    const double rate = self->base.rate;
    const float lr = (float)rate, l1 = (float)self->l1_regularization_strength;
    const float shrinkage = (float)(2.0 * self->l2_shrinkage_regularization_strength);
    const float l2 = (float)(2.0 * (self->l2_regularization_strength + self->beta / (2.0 * rate)));
    float *restrict w = range->weights;
    float *restrict n = range->slots[0];
    float *restrict z = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        const float sum = n[i] + g[i] * g[i];
        const float now = power == 0.5f ? sqrtf(sum) : (float)tr_pow((double)sum, (double)power);
        const float before =
            power == 0.5f ? sqrtf(n[i]) : (float)tr_pow((double)n[i], (double)power);
        z[i] += g[i] + shrinkage * w[i] - (now - before) / lr * w[i];
        const float below = z[i] > l1 ? l1 : z[i];
        const float clipped = below < -l1 ? -l1 : below;
        const float divisor = now / lr + l2;
        w[i] = divisor == 0.0f ? 0.0f : (clipped - z[i]) / divisor;
        n[i] = sum;
    }
}

TR_SIMD_CLONES
static void with_root(const ftrl *self, const tr_update *range)
{
    step(self, range, 0.5f);
}

static void with_power(const ftrl *self, const tr_update *range)
{
    step(self, range, (float)-self->learning_rate_power);
}

static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const ftrl *self = (const ftrl *)optimizer;
    if (!((float)self->base.rate > 0.0f))
        return; /* the limit of ever smaller steps; the formula would divide by it */
    if (self->learning_rate_power == -0.5)
        with_root(self, range);
    else
        with_power(self, range);
}

const tr_optimizer_ops tr_ftrl_ops = {
    .name = "ftrl",
    .keras_class = "Ftrl",
    .doc = "follow the regularized leader",
    .bytes = sizeof(ftrl),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
