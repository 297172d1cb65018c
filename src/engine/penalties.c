/* penalties.c -- see penalties.h. */
#include "penalties.h"

#include "mem.h"
#include "reduce.h"

typedef struct piece {
    size_t offset, n;
    tr_penalty penalty;
} piece;

struct tr_penalties {
    piece *pieces;
    size_t n_pieces;
    double *values; /* [n_pieces] */
};

static bool is_penalized(const tr_param *param)
{
    return param->range == TR_TRAINED && param->rules.regularizer.function != TR_REGULARIZER_NONE;
}

static size_t count_pieces(const tr_model *model)
{
    size_t n = 0;
    for (int i = 0; i < tr_model_n_weights(model); i++) {
        const tr_param *param = tr_model_param(model, i);
        if (is_penalized(param))
            n += (param->n_packed + TR_REDUCE_CHUNK - 1) / TR_REDUCE_CHUNK;
    }
    return n;
}

static void add_pieces(tr_penalties *penalties, const tr_param *param)
{
    for (size_t at = 0; is_penalized(param) && at < param->n_packed; at += TR_REDUCE_CHUNK) {
        const size_t left = param->n_packed - at;
        penalties->pieces[penalties->n_pieces++] =
            (piece){.offset = param->offset + at,
                    .n = left < TR_REDUCE_CHUNK ? left : TR_REDUCE_CHUNK,
                    .penalty = tr_regularizer_penalty(&param->rules.regularizer)};
    }
}

tr_status tr_penalties_new(tr_penalties **out, const tr_model *model, tr_error *err)
{
    const size_t n = count_pieces(model);
    *out = NULL;
    if (n == 0)
        return TR_OK;
    tr_penalties *penalties = tr_alloc(1, sizeof *penalties);
    if (penalties == NULL)
        return tr_out_of_memory(err, NULL);
    penalties->pieces = tr_alloc(n, sizeof *penalties->pieces);
    penalties->values = tr_alloc(n, sizeof *penalties->values);
    if (penalties->pieces == NULL || penalties->values == NULL) {
        tr_penalties_free(penalties);
        return tr_out_of_memory(err, NULL);
    }
    for (int i = 0; i < tr_model_n_weights(model); i++)
        add_pieces(penalties, tr_model_param(model, i));
    *out = penalties;
    return TR_OK;
}

void tr_penalties_free(tr_penalties *penalties)
{
    if (penalties == NULL)
        return;
    tr_free(penalties->pieces);
    tr_free(penalties->values);
    tr_free(penalties);
}

void tr_penalties_measure(tr_penalties *penalties, const float *params, int part, int parts)
{
    if (penalties == NULL)
        return;
    const size_t begin = penalties->n_pieces * (size_t)part / (size_t)parts;
    const size_t end = penalties->n_pieces * (size_t)(part + 1) / (size_t)parts;
    for (size_t i = begin; i < end; i++) {
        const piece *at = &penalties->pieces[i];
        penalties->values[i] = tr_penalty_value(at->penalty, params + at->offset, at->n);
    }
}

double tr_penalties_sum(const tr_penalties *penalties)
{
    double sum = 0.0;
    for (size_t i = 0; penalties != NULL && i < penalties->n_pieces; i++)
        sum += penalties->values[i];
    return sum;
}
