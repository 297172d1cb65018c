/* class_weight.c -- [fit] class_weight: how much each class counts in the training; see
 * class_weight.h.
 */
#include "class_weight.h"

#include <string.h>

#include "ini_file.h"
#include "value.h"

static const tr_key numbers = {.name = "class_weight", .kind = TR_KEY_REALS, .min = 0, .max = 1e30};

/* Outputs are classes, or one output says which of two. */
static int n_classes(const tr_loss *loss, int64_t width)
{
    const bool two = loss->ops->targets_in_0_1 || loss->ops->targets_are_signs;
    return width > 1 ? (int)width : two ? 2 : 0;
}

void tr_class_weight_parse(tr_class_weight *out, const tr_config *config, const tr_loss *loss,
                           int64_t width)
{
    const char *text = config->fit.class_weight;
    const int line = tr_section_line(tr_ini_find(config->ini, "fit"), "class_weight");
    *out = (tr_class_weight){0};
    if (text[0] == '\0')
        return;
    out->n_classes = n_classes(loss, width);
    if (out->n_classes == 0) {
        tr_problems_add(config->problems, line,
                        "[fit] class_weight = %s: loss = %s with one output has no classes; use "
                        "[data] sample_weight_train",
                        text, loss->ops->name);
    } else if (strcmp(text, "balanced") == 0) {
        out->balanced = true;
    } else if (!tr_value_parse(&numbers, text, &out->given)) {
        tr_problems_add(config->problems, line,
                        "[fit] class_weight = %s: must be balanced, or a number of at least 0 for "
                        "each class, separated by commas",
                        text);
    } else if (out->given.n != out->n_classes) {
        tr_problems_add(config->problems, line,
                        "[fit] class_weight = %s: has %d numbers, but there are %d classes", text,
                        out->given.n, out->n_classes);
    }
}
