/* data_notes.c -- see data_notes.h.
 *
 * A network begins with weights made for inputs of about the size of 1. Far from it a training that
 * runs without an error stays at the rate of guessing, so the range that the network sees is named
 * with what to change. Standardised pixels (up to 5 or so) and [-1, 1] are as good as [0, 1].
 */
#include "data_notes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "samples.h"

static const double seen_least = 0.02, seen_most = 10.0;

tr_status tr_pixel_range_of(tr_pixel_range *out, const tr_config *config, const tr_samples *samples,
                            tr_error *err)
{
    float low, high;
    TR_TRY(tr_samples_range(samples, &low, &high, err));
    const float num = (float)config->data.scale_num, den = (float)config->data.scale_den;
    *out = (tr_pixel_range){(double)low, (double)high, (double)(low * num / den),
                            (double)(high * num / den)};
    return TR_OK;
}

/* Whether a layer changes the range of the pixels on purpose, so that what comes in says nothing.
 */
static bool is_scaled(const tr_config *config)
{
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_entry *type = tr_section_find(&config->ini->sections[i], "type");
        if (type != NULL &&
            (strcmp(type->value, "rescaling") == 0 || strcmp(type->value, "normalization") == 0))
            return true;
    }
    return false;
}

void tr_warn_of_pixels(FILE *out, const tr_config *config, const tr_pixel_range *range)
{
    const double stored = fmax(fabs(range->low), fabs(range->high));
    const double seen = fmax(fabs(range->seen_low), fabs(range->seen_high));
    if ((seen >= seen_least && seen <= seen_most) || is_scaled(config))
        return;
    fprintf(out,
            "trainer: warning: the network sees pixels from %g to %g (%s: %g to %g, by [data] "
            "scale): far from the size of 1 that it starts for; ",
            range->seen_low, range->seen_high, config->data.file, range->low, range->high);
    if (stored == 0.0)
        fputs("they are all 0\n", out);
    else if (stored >= seen_least && stored <= seen_most)
        fputs("they need no scale: use [data] scale = 1\n", out);
    else if (stored > seen_most && stored <= 255.0)
        fputs("for bytes use [data] scale = 1/255\n", out);
    else
        fprintf(out, "use [data] scale = 1/%.9g\n", stored);
}

void tr_warn_of_value_ranges(FILE *out, const tr_config *config, const tr_pixel_range *range)
{
    if (is_scaled(config))
        return;
    for (size_t i = 0; i < config->ini->n_sections; i++) {
        const tr_section *section = &config->ini->sections[i];
        const tr_entry *entry = tr_section_find(section, "value_range");
        char *rest = entry == NULL ? NULL : strchr(entry->value, ',');
        if (rest == NULL)
            continue;
        const double low = strtod(entry->value, NULL), high = strtod(rest + 1, NULL);
        const double seen = range->seen_high - range->seen_low, slack = 0.01 * seen;
        if (high - low > 10.0 * seen || range->seen_high > high + slack ||
            range->seen_low < low - slack)
            fprintf(out,
                    "trainer: warning: [%s] value_range = %s, but pixels come in from %g to %g; if "
                    "that is their whole range, use value_range = %g, %g\n",
                    section->name, entry->value, range->seen_low, range->seen_high, range->seen_low,
                    range->seen_high);
    }
}

/* How many samples each class has; NULL: out of memory, or targets that are no classes. */
static int64_t *count_classes(const tr_samples *samples, int64_t width, int64_t n_classes)
{
    int64_t *counts = tr_alloc((size_t)n_classes, sizeof *counts);
    for (int64_t i = 0; counts != NULL && i < samples->n; i++) {
        int64_t class = 0;
        if (samples->y != NULL)
            class = samples->y[i];
        else if (width == 1)
            class = samples->values[i] > 0.5f;
        else
            for (int64_t j = 1; j < width; j++)
                class =
                    samples->values[i * width + j] > samples->values[i * width + class] ? j : class;
        counts[class]++;
    }
    return counts;
}

static void print_class(FILE *out, const tr_model *model, int64_t class, const char *before)
{
    const char *name = tr_model_class_name(model, class);
    fprintf(out, "%s %lld", before, (long long)class);
    if (name != NULL)
        fprintf(out, " (%s)", name);
}

/* More or fewer names than outputs are for. */
static void warn_of_names(FILE *out, const tr_config *config, const tr_model *model, int64_t n)
{
    const int64_t names = tr_model_legend(model)->n_classes;
    if (names > 0 && names != n)
        fprintf(out,
                "trainer: warning: %s: has names for %lld classes, the network has outputs for "
                "%lld\n",
                config->data.file, (long long)names, (long long)n);
}

void tr_warn_of_classes(FILE *out, const tr_config *config, const tr_model *model,
                        const tr_samples *samples)
{
    enum { NAMED_MAX = 10 };
    const int64_t width = tr_model_n_classes(model), n_classes = width == 1 ? 2 : width;
    if (tr_model_answers_several(model))
        warn_of_names(out, config, model, width);
    if (!tr_model_predicts_classes(model) || samples->n == 0)
        return;
    warn_of_names(out, config, model, n_classes);
    int64_t *counts = count_classes(samples, width, n_classes), empty = 0;
    for (int64_t k = 0; counts != NULL && k < n_classes; k++)
        empty += counts[k] == 0;
    if (empty > 0) {
        fprintf(out, "trainer: warning: %s: no sample in %s of class", config->data.file,
                config->data.y_train);
        int64_t named = 0;
        for (int64_t k = 0; k < n_classes && named < NAMED_MAX; k++)
            if (counts[k] == 0)
                print_class(out, model, k, named++ == 0 ? "" : ",");
        fprintf(out, "%s%s\n", empty > NAMED_MAX ? ", ..." : "",
                counts[0] == 0 && empty == 1
                    ? ": are the labels numbered from 1? Class numbers start from 0"
                    : ": the network can only learn never to say so");
    }
    tr_free(counts);
}
