/* state.c -- the optimizer's state from outside: all that a training needs to go on, beside the
 * weights. */
#include <assert.h>

#include "engine_internal.h"

int tr_engine_n_slots(const tr_engine *engine)
{
    return tr_updater_n_slots(engine->updater);
}

const char *tr_engine_slot_name(const tr_engine *engine, int slot)
{
    return tr_updater_slot_name(engine->updater, slot);
}

tr_status tr_engine_get_slot(const tr_engine *engine, int slot, int weight, float *values,
                             tr_error *err)
{
    const tr_param *param = tr_model_param(engine->model, weight);
    assert(param->range == TR_TRAINED);
    return tr_layout_copy(param->packed, tr_updater_slot(engine->updater, slot) + param->offset,
                          param->plain, values, err);
}

tr_status tr_engine_set_slot(tr_engine *engine, int slot, int weight, const float *values,
                             tr_error *err)
{
    const tr_param *param = tr_model_param(engine->model, weight);
    assert(param->range == TR_TRAINED);
    return tr_layout_copy(param->plain, values, param->packed,
                          tr_updater_slot(engine->updater, slot) + param->offset, err);
}

int64_t tr_engine_iterations(const tr_engine *engine)
{
    return engine->iterations;
}

void tr_engine_set_iterations(tr_engine *engine, int64_t iterations)
{
    engine->iterations = iterations;
}

double tr_engine_learning_rate(const tr_engine *engine)
{
    return tr_optimizer_learning_rate(engine->optimizer, engine->iterations);
}

bool tr_engine_finish(tr_engine *engine)
{
    if (!tr_updater_finish(engine->updater, engine->model->params))
        return false;
    engine->model->version++;
    return true;
}
