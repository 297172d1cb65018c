/* loss.c -- what all losses share: the loop over samples, and the settings; see loss.h. */
#include "loss.h"

#include <string.h>

#include "ini_file.h"
#include "value.h"

const double tr_loss_epsilon = 1e-7;

double tr_loss_run(const tr_loss *loss, const tr_loss_task *task)
{
    const int64_t width = task->width;
    double sum = 0.0;
    tr_loss_task own = *task;
    for (int64_t i = 0; i < task->n; i++) {
        const float weight = task->weights == NULL ? 1.0f : task->weights[i];
        own.weight = task->weight * weight;
        sum += (double)weight *
               loss->ops->sample(loss, &own, i, task->diff == NULL ? NULL : task->diff + i * width);
    }
    for (int64_t k = task->n * width; task->diff != NULL && k < task->n_padded * width; k++)
        task->diff[k] = 0.0f;
    return sum;
}

void tr_loss_predictions(const tr_loss *loss, const float *pred, float *out, int64_t n,
                         int64_t width)
{
    for (int64_t i = 0; i < n; i++) {
        if (loss->takes_over)
            loss->ops->activate(pred + i * width, out + i * width, width);
        else
            memcpy(out + i * width, pred + i * width, (size_t)width * sizeof *out);
    }
}

double tr_loss_mean(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff,
                    double (*at)(const tr_loss *loss, double p, double t, double *derivative))
{
    const float *pred = task->pred + i * task->width;
    double sum = 0.0;
    for (int64_t j = 0; j < task->width; j++) {
        double derivative;
        sum +=
            at(loss, (double)pred[j], tr_target_at(&task->targets, i, j, task->width), &derivative);
        if (diff != NULL)
            diff[j] = task->weight * (float)(derivative / (double)task->width);
    }
    return sum / (double)task->width;
}

/* ---- settings ---- */

tr_loss tr_loss_default(const tr_loss_ops *ops)
{
    tr_loss loss = {.ops = ops};
    for (size_t k = 0; k < ops->n_keys; k++)
        (void)tr_value_parse(&ops->keys[k], ops->keys[k].fallback, &loss);
    return loss;
}

tr_status tr_loss_parse(tr_loss *loss, const tr_config *config, tr_error *err)
{
    *loss = (tr_loss){0};
    if (config->compile.loss == NULL) /* missing: reported already */
        return TR_OK;
    const tr_loss_ops *ops = tr_loss_find(config->compile.loss);
    if (ops == NULL) {
        const char *names[TR_MAX_LOSSES];
        tr_loss_names(names);
        tr_section_unknown(tr_ini_find(config->ini, "compile"), "loss", "loss", names,
                           config->problems);
        return TR_OK;
    }
    loss->ops = ops;
    if (!tr_section_set_canonical(tr_ini_find(config->ini, "compile"), "loss", ops->name))
        return tr_out_of_memory(err, NULL);
    /* A loss without settings gets no empty section in the effective configuration. */
    tr_section *section =
        ops->n_keys > 0 ? tr_ini_demand(config->ini, "loss") : tr_ini_find(config->ini, "loss");
    if (section == NULL)
        return ops->n_keys == 0 ? TR_OK : tr_out_of_memory(err, NULL);
    if (ops->n_keys == 0)
        tr_problems_add(config->problems, section->line,
                        "[loss]: %s has no settings; remove the section", ops->name);
    else
        tr_section_read(section, ops->keys, ops->n_keys, loss, config->problems);
    return TR_OK;
}

static void problem(const tr_loss *loss, const tr_config *config, const char *activation,
                    const char *reason)
{
    tr_problems_add(config->problems, tr_section_line(tr_ini_find(config->ini, "compile"), "loss"),
                    "[compile] loss = %s with a last activation of %s: %s", loss->ops->name,
                    activation, reason);
}

void tr_loss_fit_network(tr_loss *loss, const tr_config *config, const char *activation,
                         int64_t width)
{
    const tr_loss_ops *ops = loss->ops;
    const bool squashes = strcmp(activation, "softmax") == 0 || strcmp(activation, "sigmoid") == 0;
    if (strcmp(activation, "softmax") == 0 && width == 1)
        problem(loss, config, activation,
                "softmax over one unit is always 1; for two classes use activation = sigmoid with "
                "loss = binary_crossentropy, or units = 2");
    else if (ops->wants_several && width == 1)
        problem(loss, config, activation,
                "the last layer has one unit, but this loss wants one per class; for two classes "
                "in one unit use activation = sigmoid with loss = binary_crossentropy");
    else if (loss->from_logits && squashes)
        problem(loss, config, activation,
                "[loss] from_logits = true says that the outputs are logits, but they are "
                "probabilities already; remove one of the two");
    else if (ops->wants_probabilities && !squashes && !loss->from_logits)
        problem(loss, config, activation,
                tr_key_find(ops->keys, ops->n_keys, "from_logits") != NULL
                    ? "its outputs are no probabilities; use activation = softmax (classes) or "
                      "sigmoid, or [loss] from_logits = true"
                    : "its outputs are no probabilities; use activation = softmax or sigmoid");
    loss->takes_over =
        ops->final_activation != NULL && strcmp(activation, ops->final_activation) == 0;
    loss->logits = loss->from_logits || loss->takes_over;
}
