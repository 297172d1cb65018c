/* optimizer_table.c -- the list of optimizers. A new one is one file beside this one and one row.
 */
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "optimizer.h"

extern const tr_optimizer_ops tr_adam_ops, tr_sgd_ops;

const tr_optimizer_ops *const tr_optimizer_table[] = {&tr_adam_ops, &tr_sgd_ops, NULL};

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

tr_optimizer *tr_optimizer_new(const tr_optimizer_ops *ops, tr_section *section,
                               tr_problems *problems)
{
    tr_optimizer *optimizer = tr_alloc(1, ops->bytes);
    if (optimizer == NULL)
        return NULL;
    optimizer->ops = ops;
    if (tr_section_read(section, ops->keys, ops->n_keys, optimizer, problems) && ops->check != NULL)
        ops->check(optimizer, section, problems);
    return optimizer;
}

tr_status tr_optimizer_make(tr_optimizer **out, const tr_config *config, tr_error *err)
{
    *out = NULL;
    const char *name = config->compile.optimizer;
    if (name == NULL) /* missing: reported already */
        return TR_OK;
    const tr_optimizer_ops *ops = tr_optimizer_find(name);
    if (ops == NULL) {
        const char *names[TR_MAX_OPTIMIZERS];
        tr_optimizer_names(names);
        tr_section_unknown(tr_ini_find(config->ini, "compile"), "optimizer", "optimizer", names,
                           config->problems);
        return TR_OK;
    }
    tr_section *section = tr_ini_demand(config->ini, "optimizer");
    *out = section == NULL ? NULL : tr_optimizer_new(ops, section, config->problems);
    return *out == NULL ? tr_fail(err, TR_ERR_INTERNAL, "out of memory") : TR_OK;
}
