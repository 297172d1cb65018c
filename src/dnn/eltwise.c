/* eltwise.c -- elementary functions in oneDNN's terms; see eltwise.h.
 *
 * Derivatives are taken from the result where that determines them, so that the argument need not
 * be kept: relu'(x) = [y > 0] (else alpha), elu' = y + alpha for y < 0, sigmoid' = y (1 - y),
 * tanh' = 1 - y^2, clip' = [alpha < y < beta].
 */
#include "eltwise.h"

typedef struct row {
    dnnl_alg_kind_t forward, backward;
    tr_derivative derivative;
    bool moves_zero;
} row;

static const row rows[] = {
    [TR_FN_LINEAR] = {dnnl_eltwise_linear, dnnl_eltwise_linear, TR_FROM_NOTHING, false},
    [TR_FN_RELU] = {dnnl_eltwise_relu, dnnl_eltwise_relu_use_dst_for_bwd, TR_FROM_DST, false},
    [TR_FN_ELU] = {dnnl_eltwise_elu, dnnl_eltwise_elu_use_dst_for_bwd, TR_FROM_DST, false},
    [TR_FN_LOGISTIC] = {dnnl_eltwise_logistic, dnnl_eltwise_logistic_use_dst_for_bwd, TR_FROM_DST,
                        true},
    [TR_FN_TANH] = {dnnl_eltwise_tanh, dnnl_eltwise_tanh_use_dst_for_bwd, TR_FROM_DST, false},
    [TR_FN_GELU] = {dnnl_eltwise_gelu_erf, dnnl_eltwise_gelu_erf, TR_FROM_SRC, false},
    [TR_FN_SWISH] = {dnnl_eltwise_swish, dnnl_eltwise_swish, TR_FROM_SRC, false},
    [TR_FN_SOFTPLUS] = {dnnl_eltwise_soft_relu, dnnl_eltwise_soft_relu, TR_FROM_SRC, true},
    [TR_FN_CLIP] = {dnnl_eltwise_clip_v2, dnnl_eltwise_clip_v2_use_dst_for_bwd, TR_FROM_DST, false},
    /* Kernels of our own, in any case: not every oneDNN has these. */
    [TR_FN_THRESHOLD] = {.derivative = TR_FROM_DST, .moves_zero = true},
    [TR_FN_EXP] = {.derivative = TR_FROM_DST, .moves_zero = true},
    [TR_FN_LOG_SIGMOID] = {.derivative = TR_FROM_SRC, .moves_zero = true},
    [TR_FN_SOFTSIGN] = {.derivative = TR_FROM_DST},
    [TR_FN_SQUAREPLUS] = {.derivative = TR_FROM_SRC, .moves_zero = true},
    [TR_FN_SPARSE_PLUS] = {.derivative = TR_FROM_SRC, .moves_zero = true},
    [TR_FN_MISH] = {.derivative = TR_FROM_SRC},
    [TR_FN_HARD_SWISH] = {.derivative = TR_FROM_SRC},
    [TR_FN_SOFT_SHRINK] = {.derivative = TR_FROM_DST},
    [TR_FN_HARD_SHRINK] = {.derivative = TR_FROM_DST},
    [TR_FN_TANH_SHRINK] = {.derivative = TR_FROM_SRC},
};

_Static_assert(sizeof rows / sizeof *rows == TR_N_FUNCTIONS, "a row for each function");

bool tr_function_is_onednns(const tr_function *function)
{
    return rows[function->kind].forward != dnnl_alg_kind_undef;
}

tr_derivative tr_function_derivative(const tr_function *function)
{
    return rows[function->kind].derivative;
}

bool tr_function_moves_zero(const tr_function *function)
{
    if (function->kind == TR_FN_LINEAR)
        return function->beta != 0.0f;
    if (function->kind == TR_FN_CLIP)
        return function->alpha > 0.0f || function->beta < 0.0f;
    return rows[function->kind].moves_zero;
}

tr_eltwise tr_function_forward(const tr_function *function)
{
    return (tr_eltwise){rows[function->kind].forward, function->alpha, function->beta};
}

tr_eltwise tr_function_backward(const tr_function *function)
{
    return (tr_eltwise){rows[function->kind].backward, function->alpha, function->beta};
}
