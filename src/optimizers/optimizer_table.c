/* optimizer_table.c -- the list of optimizers. A new one is one file beside this one and one row.
 */
#include <string.h>

#include "optimizer.h"

extern const tr_optimizer_ops tr_adadelta_ops, tr_adafactor_ops, tr_adagrad_ops, tr_adam_ops,
    tr_adamax_ops, tr_adamw_ops, tr_ftrl_ops, tr_lamb_ops, tr_lion_ops, tr_muon_ops, tr_nadam_ops,
    tr_rmsprop_ops, tr_schedule_free_adamw_ops, tr_sgd_ops;

const tr_optimizer_ops *const tr_optimizer_table[] = {&tr_adadelta_ops,
                                                      &tr_adafactor_ops,
                                                      &tr_adagrad_ops,
                                                      &tr_adam_ops,
                                                      &tr_adamax_ops,
                                                      &tr_adamw_ops,
                                                      &tr_ftrl_ops,
                                                      &tr_lamb_ops,
                                                      &tr_lion_ops,
                                                      &tr_muon_ops,
                                                      &tr_nadam_ops,
                                                      &tr_rmsprop_ops,
                                                      &tr_schedule_free_adamw_ops,
                                                      &tr_sgd_ops,
                                                      NULL};

enum { N_OPTIMIZERS = sizeof tr_optimizer_table / sizeof *tr_optimizer_table };

const tr_optimizer_ops *tr_optimizer_find(const char *name)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        if (strcmp(tr_optimizer_table[i]->name, name) == 0)
            return tr_optimizer_table[i];
    return NULL;
}

void tr_optimizer_names(const char *names[TR_MAX_OPTIMIZERS])
{
    _Static_assert((int)N_OPTIMIZERS <= (int)TR_MAX_OPTIMIZERS, "raise TR_MAX_OPTIMIZERS");
    for (size_t i = 0; i < N_OPTIMIZERS; i++)
        names[i] = tr_optimizer_table[i] == NULL ? NULL : tr_optimizer_table[i]->name;
}
