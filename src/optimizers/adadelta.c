/* adadelta.c -- Adadelta as Keras computes it (Zeiler 2012).
 *
 *     a = rho a + (1 - rho) g^2
 *     d = -sqrt(b + epsilon) / sqrt(a + epsilon) g
 *     b = rho b + (1 - rho) d^2
 *     w += lr d
 */
#include <math.h>

#include "optimizer.h"
#include "simd.h"

typedef struct adadelta {
    tr_optimizer base;
    double rho, epsilon;
} adadelta;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(adadelta, rho, "0.95", "decay of the mean squares"),
    TR_ROW_EPSILON(adadelta),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0].name = "accumulated_grad";
    slots[1].name = "accumulated_delta_var";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const adadelta *self = (const adadelta *)optimizer;
    const float lr = (float)self->base.rate, eps = (float)self->epsilon;
    const float rho = (float)self->rho, rest = (float)(1.0 - self->rho);
    float *restrict w = range->weights;
    float *restrict a = range->slots[0];
    float *restrict b = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        a[i] = rho * a[i] + rest * (g[i] * g[i]);
        const float d = -(sqrtf(b[i] + eps) * g[i] / sqrtf(a[i] + eps));
        b[i] = rho * b[i] + rest * (d * d);
        w[i] += lr * d;
    }
}

const tr_optimizer_ops tr_adadelta_ops = {
    .name = "adadelta",
    .keras_class = "Adadelta",
    .doc = "steps in the units of the weights, from means of squares",
    .bytes = sizeof(adadelta),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
