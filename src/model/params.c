/* params.c -- the flat parameter vector: initial values, and Keras's layout in and out. */
#include "digest.h"
#include "initializers.h"
#include "mem.h"
#include "model_internal.h"

/* ---- weights by number ---- */

tr_param *tr_model_param(const tr_model *model, int i)
{
    for (int k = 0; k < model->n_layers; k++) {
        tr_layer *layer = model->layers[k];
        if (i < layer->n_params)
            return &layer->params[i];
        i -= layer->n_params;
    }
    return NULL;
}

int tr_model_n_weights(const tr_model *model)
{
    int n = 0;
    for (int k = 0; k < model->n_layers; k++)
        n += model->layers[k]->n_params;
    return n;
}

tr_weight_info tr_model_weight(const tr_model *model, int i)
{
    const tr_param *param = tr_model_param(model, i);
    tr_weight_info info = {.layer = param->layer,
                           .name = param->name,
                           .n_dims = param->n_dims - param->n_hidden,
                           .n = tr_param_elements(param),
                           .trained = param->range == TR_TRAINED,
                           .counts = param->counts};
    for (int k = 0; k < info.n_dims; k++)
        info.dims[k] = param->dims[param->n_hidden + k];
    return info;
}

tr_status tr_model_get_weight(const tr_model *model, int i, float *values, tr_error *err)
{
    const tr_param *param = tr_model_param(model, i);
    return tr_layout_copy(param->packed, model->params + param->offset, param->plain, values, err);
}

tr_status tr_model_set_weight(tr_model *model, int i, const float *values, tr_error *err)
{
    const tr_param *param = tr_model_param(model, i);
    model->version++;
    return tr_layout_copy(param->plain, values, param->packed, model->params + param->offset, err);
}

/* ---- initial values ---- */

tr_status tr_params_init(tr_model *model, tr_error *err)
{
    tr_status status = TR_OK;
    const int n_weights = tr_model_n_weights(model);
    for (int i = 0; i < n_weights && status == TR_OK; i++) {
        const tr_param *param = tr_model_param(model, i);
        float *values = tr_alloc((size_t)tr_param_elements(param), sizeof *values);
        if (values == NULL)
            return tr_out_of_memory(err, NULL);
        status = tr_initialize(param, (uint64_t)model->config->fit.seed, (uint32_t)i, values, err);
        if (status == TR_OK)
            status = tr_model_set_weight(model, i, values, err);
        tr_free(values);
    }
    return status;
}

bool tr_model_is_finite(const tr_model *model)
{
    /* x - x is 0 for every finite x and NaN otherwise; the padding elements are 0. */
    float sum = 0.0f;
    for (size_t i = 0; i < model->n_floats; i++)
        sum += model->params[i] - model->params[i];
    return sum == 0.0f;
}

tr_status tr_model_digest(const tr_model *model, char text[33], tr_error *err)
{
    tr_digest *digest = tr_digest_new();
    if (digest == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = TR_OK;
    const int n_weights = tr_model_n_weights(model);
    for (int i = 0; i < n_weights && status == TR_OK; i++) {
        const size_t n = (size_t)tr_model_weight(model, i).n;
        float *values = tr_alloc(n, sizeof *values);
        status = values == NULL ? tr_out_of_memory(err, NULL)
                                : tr_model_get_weight(model, i, values, err);
        if (status == TR_OK)
            tr_digest_add(digest, values, n * sizeof *values);
        tr_free(values);
    }
    if (status == TR_OK)
        tr_digest_text(digest, text);
    tr_digest_free(digest);
    return status;
}
