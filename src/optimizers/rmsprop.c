/* rmsprop.c -- RMSprop as Keras computes it (Hinton's lecture 6e; centered: Graves 2013).
 *
 *     v = rho v + (1 - rho) g^2
 *     d = v + epsilon                    centered: a = rho a + (1 - rho) g;  d = v - a^2 + epsilon
 *     w -= lr g / sqrt(d)                momentum > 0: p = momentum p + lr g / sqrt(d);  w -= p
 *
 * epsilon stands inside the root; PyTorch's differs in that.
 */
#include <math.h>

#include "optimizer.h"
#include "simd.h"

typedef struct rmsprop {
    tr_optimizer base;
    double rho, momentum, epsilon;
    bool centered;
} rmsprop;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(rmsprop, rho, "0.9", "decay of the mean squared gradient"),
    {.name = "momentum",
     .kind = TR_KEY_REAL,
     .offset = offsetof(rmsprop, momentum),
     .fallback = "0",
     .max = 1,
     .doc = "share of the last step that is kept"},
    TR_ROW_EPSILON(rmsprop),
    {.name = "centered",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(rmsprop, centered),
     .fallback = "false",
     .doc = "divide by the deviation from the mean gradient"},
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)tensor;
    const rmsprop *self = (const rmsprop *)optimizer;
    int n = 0;
    slots[n++] = (tr_slot){.name = "velocity", .apart = true};
    if (self->momentum > 0.0)
        slots[n++] = (tr_slot){.name = "momentum", .apart = true};
    if (self->centered)
        slots[n++] = (tr_slot){.name = "average_gradient", .apart = true};
    return n;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

/* One loop in four forms: a NULL is a constant in each. */
static inline __attribute__((always_inline)) void step(const rmsprop *self, const tr_update *range,
                                                       float *restrict p, float *restrict a)
{
    const float lr = (float)self->base.rate, eps = (float)self->epsilon;
    const float rho = (float)self->rho, rest = (float)(1.0 - self->rho);
    const float momentum = (float)self->momentum;
    float *restrict w = range->weights;
    float *restrict v = range->slots[0];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        v[i] = rho * v[i] + rest * (g[i] * g[i]);
        float d = v[i] + eps;
        if (a != NULL) {
            a[i] = rho * a[i] + rest * g[i];
            d = v[i] - a[i] * a[i] + eps;
        }
        const float increment = lr * g[i] / sqrtf(d);
        if (p != NULL)
            p[i] = momentum * p[i] + increment;
        w[i] -= p != NULL ? p[i] : increment;
    }
}

TR_SIMD_CLONES
static void plain(const rmsprop *self, const tr_update *range)
{
    step(self, range, NULL, NULL);
}

TR_SIMD_CLONES
static void with_momentum(const rmsprop *self, const tr_update *range)
{
    step(self, range, range->slots[1], NULL);
}

TR_SIMD_CLONES
static void with_center(const rmsprop *self, const tr_update *range)
{
    step(self, range, NULL, range->slots[1]);
}

TR_SIMD_CLONES
static void with_both(const rmsprop *self, const tr_update *range)
{
    step(self, range, range->slots[1], range->slots[2]);
}

static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const rmsprop *self = (const rmsprop *)optimizer;
    if (self->momentum > 0.0 && self->centered)
        with_both(self, range);
    else if (self->momentum > 0.0)
        with_momentum(self, range);
    else if (self->centered)
        with_center(self, range);
    else
        plain(self, range);
}

const tr_optimizer_ops tr_rmsprop_ops = {
    .name = "rmsprop",
    .keras_class = "RMSprop",
    .doc = "steps relative to the mean squared gradient",
    .bytes = sizeof(rmsprop),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
