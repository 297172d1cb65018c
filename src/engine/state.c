/* state.c -- the optimizer's state from outside: all that a training needs to go on, beside the
 * weights. */
#include <assert.h>
#include <string.h>

#include "engine_internal.h"

/* Where a slot of a weight lies. */
typedef struct slot_place {
    const tr_param *param;
    float *values;
    size_t n_plain; /* not 0: it lies in Keras's layout */
} slot_place;

static slot_place find_slot(const tr_engine *engine, int slot, int weight)
{
    tr_slot slots[TR_MAX_ALL_SLOTS] = {{0}};
    const tr_param *param = tr_model_param(engine->model, weight);
    assert(param->range == TR_TRAINED);
    tr_model_slots(engine->model, weight, slots);
    return (slot_place){.param = param,
                        .values = tr_updater_slot(engine->updater, slot) + param->offset,
                        .n_plain = slots[slot].plain ? (size_t)tr_slot_elements(&slots[slot]) : 0};
}

tr_status tr_engine_get_slot(const tr_engine *engine, int slot, int weight, float *values,
                             tr_error *err)
{
    const slot_place at = find_slot(engine, slot, weight);
    if (at.n_plain == 0)
        return tr_layout_copy(at.param->packed, at.values, at.param->plain, values, err);
    memcpy(values, at.values, at.n_plain * sizeof *values);
    return TR_OK;
}

tr_status tr_engine_set_slot(tr_engine *engine, int slot, int weight, const float *values,
                             tr_error *err)
{
    const slot_place at = find_slot(engine, slot, weight);
    if (at.n_plain == 0)
        return tr_layout_copy(at.param->plain, values, at.param->packed, at.values, err);
    memcpy(at.values, values, at.n_plain * sizeof *values);
    return TR_OK;
}

int64_t tr_engine_iterations(const tr_engine *engine)
{
    return engine->iterations;
}

void tr_engine_set_iterations(tr_engine *engine, int64_t iterations)
{
    engine->iterations = iterations;
}

void tr_engine_take_rates(tr_engine *engine)
{
    const tr_optimizers *now = tr_model_optimizers(engine->model);
    for (int i = 0; i < engine->optimizers.n && i < now->n; i++)
        engine->optimizers.items[i]->learning_rate = now->items[i]->learning_rate;
}

double tr_engine_learning_rate(const tr_engine *engine)
{
    return tr_optimizer_learning_rate(engine->optimizers.items[0], engine->iterations);
}

bool tr_engine_finish(tr_engine *engine)
{
    if (!tr_updater_finish(engine->updater, engine->model->params))
        return false;
    engine->model->version++;
    return true;
}
