/* cosine_schedules.c -- half a wave down, with a warm-up or with restarts, as Keras computes it.
 *
 *     c(x) = (1 - alpha) (1 + cos(pi x)) / 2 + alpha
 *
 *     cosine_decay           initial c(s / decay_steps), s at most decay_steps
 *     the same, warmed up    a straight line from initial to warmup_target in warmup_steps, then
 *                            warmup_target c((s - warmup_steps) / decay_steps)
 *     cosine_decay_restarts  period i has first_decay_steps t_mul^i steps, and the wave in it
 *                            starts at m_mul^i (Loshchilov & Hutter 2017)
 */
#include <math.h>

#include "elementary_math.h"
#include "schedule.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static double wave(const tr_schedule *self, double height, double fraction)
{
    return (1.0 - self->alpha) * 0.5 * height * (1.0 + tr_cos_pi(fraction)) + self->alpha;
}

/* ---- cosine_decay ---- */

static const tr_key cosine_keys[] = {
    TR_ROW_INITIAL_RATE,
    TR_ROW_STEPS(decay_steps, "steps of the decay, after the warm-up"),
    TR_ROW_ALPHA,
    {.name = "warmup_target",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, warmup_target),
     .max = 1e6,
     .optional = true,
     .doc = "learning rate that a warm-up rises to"},
    {.name = "warmup_steps",
     .kind = TR_KEY_INT,
     .offset = offsetof(tr_schedule, warmup_steps),
     .min = 1,
     .max = 1e12,
     .optional = true,
     .doc = "steps of the warm-up"},
};

static void check_cosine(const tr_schedule *self, const tr_section *section, tr_problems *problems)
{
    (void)self;
    const char *const pair[] = {"warmup_target", "warmup_steps"};
    for (int i = 0; i < 2; i++)
        if (tr_section_find(section, pair[i]) != NULL &&
            tr_section_find(section, pair[1 - i]) == NULL)
            tr_problems_add(problems, tr_section_line(section, pair[i]),
                            "[%s] %s has no effect without %s", section->name, pair[i],
                            pair[1 - i]);
}

static double cosine(const tr_schedule *self, double step)
{
    const double initial = self->initial_learning_rate, n = (double)self->decay_steps;
    const double warmup = (double)self->warmup_steps;
    if (warmup == 0.0)
        return initial * wave(self, 1.0, fmin(step, n) / n);
    if (step < warmup)
        return (self->warmup_target - initial) * (step / warmup) + initial;
    return self->warmup_target * wave(self, 1.0, fmin(step - warmup, n) / n);
}

const tr_schedule_ops tr_cosine_decay_ops = {
    .name = "cosine_decay",
    .doc = "half a cosine wave down, after an optional warm-up",
    .keys = cosine_keys,
    .n_keys = COUNT(cosine_keys),
    .check = check_cosine,
    .rate = cosine,
};

/* ---- cosine_decay_restarts ---- */

static const tr_key restarts_keys[] = {
    TR_ROW_INITIAL_RATE,
    TR_ROW_STEPS(first_decay_steps, "steps of the first period"),
    {.name = "t_mul",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, t_mul),
     .fallback = "2",
     .min = 1,
     .max = 1e6,
     .doc = "each period is longer by this factor"},
    {.name = "m_mul",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, m_mul),
     .fallback = "1",
     .max = 1e6,
     .doc = "each period starts at this share of the rate of the one before"},
    TR_ROW_ALPHA,
};

/* Keras finds the period with logarithms; subtracting whole periods puts a restart on its step
 * without rounding. With t_mul = 1 there may be too many to subtract. */
static double restarts(const tr_schedule *self, double step)
{
    double length = (double)self->first_decay_steps, period = 0.0, begin = 0.0;
    if (self->t_mul == 1.0) {
        period = floor(step / length);
        begin = period * length;
    }
    while (self->t_mul > 1.0 && step - begin >= length) {
        begin += length;
        length *= self->t_mul;
        period += 1.0;
    }
    return self->initial_learning_rate *
           wave(self, tr_pow(self->m_mul, period), (step - begin) / length);
}

const tr_schedule_ops tr_cosine_decay_restarts_ops = {
    .name = "cosine_decay_restarts",
    .doc = "half a cosine wave down, again and again",
    .keys = restarts_keys,
    .n_keys = COUNT(restarts_keys),
    .rate = restarts,
};
