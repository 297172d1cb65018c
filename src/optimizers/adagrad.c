/* adagrad.c -- Adagrad as Keras computes it (Duchi et al. 2011).
 *
 *     a += g^2                       from initial_accumulator_value on
 *     w -= lr g / sqrt(a + epsilon)
 */
#include <math.h>

#include "optimizer.h"
#include "simd.h"

typedef struct adagrad {
    tr_optimizer base;
    double initial_accumulator_value, epsilon;
} adagrad;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    {.name = "initial_accumulator_value",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adagrad, initial_accumulator_value),
     .fallback = "0.1",
     .max = 1e6,
     .doc = "of the sum of squared gradients"},
    TR_ROW_EPSILON(adagrad),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)tensor;
    const adagrad *self = (const adagrad *)optimizer;
    slots[0] = (tr_slot){.name = "accumulator", .initial = self->initial_accumulator_value};
    return 1;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const adagrad *self = (const adagrad *)optimizer;
    const float lr = (float)self->base.rate, eps = (float)self->epsilon;
    float *restrict w = range->weights;
    float *restrict a = range->slots[0];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        a[i] += g[i] * g[i];
        w[i] -= lr * g[i] / sqrtf(a[i] + eps);
    }
}

const tr_optimizer_ops tr_adagrad_ops = {
    .name = "adagrad",
    .keras_class = "Adagrad",
    .doc = "steps that shrink with the sum of squared gradients",
    .bytes = sizeof(adagrad),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
