/* trained.c -- see trained.h. */
#include "trained.h"

#include "model_internal.h"

const tr_optimizers *tr_model_optimizers(const tr_model *model)
{
    return &model->optimizers;
}

const tr_callbacks *tr_model_callbacks(const tr_model *model)
{
    return &model->callbacks;
}

bool tr_model_reduce_rates(tr_model *model, const tr_history *history)
{
    const tr_plateau *rules = &model->callbacks.plateau;
    const int64_t n = tr_plateau_count(rules, history);
    bool changed = false;
    for (; model->n_reductions < n; model->n_reductions++)
        changed = tr_optimizers_reduce(&model->optimizers, rules->factor, rules->min_lr) || changed;
    return changed;
}

int tr_model_optimizer_of(const tr_model *model, int i)
{
    return tr_optimizers_of(&model->optimizers, tr_model_param(model, i)->layer);
}

tr_weight_tensor tr_model_tensor(const tr_model *model, int i)
{
    const tr_weight_info info = tr_model_weight(model, i);
    tr_weight_tensor tensor = {
        .layer = info.layer, .name = info.name, .n_dims = info.n_dims, .n = (size_t)info.n};
    for (int d = 0; d < info.n_dims; d++)
        tensor.dims[d] = info.dims[d];
    return tensor;
}

int tr_model_slots(const tr_model *model, int i, tr_slot slots[TR_MAX_ALL_SLOTS])
{
    const tr_weight_tensor tensor = tr_model_tensor(model, i);
    return tr_optimizer_slots(model->optimizers.items[tr_model_optimizer_of(model, i)], &tensor,
                              slots);
}

int64_t tr_slot_elements(const tr_slot *slot)
{
    int64_t n = 1;
    for (int d = 0; d < slot->n_dims; d++)
        n *= slot->dims[d];
    return n;
}
