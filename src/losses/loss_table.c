/* loss_table.c -- the list of losses. A new loss is one file beside this one and one row here. */
#include <string.h>

#include "loss.h"

extern const tr_loss_ops tr_sparse_categorical_crossentropy_ops, tr_categorical_crossentropy_ops,
    tr_binary_crossentropy_ops, tr_categorical_focal_crossentropy_ops,
    tr_binary_focal_crossentropy_ops, tr_kl_divergence_ops, tr_poisson_ops,
    tr_mean_squared_error_ops, tr_mean_absolute_error_ops, tr_mean_absolute_percentage_error_ops,
    tr_mean_squared_logarithmic_error_ops, tr_huber_ops, tr_log_cosh_ops, tr_cosine_similarity_ops,
    tr_hinge_ops, tr_squared_hinge_ops, tr_categorical_hinge_ops;

const tr_loss_ops *const tr_loss_table[] = {
    &tr_sparse_categorical_crossentropy_ops,
    &tr_categorical_crossentropy_ops,
    &tr_binary_crossentropy_ops,
    &tr_categorical_focal_crossentropy_ops,
    &tr_binary_focal_crossentropy_ops,
    &tr_kl_divergence_ops,
    &tr_poisson_ops,
    &tr_mean_squared_error_ops,
    &tr_mean_absolute_error_ops,
    &tr_mean_absolute_percentage_error_ops,
    &tr_mean_squared_logarithmic_error_ops,
    &tr_huber_ops,
    &tr_log_cosh_ops,
    &tr_cosine_similarity_ops,
    &tr_hinge_ops,
    &tr_squared_hinge_ops,
    &tr_categorical_hinge_ops,
    NULL,
};

enum { N_LOSSES = sizeof tr_loss_table / sizeof *tr_loss_table };

const tr_loss_ops *tr_loss_find(const char *name)
{
    for (size_t i = 0; tr_loss_table[i] != NULL; i++) {
        const tr_loss_ops *ops = tr_loss_table[i];
        if (strcmp(ops->name, name) == 0)
            return ops;
        for (int k = 0; k < TR_MAX_ALIASES && ops->aliases[k] != NULL; k++)
            if (strcmp(ops->aliases[k], name) == 0)
                return ops;
    }
    return NULL;
}

void tr_loss_names(const char *names[TR_MAX_LOSSES])
{
    _Static_assert((int)N_LOSSES <= (int)TR_MAX_LOSSES, "raise TR_MAX_LOSSES");
    for (size_t i = 0; i < N_LOSSES; i++)
        names[i] = tr_loss_table[i] == NULL ? NULL : tr_loss_table[i]->name;
}
