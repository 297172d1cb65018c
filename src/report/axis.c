/* axis.c -- see axis.h. Steps between ticks are 1, 2 or 5 times a power of ten. */
#include "axis.h"

#include <math.h>
#include <stdio.h>

enum { EPOCH_STEPS = 10, VALUE_STEPS = 6, DECADES = 8 };

static const double margin = 0.05; /* of the values' range, on both sides */

/* The smallest round number that is not below `least`. */
static double round_step(double least)
{
    const double power = pow(10.0, floor(log10(least)));
    const double digits = least / power * (1.0 - 1e-9);
    return power * (digits <= 1.0 ? 1.0 : digits <= 2.0 ? 2.0 : digits <= 5.0 ? 5.0 : 10.0);
}

double tr_axis_place(const tr_axis *axis, double value)
{
    if (axis->logarithmic)
        return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

/* ---- linear ---- */

static void set_ticks(tr_axis *axis, double low, double high, double step)
{
    const double most = fmax(fabs(low), fabs(high));
    int decimals = -(int)floor(log10(step) + 1e-9);
    if (most >= 1e5 || decimals > 5) { /* labels would be long */
        axis->exponent = (int)floor(log10(most));
        decimals += axis->exponent;
    }
    const double unit = pow(10.0, axis->exponent);
    for (double i = ceil(low / step - 1e-9);
         i <= floor(high / step + 1e-9) && axis->n_ticks < TR_TICKS_MAX; i++) {
        tr_tick *tick = &axis->ticks[axis->n_ticks++];
        tick->value = i * step;
        snprintf(tick->label, sizeof tick->label, "%.*f", decimals < 0 ? 0 : decimals,
                 tick->value / unit + 0.0);
    }
}

void tr_axis_of_epochs(tr_axis *axis, int64_t first, int64_t last)
{
    const double range = (double)(last - first);
    const double around = range > 0.0 ? 0.02 * range : 0.5;
    const double steps = last < 100000 ? EPOCH_STEPS : EPOCH_STEPS / 2; /* long labels */
    const double step = fmax(round_step(fmax(range, 1.0) / steps), 1.0);
    *axis = (tr_axis){.low = (double)first - around, .high = (double)last + around};
    for (double i = ceil((double)first / step);
         i * step <= (double)last && axis->n_ticks < TR_TICKS_MAX; i++) {
        tr_tick *tick = &axis->ticks[axis->n_ticks++];
        tick->value = i * step;
        snprintf(tick->label, sizeof tick->label, "%.0f", tick->value);
    }
}

/* ---- logarithmic ---- */

static void set_decades(tr_axis *axis)
{
    const int first = (int)ceil(log10(axis->low)), last = (int)floor(log10(axis->high));
    const int stride = (last - first) / DECADES + 1;
    for (int i = first; i <= last && axis->n_ticks < TR_TICKS_MAX; i += stride) {
        tr_tick *tick = &axis->ticks[axis->n_ticks++];
        tick->value = pow(10.0, i);
        if (i >= -4 && i <= 4)
            snprintf(tick->label, sizeof tick->label, "%g", tick->value);
        else
            snprintf(tick->label, sizeof tick->label, "1e%d", i);
    }
}

/* ---- which of the two ---- */

void tr_axis_of_values(tr_axis *axis, double least, double most, bool may_be_logarithmic)
{
    *axis = (tr_axis){.logarithmic = may_be_logarithmic && least > 0.0 && most > 1000.0 * least};
    if (least > most) {
        least = 0.0;
        most = 1.0;
    }
    if (axis->logarithmic) {
        const double factor = exp(margin * (log(most) - log(least)));
        axis->low = least / factor;
        axis->high = most * factor;
        set_decades(axis);
        return;
    }
    const double size = fmax(fabs(least), fabs(most));
    double around = margin * (most - least);
    if (!(most - least > 1e-9 * size)) /* all the same */
        around = size > 0.0 ? margin * size : 0.5;
    axis->low = least - around;
    axis->high = most + around;
    set_ticks(axis, axis->low, axis->high, round_step((axis->high - axis->low) / VALUE_STEPS));
}
