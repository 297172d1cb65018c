/* metric_table.c -- the list of metrics. A new one is its ops in a file beside this one and one row
 * here; losses, which are metrics too, need none.
 */
#include <string.h>

#include "metric.h"

extern const tr_metric_ops tr_accuracy_ops, tr_binary_accuracy_ops, tr_categorical_accuracy_ops,
    tr_sparse_categorical_accuracy_ops, tr_top_k_ops, tr_top_k_categorical_accuracy_ops,
    tr_sparse_top_k_categorical_accuracy_ops, tr_precision_ops, tr_recall_ops, tr_f1_score_ops,
    tr_fbeta_score_ops, tr_auc_ops, tr_true_positives_ops, tr_false_positives_ops,
    tr_true_negatives_ops, tr_false_negatives_ops, tr_root_mean_squared_error_ops;

const tr_metric_ops *const tr_metric_table[] = {
    &tr_accuracy_ops,
    &tr_binary_accuracy_ops,
    &tr_categorical_accuracy_ops,
    &tr_sparse_categorical_accuracy_ops,
    &tr_top_k_ops,
    &tr_top_k_categorical_accuracy_ops,
    &tr_sparse_top_k_categorical_accuracy_ops,
    &tr_precision_ops,
    &tr_recall_ops,
    &tr_f1_score_ops,
    &tr_fbeta_score_ops,
    &tr_auc_ops,
    &tr_true_positives_ops,
    &tr_false_positives_ops,
    &tr_true_negatives_ops,
    &tr_false_negatives_ops,
    &tr_root_mean_squared_error_ops,
    NULL,
};

enum { N_METRICS = sizeof tr_metric_table / sizeof *tr_metric_table - 1 };

bool tr_metric_find(tr_metric_ops *found, const char *name)
{
    for (size_t i = 0; i < N_METRICS; i++) {
        const tr_metric_ops *ops = tr_metric_table[i];
        if (strcmp(ops->name, name) == 0 || (ops->alias != NULL && strcmp(ops->alias, name) == 0)) {
            *found = *ops;
            return true;
        }
    }
    const tr_loss_ops *loss = tr_loss_find(name);
    if (loss != NULL)
        *found = tr_loss_as_metric(loss);
    return loss != NULL;
}

void tr_metric_names(const char *names[TR_MAX_METRIC_NAMES])
{
    _Static_assert((int)N_METRICS < (int)TR_MAX_METRIC_NAMES - (int)TR_MAX_LOSSES,
                   "raise TR_MAX_METRIC_NAMES");
    for (size_t i = 0; i < N_METRICS; i++)
        names[i] = tr_metric_table[i]->name;
    tr_loss_names(names + N_METRICS);
}
