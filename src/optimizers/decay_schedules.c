/* decay_schedules.c -- rates that fall with the step s, as Keras computes them.
 *
 *     exponential_decay         initial * decay_rate^(s / decay_steps)
 *     inverse_time_decay        initial / (1 + decay_rate * s / decay_steps)
 *                               staircase: both with floor(s / decay_steps)
 *     polynomial_decay          (initial - end) (1 - s / n)^power + end,  n = decay_steps
 *                               s is at most n; cycle: n * ceil(s / n) in place of n instead
 *     piecewise_constant_decay  values[i] for boundaries[i - 1] < s <= boundaries[i]
 */
#include <math.h>

#include "elementary_math.h"
#include "schedule.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- exponential and inverse time ---- */

static const tr_key decay_keys[] = {
    TR_ROW_INITIAL_RATE,
    TR_ROW_STEPS(decay_steps, "steps that one decay_rate takes"),
    {.name = "decay_rate",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, decay_rate),
     .max = 1e6,
     .above_min = true,
     .doc = "decay over decay_steps"},
    {.name = "staircase",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(tr_schedule, staircase),
     .fallback = "false",
     .doc = "fall at once, every decay_steps"},
};

static double decays(const tr_schedule *self, double step)
{
    const double n = step / (double)self->decay_steps;
    return self->staircase ? floor(n) : n;
}

static double exponential(const tr_schedule *self, double step)
{
    return self->initial_learning_rate * tr_pow(self->decay_rate, decays(self, step));
}

static double inverse_time(const tr_schedule *self, double step)
{
    return self->initial_learning_rate / (1.0 + self->decay_rate * decays(self, step));
}

const tr_schedule_ops tr_exponential_decay_ops = {
    .name = "exponential_decay",
    .doc = "initial * decay_rate^(step / decay_steps)",
    .keys = decay_keys,
    .n_keys = COUNT(decay_keys),
    .rate = exponential,
};

const tr_schedule_ops tr_inverse_time_decay_ops = {
    .name = "inverse_time_decay",
    .doc = "initial / (1 + decay_rate * step / decay_steps)",
    .keys = decay_keys,
    .n_keys = COUNT(decay_keys),
    .rate = inverse_time,
};

/* ---- polynomial ---- */

static const tr_key polynomial_keys[] = {
    TR_ROW_INITIAL_RATE,
    TR_ROW_STEPS(decay_steps, "steps until the end"),
    {.name = "end_learning_rate",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, end_learning_rate),
     .fallback = "0.0001",
     .max = 1e6,
     .doc = "learning rate from decay_steps on"},
    {.name = "power",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_schedule, power),
     .fallback = "1",
     .max = 1000,
     .above_min = true,
     .doc = "of the polynomial; 1: a straight line"},
    {.name = "cycle",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(tr_schedule, cycle),
     .fallback = "false",
     .doc = "after decay_steps rise and fall again, towards the next multiple of them"},
};

static double polynomial(const tr_schedule *self, double step)
{
    double n = (double)self->decay_steps;
    if (self->cycle)
        n *= step == 0.0 ? 1.0 : ceil(step / n);
    const double left = 1.0 - fmin(step, n) / n, end = self->end_learning_rate;
    return (self->initial_learning_rate - end) * tr_pow(left, self->power) + end;
}

const tr_schedule_ops tr_polynomial_decay_ops = {
    .name = "polynomial_decay",
    .doc = "(initial - end) (1 - step / decay_steps)^power + end",
    .keys = polynomial_keys,
    .n_keys = COUNT(polynomial_keys),
    .rate = polynomial,
};

/* ---- piecewise constant ---- */

static const tr_key piecewise_keys[] = {
    {.name = "boundaries",
     .kind = TR_KEY_REALS,
     .offset = offsetof(tr_schedule, boundaries),
     .max = 1e12,
     .doc = "increasing steps; the rate changes after each"},
    {.name = "values",
     .kind = TR_KEY_REALS,
     .offset = offsetof(tr_schedule, values),
     .max = 1e6,
     .doc = "the rates, one more than there are boundaries"},
};

static void check_piecewise(const tr_schedule *self, const tr_section *section,
                            tr_problems *problems)
{
    for (int i = 1; i < self->boundaries.n; i++)
        if (!(self->boundaries.values[i] > self->boundaries.values[i - 1])) {
            tr_problems_add(problems, tr_section_line(section, "boundaries"),
                            "[%s] boundaries must increase, but %.10g follows %.10g", section->name,
                            self->boundaries.values[i], self->boundaries.values[i - 1]);
            break;
        }
    for (int i = 0; i < self->boundaries.n; i++)
        if (self->boundaries.values[i] != floor(self->boundaries.values[i])) {
            tr_problems_add(problems, tr_section_line(section, "boundaries"),
                            "[%s] boundaries: %.10g is not a whole number; boundaries "
                            "are steps (updates), not epochs",
                            section->name, self->boundaries.values[i]);
            break;
        }
    if (self->values.n != self->boundaries.n + 1)
        tr_problems_add(problems, tr_section_line(section, "values"),
                        "[%s] values must be one more than the %d boundaries, not %d",
                        section->name, self->boundaries.n, self->values.n);
}

static double piecewise(const tr_schedule *self, double step)
{
    int i = 0;
    while (i < self->boundaries.n && step > self->boundaries.values[i])
        i++;
    return self->values.values[i];
}

const tr_schedule_ops tr_piecewise_constant_decay_ops = {
    .name = "piecewise_constant_decay",
    .doc = "one of several rates, by the step",
    .keys = piecewise_keys,
    .n_keys = COUNT(piecewise_keys),
    .check = check_piecewise,
    .rate = piecewise,
};
