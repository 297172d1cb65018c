/* config_checks.c -- what no single key can say of itself: values that must fit each other. */
#include <math.h>
#include <string.h>

#include "config_internal.h"
#include "trainer/config.h"

/* Pixels are scaled in float32, where 1e300 is infinite and 1e-60 is 0. */
static void check_scale(const tr_config *config)
{
    const float num = (float)config->data.scale_num, den = (float)config->data.scale_den;
    const tr_section *data = tr_ini_find(config->ini, "data");
    const tr_entry *scale = data == NULL ? NULL : tr_section_find(data, "scale");
    if (scale != NULL && den != 0.0f && !(isnormal(num) && isnormal(den) && isnormal(num / den)))
        tr_problems_add(config->problems, scale->line,
                        "[data] scale = %s: must be computable in float32: numerator, denominator "
                        "and quotient from 1.2e-38 to 3.4e38",
                        scale->value);
}

/* Waves of gradients are subtrees of a binary tree. */
static void check_gradient_slots(const tr_config *config)
{
    const int64_t slots = config->engine.gradient_slots;
    if ((slots & (slots - 1)) != 0)
        tr_problems_add(config->problems,
                        tr_section_line(tr_ini_find(config->ini, "engine"), "gradient_slots"),
                        "[engine] gradient_slots = %lld: must be auto or a power of two (1, 2, 4, "
                        "8, ...)",
                        (long long)slots);
}

/* Where validation samples come from: one place, and nothing said about another. */
static void check_validation(const tr_config *config)
{
    const tr_data_config *data = &config->data;
    const tr_section *section = tr_ini_find(config->ini, "data");
    const bool split = data->validation_split > 0.0, file = data->validation_file[0] != '\0';
    if (split && file)
        tr_problems_add(config->problems, tr_section_line(section, "validation_file"),
                        "[data] validation_file and validation_split both say where validation "
                        "images come from; keep one");
    if (data->stratify && !split && data->folds == 0 && data->limit_train == 0)
        tr_problems_add(config->problems, tr_section_line(section, "stratify"),
                        "[data] stratify = true has no effect without validation_split, "
                        "folds or limit_train");
    if (!file && strcmp(data->x_validation, "x_validation") != 0)
        tr_problems_add(config->problems, tr_section_line(section, "x_validation"),
                        "[data] x_validation has no effect without validation_file");
    if (!file && data->sample_weight_validation[0] != '\0')
        tr_problems_add(config->problems, tr_section_line(section, "sample_weight_validation"),
                        "[data] sample_weight_validation has no effect without validation_file; "
                        "images that are split off keep the weights of sample_weight_train");
    if (config->fit.class_weight[0] != '\0' && data->sample_weight_train[0] != '\0')
        tr_problems_add(config->problems, tr_section_line(section, "sample_weight_train"),
                        "[data] sample_weight_train and [fit] class_weight both say what a sample "
                        "counts; as in Keras, keep one");
    if (!file && strcmp(data->y_validation, "y_validation") != 0)
        tr_problems_add(config->problems, tr_section_line(section, "y_validation"),
                        "[data] y_validation has no effect without validation_file");
}

static void check_folds(const tr_config *config)
{
    const tr_data_config *data = &config->data;
    const tr_section *section = tr_ini_find(config->ini, "data");
    const int line = tr_section_line(section, "folds");
    if (data->folds == 1)
        tr_problems_add(config->problems, line, "[data] folds = 1: must be 2 or more, or 0: none");
    if (data->folds > 0 && (data->validation_split > 0.0 || data->validation_file[0] != '\0'))
        tr_problems_add(config->problems, line,
                        "[data] folds and %s both say where validation images come from; keep one",
                        data->validation_split > 0.0 ? "validation_split" : "validation_file");
    if (data->folds == 0 ? data->fold != 1 : data->fold > data->folds)
        tr_problems_add(config->problems, tr_section_line(section, "fold"),
                        data->folds == 0 ? "[data] fold = %lld has no effect without folds"
                                         : "[data] fold = %lld: there are %lld folds, from 1 on",
                        (long long)data->fold, (long long)data->folds);
}

static void check_initial_weights(const tr_config *config)
{
    const tr_section *fit = tr_ini_find(config->ini, "fit");
    static const char text[] = "[fit] %s = true has no effect without initial_weights";
    if (config->fit.initial_weights[0] != '\0')
        return;
    if (config->fit.by_name)
        tr_problems_add(config->problems, tr_section_line(fit, "by_name"), text, "by_name");
    if (config->fit.skip_mismatch)
        tr_problems_add(config->problems, tr_section_line(fit, "skip_mismatch"), text,
                        "skip_mismatch");
}

/* Mirrored and moved is what lies in rows and columns. */
static void check_views(const tr_config *config)
{
    if (config->evaluate_views != 0 && config->input_flat)
        tr_problems_add(config->problems,
                        tr_section_line(tr_ini_find(config->ini, "evaluate"), "views"),
                        "[evaluate] views are of images, and [model] input_shape says vectors; "
                        "remove them");
}

void tr_config_check_values(const tr_config *config)
{
    check_scale(config);
    check_gradient_slots(config);
    check_validation(config);
    check_folds(config);
    check_initial_weights(config);
    check_views(config);
}
