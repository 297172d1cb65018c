/* activation.c -- activations as chains of elementary functions; see primitives.h. Softmax, which
 * is none, has softmax.c.
 *
 * One row of the table is all that a new elementwise activation needs; layers with numbers of their
 * own make such a row. Each step of a chain is an
 * operation of its own, except where convolution or inner product apply the whole chain as they
 * write their result: there only the last value exists, so such a chain must be differentiable from
 * it (a linear step needs nothing).
 */
#include "primitives.h"

#include "eltwise.h"
#include "own.h"
#include "program_internal.h"

const char *const tr_activation_names[TR_N_ACTIVATIONS + 1] = {
    [TR_LINEAR] = "linear",
    [TR_RELU] = "relu",
    [TR_SIGMOID] = "sigmoid",
    [TR_TANH] = "tanh",
    [TR_SOFTMAX] = "softmax",
    [TR_LEAKY_RELU] = "leaky_relu",
    [TR_ELU] = "elu",
    [TR_SELU] = "selu",
    [TR_GELU] = "gelu",
    [TR_HARD_SIGMOID] = "hard_sigmoid",
    [TR_SOFTPLUS] = "softplus",
    [TR_SWISH] = "swish",
    [TR_RELU6] = "relu6",
    [TR_HARD_TANH] = "hard_tanh",
    [TR_SPARSE_SIGMOID] = "sparse_sigmoid",
    [TR_CELU] = "celu",
    [TR_SILU] = "silu",
    [TR_HARD_SWISH] = "hard_swish",
    [TR_HARD_SILU] = "hard_silu",
    [TR_MISH] = "mish",
    [TR_EXPONENTIAL] = "exponential",
    [TR_SOFTSIGN] = "softsign",
    [TR_LOG_SIGMOID] = "log_sigmoid",
    [TR_SQUAREPLUS] = "squareplus",
    [TR_SPARSE_PLUS] = "sparse_plus",
    [TR_SOFT_SHRINK] = "soft_shrink",
    [TR_HARD_SHRINK] = "hard_shrink",
    [TR_TANH_SHRINK] = "tanh_shrink",
    [TR_LOG_SOFTMAX] = "log_softmax",
};

static const tr_activation named[TR_N_ACTIVATIONS] = {
    [TR_SOFTMAX] = {TR_SOFTMAX},
    [TR_RELU] = {TR_RELU, 1, {{TR_FN_RELU, 0.0f, 0.0f}}},
    [TR_SIGMOID] = {TR_SIGMOID, 1, {{TR_FN_LOGISTIC, 0.0f, 0.0f}}},
    [TR_TANH] = {TR_TANH, 1, {{TR_FN_TANH, 0.0f, 0.0f}}},
    [TR_LEAKY_RELU] = {TR_LEAKY_RELU, 1, {{TR_FN_RELU, 0.2f, 0.0f}}},
    [TR_ELU] = {TR_ELU, 1, {{TR_FN_ELU, 1.0f, 0.0f}}},
    [TR_SELU] = {TR_SELU,
                 2,
                 {{TR_FN_ELU, 1.6732632423543772f, 0.0f},
                  {TR_FN_LINEAR, 1.0507009873554805f, 0.0f}}},
    [TR_GELU] = {TR_GELU, 1, {{TR_FN_GELU, 0.0f, 0.0f}}},
    [TR_HARD_SIGMOID] = {TR_HARD_SIGMOID,
                         2,
                         {{TR_FN_LINEAR, 1.0f / 6.0f, 0.5f}, {TR_FN_CLIP, 0.0f, 1.0f}}},
    [TR_SOFTPLUS] = {TR_SOFTPLUS, 1, {{TR_FN_SOFTPLUS, 1.0f, 0.0f}}},
    [TR_SWISH] = {TR_SWISH, 1, {{TR_FN_SWISH, 1.0f, 0.0f}}},
    [TR_RELU6] = {TR_RELU6, 1, {{TR_FN_CLIP, 0.0f, 6.0f}}},
    [TR_HARD_TANH] = {TR_HARD_TANH, 1, {{TR_FN_CLIP, -1.0f, 1.0f}}},
    [TR_SPARSE_SIGMOID] = {TR_SPARSE_SIGMOID,
                           2,
                           {{TR_FN_LINEAR, 0.5f, 0.5f}, {TR_FN_CLIP, 0.0f, 1.0f}}},
    [TR_CELU] = {TR_CELU, 1, {{TR_FN_ELU, 1.0f, 0.0f}}},
    [TR_SILU] = {TR_SILU, 1, {{TR_FN_SWISH, 1.0f, 0.0f}}},
    [TR_HARD_SWISH] = {TR_HARD_SWISH, 1, {{TR_FN_HARD_SWISH, 0.0f, 0.0f}}},
    [TR_HARD_SILU] = {TR_HARD_SILU, 1, {{TR_FN_HARD_SWISH, 0.0f, 0.0f}}},
    [TR_MISH] = {TR_MISH, 1, {{TR_FN_MISH, 0.0f, 0.0f}}},
    [TR_EXPONENTIAL] = {TR_EXPONENTIAL, 1, {{TR_FN_EXP, 0.0f, 0.0f}}},
    [TR_SOFTSIGN] = {TR_SOFTSIGN, 1, {{TR_FN_SOFTSIGN, 0.0f, 0.0f}}},
    [TR_LOG_SIGMOID] = {TR_LOG_SIGMOID, 1, {{TR_FN_LOG_SIGMOID, 0.0f, 0.0f}}},
    [TR_SQUAREPLUS] = {TR_SQUAREPLUS, 1, {{TR_FN_SQUAREPLUS, 4.0f, 0.0f}}},
    [TR_SPARSE_PLUS] = {TR_SPARSE_PLUS, 1, {{TR_FN_SPARSE_PLUS, 0.0f, 0.0f}}},
    [TR_SOFT_SHRINK] = {TR_SOFT_SHRINK, 1, {{TR_FN_SOFT_SHRINK, 0.5f, 0.0f}}},
    [TR_HARD_SHRINK] = {TR_HARD_SHRINK, 1, {{TR_FN_HARD_SHRINK, 0.5f, 0.0f}}},
    [TR_TANH_SHRINK] = {TR_TANH_SHRINK, 1, {{TR_FN_TANH_SHRINK, 0.0f, 0.0f}}},
    [TR_LOG_SOFTMAX] = {TR_LOG_SOFTMAX},
};

tr_activation tr_activation_named(tr_activation_name name)
{
    return named[name];
}

bool tr_activation_is_linear(tr_activation activation)
{
    return activation.name == TR_LINEAR && activation.n_steps == 0;
}

bool tr_activation_is_over_channels(tr_activation activation)
{
    return activation.name == TR_SOFTMAX || activation.name == TR_LOG_SOFTMAX;
}

bool tr_activation_cuts(tr_activation activation, tr_bounds *bounds)
{
    const tr_function *first = &activation.steps[0];
    const bool clip = first->kind == TR_FN_CLIP;
    const bool relu = first->kind == TR_FN_RELU && first->alpha == 0.0f;
    *bounds = (tr_bounds){-__builtin_inff(), __builtin_inff()};
    if (activation.n_steps != 1 || (!clip && !relu))
        return tr_activation_is_linear(activation);
    bounds->low = clip ? first->alpha : 0.0f;
    bounds->high = clip ? first->beta : bounds->high;
    return true;
}

/* Others that fuse are monotonic too, but where windows overlap, (a + b) f' and a f' + b f' are not
 * the same bits unless f' is 0 or 1. */
bool tr_activation_commutes_with_max(tr_activation activation)
{
    tr_bounds bounds;
    return tr_activation_cuts(activation, &bounds) && !tr_activation_is_linear(activation);
}

/* A step's derivative is taken from the last result: it needs none, is the last, or what follows
 * only cuts, and where it did, its own derivative is 0. */
bool tr_activation_fuses(tr_activation activation)
{
    bool only_cuts = true;
    for (int i = activation.n_steps - 1; i >= 0; i--) {
        const tr_derivative from = tr_function_derivative(&activation.steps[i]);
        if (from == TR_FROM_SRC || !tr_function_is_onednns(&activation.steps[i]) ||
            (from == TR_FROM_DST && !only_cuts))
            return false;
        only_cuts = only_cuts && activation.steps[i].kind == TR_FN_CLIP;
    }
    return activation.n_steps > 0;
}

tr_activation_tape tr_activation_fused_tape(tr_activation activation, tr_value dst)
{
    tr_activation_tape tape = {{TR_NO_VALUE}};
    for (int i = 1; i <= TR_MAX_STEPS; i++)
        tape.values[i] = i <= activation.n_steps ? dst : TR_NO_VALUE;
    if (activation.n_steps == 0)
        tape.values[0] = dst;
    return tape;
}

/* ---- one elementary function ---- */

static tr_meaning meaning_of(tr_kind kind, tr_direction direction, tr_activation activation,
                             const tr_function *function)
{
    tr_meaning meaning = {.kind = kind, .direction = direction, .activation = activation};
    if (function != NULL)
        meaning.function = *function;
    return meaning;
}

static tr_status step_forward(tr_program *program, tr_activation activation,
                              const tr_function *function, tr_value src, tr_value *dst,
                              tr_error *err)
{
    if (tr_program_own(program) != NULL || !tr_function_is_onednns(function))
        return tr_own_function_forward(program, activation, function, src, dst, err);
    if (tr_function_moves_zero(function) && tr_layout_is_padded(tr_program_layout(program, src)))
        TR_TRY(tr_program_reorder(program, src,
                                  tr_layout_plain(program->dnn, tr_program_layout(program, src)),
                                  &src, err));
    const tr_layout layout = tr_program_layout(program, src);
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = tr_desc_eltwise_forward(
        &desc, tr_program_context(program), tr_function_forward(function), tr_layout_md(layout));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, tr_activation_names[activation.name]);
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}};
    const tr_meaning meaning = meaning_of(TR_KIND_ELTWISE, TR_DIR_FORWARD, activation, function);
    TR_TRY(tr_program_add(program, desc, &meaning, args, 2, NULL, err));
    *dst = out;
    return TR_OK;
}

/* `from`: what the derivative is computed from. A linear function's is a constant, but oneDNN wants
 * an argument all the same: it gets the gradient, and does not look at it. */
static tr_status step_backward(tr_program *program, tr_activation activation,
                               const tr_function *function, tr_value from, tr_value diff_dst,
                               tr_value *diff_src, tr_error *err)
{
    const tr_derivative derivative = tr_function_derivative(function);
    if (derivative == TR_FROM_NOTHING)
        from = diff_dst;
    if (tr_program_own(program) != NULL || !tr_function_is_onednns(function))
        return tr_own_function_backward(program, activation, function, from, diff_dst, diff_src,
                                        err);
    const tr_layout layout = tr_program_layout(program, from);
    const tr_md md = tr_layout_md(layout);
    const tr_desc_context context = tr_program_context(program);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    const tr_meaning meaning =
        meaning_of(TR_KIND_ELTWISE, TR_DIR_BACKWARD_DATA, activation, function);
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {{derivative == TR_FROM_DST ? DNNL_ARG_DST : DNNL_ARG_SRC, from},
                           {DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, out}};
    *diff_src = out;
    if (function->kind == TR_FN_ELU && function->alpha != 1.0f) {
        const tr_native native = tr_elu_gradient(function, layout);
        return tr_program_add_native(program, &native, &meaning, args, 3, err);
    }
    dnnl_primitive_desc_t hint, desc;
    dnnl_status_t status =
        tr_desc_eltwise_forward(&hint, context, tr_function_forward(function), md);
    if (status == dnnl_success) {
        status =
            tr_desc_eltwise_backward(&desc, context, tr_function_backward(function), md, md, hint);
        dnnl_primitive_desc_destroy(hint);
    }
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, tr_activation_names[activation.name]);
    return tr_program_add(program, desc, &meaning, args, 3, NULL, err);
}

/* ---- whole activations ---- */

tr_status tr_activation_forward(tr_program *program, tr_activation activation, tr_value src,
                                tr_activation_tape *tape, tr_value *dst, tr_error *err)
{
    *tape = (tr_activation_tape){{src}};
    if (tr_activation_is_over_channels(activation)) {
        TR_TRY(tr_softmax_forward(program, activation, src, dst, err));
        tape->values[0] = *dst;
        return TR_OK;
    }
    for (int i = 0; i < activation.n_steps; i++)
        TR_TRY(step_forward(program, activation, &activation.steps[i], tape->values[i],
                            &tape->values[i + 1], err));
    *dst = tape->values[activation.n_steps];
    return TR_OK;
}

tr_status tr_activation_backward(tr_program *program, tr_activation activation,
                                 const tr_activation_tape *tape, tr_value diff_dst,
                                 tr_value *diff_src, tr_error *err)
{
    if (tr_activation_is_over_channels(activation))
        return tr_softmax_backward(program, activation, tape->values[0], diff_dst, diff_src, err);
    for (int i = activation.n_steps - 1; i >= 0; i--) {
        const bool from_dst = tr_function_derivative(&activation.steps[i]) == TR_FROM_DST;
        TR_TRY(step_backward(program, activation, &activation.steps[i], tape->values[i + from_dst],
                             diff_dst, &diff_dst, err));
    }
    *diff_src = diff_dst;
    return TR_OK;
}

/* ---- for convolution.c and inner_product.c ---- */

dnnl_status_t tr_attr_fused(dnnl_primitive_attr_t *attr, tr_activation fused)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = tr_attr_new(attr);
    if (status != dnnl_success || fused.n_steps == 0)
        return status;
    status = dnnl_post_ops_create(&ops);
    for (int i = 0; status == dnnl_success && i < fused.n_steps; i++)
        status = tr_append_eltwise(ops, tr_function_forward(&fused.steps[i]));
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    if (status != dnnl_success)
        dnnl_primitive_attr_destroy(*attr);
    return status;
}
