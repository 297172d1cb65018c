/* model_legend.c -- what the outputs of a model are called; see trainer/legend.h. */
#include "model_internal.h"

tr_status tr_model_set_legend(tr_model *model, const tr_legend *legend, tr_error *err)
{
    tr_legend copy;
    TR_TRY(tr_legend_copy(&copy, legend, err));
    tr_legend_release(&model->legend);
    model->legend = copy;
    return TR_OK;
}

const tr_legend *tr_model_legend(const tr_model *model)
{
    return &model->legend;
}

const char *tr_model_class_name(const tr_model *model, int64_t class)
{
    return tr_legend_class(&model->legend, class);
}
