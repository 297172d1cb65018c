/* adam.c -- Adam as Keras computes it (Kingma & Ba 2015, in the form before their section 2.1).
 *
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     w -= alpha m / (sqrt(v) + epsilon),   alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)
 *
 * amsgrad: the largest v so far takes the place of v in the last line (Reddi et al. 2018). epsilon
 * stands outside the root and is not bias-corrected; PyTorch's differs in that.
 */
#include "adam.h"

#include <math.h>

#include "elementary_math.h"
#include "simd.h"

static const tr_key keys[] = {TR_ADAM_ROWS};

int tr_adam_slots(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                  tr_slot slots[TR_MAX_SLOTS])
{
    (void)tensor;
    slots[0].name = "momentum";
    slots[1].name = "velocity";
    slots[2] = (tr_slot){.name = "velocity_hat", .apart = true};
    return ((const tr_adam *)optimizer)->amsgrad ? 3 : 2;
}

void tr_adam_begin(tr_optimizer *optimizer, int64_t t)
{
    tr_adam *self = (tr_adam *)optimizer;
    const double correction =
        sqrt(1.0 - tr_pow(self->beta_2, (double)t)) / (1.0 - tr_pow(self->beta_1, (double)t));
    self->alpha = (float)(self->base.rate * correction);
    self->one_minus_beta_1 = (float)(1.0 - self->beta_1);
    self->one_minus_beta_2 = (float)(1.0 - self->beta_2);
    self->eps = (float)self->epsilon;
}

TR_SIMD_CLONES
static void plain(const tr_adam *self, const tr_update *range)
{
    const float alpha = self->alpha, eps = self->eps;
    const float c1 = self->one_minus_beta_1, c2 = self->one_minus_beta_2;
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    float *restrict v = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] -= alpha * m[i] / (sqrtf(v[i]) + eps);
    }
}

TR_SIMD_CLONES
static void with_amsgrad(const tr_adam *self, const tr_update *range)
{
    const float alpha = self->alpha, eps = self->eps;
    const float c1 = self->one_minus_beta_1, c2 = self->one_minus_beta_2;
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    float *restrict v = range->slots[1];
    float *restrict largest = range->slots[2];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        largest[i] = largest[i] > v[i] ? largest[i] : v[i];
        w[i] -= alpha * m[i] / (sqrtf(largest[i]) + eps);
    }
}

void tr_adam_update(const tr_optimizer *optimizer, const tr_update *range)
{
    const tr_adam *self = (const tr_adam *)optimizer;
    if (self->amsgrad)
        with_amsgrad(self, range);
    else
        plain(self, range);
}

const tr_optimizer_ops tr_adam_ops = {
    .name = "adam",
    .keras_class = "Adam",
    .doc = "adaptive moments",
    .bytes = sizeof(tr_adam),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = tr_adam_slots,
    .begin = tr_adam_begin,
    .update = tr_adam_update,
};
