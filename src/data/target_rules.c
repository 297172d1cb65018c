/* target_rules.c -- targets against the network and its loss: class numbers that it has outputs
 * for, values that the loss has a meaning for; see target_rules.h.
 */
#include "target_rules.h"

/* With labels from 1 on, one more unit would be a class that never comes. */
static const char *label_advice(const tr_samples *samples)
{
    for (int64_t i = 0; i < samples->n; i++)
        if (samples->y[i] == 0)
            return "give its last layer more units";
    return "no label is 0, so they may be numbered from 1: subtract the lowest label from all of "
           "them";
}

static tr_status check_class_numbers(const char *const text[2], const tr_samples *samples,
                                     int64_t n_classes, tr_error *err)
{
    for (int64_t i = 0; i < samples->n; i++)
        if (samples->y[i] < 0 || samples->y[i] >= n_classes)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s holds the label %d at index %lld, but the model has %lld "
                           "outputs: labels start from 0 and end at %lld; %s",
                           text[0], text[1], samples->y[i], (long long)i, (long long)n_classes,
                           (long long)n_classes - 1, label_advice(samples));
    return TR_OK;
}

static const char *wanted_values(const tr_target_rules *rules)
{
    return rules->signs    ? "-1 or 1, or 0 or 1, and one of the two throughout"
           : rules->add_up ? "a distribution over the classes: values from 0 to 1 that add up to 1 "
                             "(one-hot rows)"
                           : "targets from 0 to 1; for numbered classes use "
                             "sparse_categorical_crossentropy with one output per class";
}

static tr_status fail_value(const char *const text[2], const tr_target_rules *rules, int64_t i,
                            double found, const char *what, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: %s, sample %lld: %s %.9g; [compile] loss = %s wants %s",
                   text[0], text[1], (long long)i, what, found, rules->loss, wanted_values(rules));
}

/* -1 and 1, or 0 and 1: 0 among signs would be neither side. */
static tr_status check_signs(const char *const text[2], const tr_samples *samples,
                             const tr_target_rules *rules, tr_error *err)
{
    double low = 1.0; /* the other of the two, as soon as one is met */
    for (int64_t k = 0; k < samples->n * samples->width; k++) {
        const double t = (double)samples->values[k];
        const bool fine = t == 1.0 || t == low || (low == 1.0 && (t == 0.0 || t == -1.0));
        if (!fine)
            return fail_value(text, rules, k / samples->width, t, "holds", err);
        low = t != 1.0 ? t : low;
    }
    return TR_OK;
}

/* 1e-3: sums of float32 shares, rounded as their author liked. */
static tr_status check_values(const char *const text[2], const tr_samples *samples,
                              const tr_target_rules *rules, tr_error *err)
{
    if (samples->width != rules->width)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s has %lld numbers per sample, but the model has %lld outputs; they "
                       "must agree: change the last layer's units%s",
                       text[0], text[1], (long long)samples->width, (long long)rules->width,
                       samples->width == 1 && rules->in_0_1
                           ? ", or use a categorical loss for class numbers"
                           : "");
    if (rules->signs)
        return check_signs(text, samples, rules, err);
    for (int64_t i = 0; rules->in_0_1 && i < samples->n; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < samples->width; j++) {
            const double t = (double)samples->values[i * samples->width + j];
            if (t < 0.0 || t > 1.0)
                return fail_value(text, rules, i, t, "holds", err);
            sum += t;
        }
        if (rules->add_up && (sum < 1.0 - 1e-3 || sum > 1.0 + 1e-3))
            return fail_value(text, rules, i, sum, "adds up to", err);
    }
    return TR_OK;
}

tr_status tr_targets_check_rules(const char *const text[2], const tr_samples *samples,
                                 const tr_target_rules *rules, tr_error *err)
{
    if (samples->n == 0)
        return TR_OK;
    return samples->y != NULL ? check_class_numbers(text, samples, rules->width, err)
                              : check_values(text, samples, rules, err);
}
