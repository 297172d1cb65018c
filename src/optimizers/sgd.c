/* sgd.c -- gradient descent, with momentum and Nesterov's variant, as Keras computes it.
 *
 *     momentum = 0:  w -= lr g
 *     momentum > 0:  m = mu m - lr g;  w += m            nesterov: w += mu m - lr g (the new m)
 */
#include "optimizer.h"
#include "simd.h"

typedef struct sgd {
    tr_optimizer base;
    double momentum;
    bool nesterov;
} sgd;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.01"),
    {.name = "momentum",
     .kind = TR_KEY_REAL,
     .offset = offsetof(sgd, momentum),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .doc = "share of the last step that is kept"},
    {.name = "nesterov",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(sgd, nesterov),
     .fallback = "false",
     .doc = "look ahead along the momentum"},
};

static void check(const tr_optimizer *optimizer, const tr_section *section, tr_problems *problems)
{
    const sgd *self = (const sgd *)optimizer;
    if (self->nesterov && !(self->momentum > 0.0))
        tr_problems_add(problems, tr_section_line(section, "nesterov"),
                        "[%s] nesterov = true has no effect without momentum; set momentum = 0.9, "
                        "say, or remove it",
                        section->name);
}

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)tensor;
    slots[0].name = "momentum";
    return ((const sgd *)optimizer)->momentum > 0.0 ? 1 : 0;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

TR_SIMD_CLONES
static void plain(float *restrict w, const float *restrict g, size_t n, float lr)
{
    for (size_t i = 0; i < n; i++)
        w[i] -= lr * g[i];
}

TR_SIMD_CLONES
static void with_momentum(float *restrict w, float *restrict m, const float *restrict g, size_t n,
                          float lr, float mu)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = mu * m[i] - lr * g[i];
        w[i] += m[i];
    }
}

TR_SIMD_CLONES
static void with_nesterov(float *restrict w, float *restrict m, const float *restrict g, size_t n,
                          float lr, float mu)
{
    for (size_t i = 0; i < n; i++) {
        const float step = lr * g[i];
        m[i] = mu * m[i] - step;
        w[i] += mu * m[i] - step;
    }
}

static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const sgd *self = (const sgd *)optimizer;
    const float lr = (float)self->base.rate, mu = (float)self->momentum;
    if (!(self->momentum > 0.0))
        plain(range->weights, range->gradients, range->n, lr);
    else if (self->nesterov)
        with_nesterov(range->weights, range->slots[0], range->gradients, range->n, lr, mu);
    else
        with_momentum(range->weights, range->slots[0], range->gradients, range->n, lr, mu);
}

const tr_optimizer_ops tr_sgd_ops = {
    .name = "sgd",
    .keras_class = "SGD",
    .doc = "gradient descent, with momentum",
    .bytes = sizeof(sgd),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .check = check,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
