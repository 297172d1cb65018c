/* callbacks.c -- the callbacks of a configuration; see callbacks.h. */
#include "callbacks.h"

void tr_callbacks_parse(tr_callbacks *out, const tr_config *config, const tr_metric_list *metrics)
{
    const tr_early_stopping_config *stopping = &config->early_stopping;
    const tr_plateau_config *plateau = &config->plateau;
    *out =
        (tr_callbacks){.early_stopping = {.patience = stopping->patience,
                                          .start_from_epoch = stopping->start_from_epoch,
                                          .min_delta = stopping->min_delta,
                                          .baseline = stopping->baseline,
                                          .restore_best_weights = stopping->restore_best_weights},
                       .plateau = {.patience = plateau->patience,
                                   .cooldown = plateau->cooldown,
                                   .min_delta = plateau->min_delta,
                                   .factor = plateau->factor,
                                   .min_lr = plateau->min_lr}};
    tr_monitor_parse(&out->best, config, "checkpoint", config->checkpoint.monitor, TR_MODE_AUTO,
                     metrics);
    if (stopping->on)
        tr_monitor_parse(&out->early_stopping.monitor, config, "early_stopping", stopping->monitor,
                         (tr_mode)stopping->mode, metrics);
    if (plateau->on)
        tr_monitor_parse(&out->plateau.monitor, config, "reduce_lr_on_plateau", plateau->monitor,
                         (tr_mode)plateau->mode, metrics);
}
