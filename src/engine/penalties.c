/* penalties.c -- see penalties.h. */
#include "penalties.h"

#include <math.h>

#include "mem.h"
#include "reduce.h"
#include "simd.h"

typedef struct piece {
    size_t offset, n;
    tr_penalty penalty;
} piece;

struct tr_penalties {
    piece *pieces;
    size_t n_pieces;
    double *values; /* [n_pieces] */
};

/* ---- one weight ---- */

tr_penalty tr_penalty_of(const tr_call *regularizer)
{
    const double *a = regularizer->arguments;
    switch ((tr_regularizer)regularizer->function) {
    case TR_REGULARIZER_L1:
        return (tr_penalty){.l1 = (float)a[0]};
    case TR_REGULARIZER_L2:
        return (tr_penalty){.l2 = (float)a[0]};
    case TR_REGULARIZER_L1_L2:
        return (tr_penalty){.l1 = (float)a[0], .l2 = (float)a[1]};
    case TR_REGULARIZER_NONE:
    case TR_N_REGULARIZERS:
        break;
    }
    return (tr_penalty){0};
}

/* The sign of 0 is 0: padding stays so. What is not a number has none, and shows by itself. */
TR_SIMD_CLONES
void tr_penalty_add_gradient(tr_penalty penalty, const float *restrict weights,
                             float *restrict gradients, size_t n)
{
    const float l1 = penalty.l1, l2 = 2.0f * penalty.l2;
    for (size_t i = 0; i < n; i++) {
        const float sign = (float)(weights[i] > 0.0f) - (float)(weights[i] < 0.0f);
        gradients[i] += l1 * sign + l2 * weights[i];
    }
}

TR_SIMD_CLONES
double tr_penalty_value(tr_penalty penalty, const float *weights, size_t n)
{
    enum { PARTS = 8 };
    double sizes[PARTS] = {0}, squares[PARTS] = {0}, size = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i += PARTS)
        for (size_t k = 0; k < PARTS && i + k < n; k++) {
            const double w = (double)weights[i + k];
            sizes[k] += fabs(w);
            squares[k] += w * w;
        }
    for (size_t k = 0; k < PARTS; k++) {
        size += sizes[k];
        square += squares[k];
    }
    return (double)penalty.l1 * size + (double)penalty.l2 * square;
}

/* ---- a model ---- */

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
                    .penalty = tr_penalty_of(&param->rules.regularizer)};
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
