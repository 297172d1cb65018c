/* schedule_free_adamw.c -- Schedule-Free AdamW as Keras computes it (Defazio et al. 2024).
 *
 *     v += (g^2 - v) (1 - beta_2)
 *     z' = z - lr g / (sqrt(v / (1 - beta_2^t)) + epsilon)     lr: times min(t / warmup_steps, 1)
 *     x  = (w - (1 - beta_1) z) / beta_1                       the average, recovered from the
 * weights x' = (1 - 1/t) x + z' / t w  = (1 - beta_1) z' + beta_1 x'
 *
 * z, Keras's `momentum`, starts as the weights. Keras measures and saves w, as it trains on it; so
 * does this.
 */
#include <math.h>

#include "elementary_math.h"
#include "optimizer.h"
#include "simd.h"

typedef struct schedule_free {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    int64_t warmup_steps;
    float rate, correction, weight; /* of the step at hand; `weight`: 1 / t */
} schedule_free;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.0025"),
    {.name = "beta_1",
     .kind = TR_KEY_REAL,
     .offset = offsetof(schedule_free, beta_1),
     .fallback = "0.9",
     .max = 1,
     .above_min = true,
     .doc = "how far the weights lean to the average; the rest to where the steps are made"},
    TR_ROW_SHARE(schedule_free, beta_2, "0.999", "decay of the mean squared gradient"),
    {.name = "epsilon",
     .kind = TR_KEY_REAL,
     .offset = offsetof(schedule_free, epsilon),
     .fallback = "1e-8",
     .min = 1.2e-38,
     .max = 1,
     .doc = "keeps the divisor off 0"},
    {.name = "warmup_steps",
     .kind = TR_KEY_INT,
     .offset = offsetof(schedule_free, warmup_steps),
     .fallback = "0",
     .max = 1e12,
     .doc = "updates in which the learning rate rises from 0"},
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0] = (tr_slot){.name = "momentum", .from_weights = true};
    slots[1].name = "velocity";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    schedule_free *self = (schedule_free *)optimizer;
    const double warm = self->warmup_steps > t ? (double)t / (double)self->warmup_steps : 1.0;
    self->rate = (float)(self->base.rate * warm);
    self->correction = (float)(1.0 - tr_pow(self->beta_2, (double)t));
    self->weight = (float)(1.0 / (double)t);
}

TR_SIMD_CLONES
static void step(const schedule_free *self, float *restrict w, float *restrict z, float *restrict v,
                 const float *restrict g, size_t n)
{
    const float rate = self->rate, correction = self->correction, weight = self->weight;
    const float beta = (float)self->beta_1, rest = 1.0f - beta, others = 1.0f - weight;
    const float c2 = (float)(1.0 - self->beta_2), eps = (float)self->epsilon;
    for (size_t i = 0; i < n; i++) {
        v[i] += (g[i] * g[i] - v[i]) * c2;
        const float x = (w[i] - rest * z[i]) / beta;
        z[i] -= rate * g[i] / (sqrtf(v[i] / correction) + eps);
        w[i] = rest * z[i] + beta * (others * x + weight * z[i]);
    }
}

static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    step((const schedule_free *)optimizer, range->weights, range->slots[0], range->slots[1],
         range->gradients, range->n);
}

const tr_optimizer_ops tr_schedule_free_adamw_ops = {
    .name = "schedule_free_adamw",
    .keras_class = "ScheduleFreeAdamW",
    .keras_since = "3.15",
    .doc = "AdamW that averages in place of a schedule",
    .bytes = sizeof(schedule_free),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
