/* loss_metric.c -- every loss is a metric, too: the mean of its values, with settings of its own.
 */
#include "metric.h"

static double value(const tr_metric_task *task, int64_t i)
{
    const tr_loss *loss = &task->settings->loss;
    const tr_loss_task as_loss = {.pred = task->pred,
                                  .targets = task->targets,
                                  .n = task->n,
                                  .n_padded = task->n,
                                  .width = task->width};
    const double of = loss->ops->sample(loss, &as_loss, i, NULL);
    return loss->ops->metric_is_negative ? -of : of;
}

tr_metric_ops tr_loss_as_metric(const tr_loss_ops *loss)
{
    return (tr_metric_ops){.name = loss->name,
                           .alias = loss->aliases[0],
                           .doc = loss->doc,
                           .keras_class = loss->metric_class,
                           .keys = loss->keys,
                           .n_keys = loss->n_keys,
                           .targets = loss->targets & TR_TARGET_VALUES ? TR_TARGET_VALUES
                                                                       : TR_TARGET_CLASSES,
                           .larger_is_better = loss->metric_is_negative,
                           .wants_values = true,
                           .wants_several = loss->wants_several,
                           .value = value};
}
