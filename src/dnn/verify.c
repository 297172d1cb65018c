/* verify.c -- one operation at a time: read, run, compute again, compare; see verify.h. */
#include "verify.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "unpack.h"
#include "verify_internal.h"

tr_status tr_verifier_new(tr_verifier **out, tr_replica *replica, tr_error *err)
{
    tr_verifier *verifier = tr_alloc(1, sizeof *verifier);
    if (verifier == NULL)
        return tr_out_of_memory(err, NULL);
    verifier->replica = replica;
    verifier->program = tr_replica_program(replica);
    verifier->winners = tr_alloc(verifier->program->n_values, sizeof *verifier->winners);
    if (verifier->winners == NULL) {
        tr_verifier_free(verifier);
        return tr_out_of_memory(err, NULL);
    }
    if (tr_replica_bind_own(replica) != TR_OK) {
        tr_verifier_free(verifier);
        return tr_out_of_memory(err, NULL);
    }
    *out = verifier;
    return TR_OK;
}

void tr_verifier_free(tr_verifier *verifier)
{
    if (verifier == NULL)
        return;
    for (size_t i = 0; verifier->winners != NULL && i < verifier->program->n_values; i++)
        tr_free(verifier->winners[i]);
    tr_free(verifier->winners);
    tr_free(verifier);
}

/* ---- arguments ---- */

const char *tr_result_name(tr_direction direction, int role)
{
    if (direction == TR_DIR_FORWARD || direction == TR_DIR_REORDER)
        return role == DNNL_ARG_DST ? "dst" : role == DNNL_ARG_DST_1 ? "dst_1" : NULL;
    switch (role) {
    case DNNL_ARG_DIFF_SRC:
        return "diff_src";
    case DNNL_ARG_DIFF_SRC_1:
        return "sums";
    case DNNL_ARG_DIFF_WEIGHTS:
        return "diff_weights";
    case DNNL_ARG_DIFF_BIAS:
        return "diff_bias";
    case DNNL_ARG_DIFF_SCALE:
        return "diff_gamma";
    case DNNL_ARG_DIFF_SHIFT:
        return "diff_beta";
    default:
        return NULL;
    }
}

bool tr_is_opaque(int role)
{
    return role == DNNL_ARG_WORKSPACE || role == TR_ARG_PACKED;
}

bool tr_op_updates(const tr_op *op)
{
    return op->meaning.kind == TR_KIND_MOVING_STATISTICS;
}

static tr_status out_of_memory(const tr_job *at, tr_error *err)
{
    return tr_out_of_memory(err, at->op->info.layer);
}

static tr_status read_value(const tr_verifier *verifier, const tr_job *at, int arg, double *values,
                            double *sizes, int64_t *n_dirty, tr_error *err)
{
    const tr_value value = at->op->args[arg].value;
    const tr_layout layout = verifier->program->values[value].layout;
    const void *memory = tr_replica_memory(verifier->replica, value);
    const int64_t n_doubles = verifier->program->values[value].n_doubles;
    if (memory == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: no gradients are set", at->op->info.layer);
    if (n_doubles > 0) {
        memcpy(values, memory, (size_t)n_doubles * sizeof *values);
        *n_dirty = 0;
        return TR_OK;
    }
    tr_error reason;
    const tr_status status =
        at->factors == NULL || at->contracted[arg] < 0
            ? tr_layout_unpack(layout, memory, values, n_dirty, &reason)
            : tr_layout_contract(layout, memory, at->contracted[arg], at->together[arg],
                                 at->factors, values, sizes, n_dirty, &reason);
    return status == TR_OK ? TR_OK
                           : tr_fail(err, status, "%s: %s: %s", at->op->info.layer,
                                     at->op->info.what, reason.text);
}

tr_status tr_job_prepare(const tr_verifier *verifier, tr_job *at, tr_error *err)
{
    for (int i = 0; i < at->op->n_args; i++) {
        const tr_arg *arg = &at->op->args[i];
        const tr_value_box *value = &verifier->program->values[arg->value];
        const tr_layout layout = value->layout;
        const bool result = tr_result_name(at->op->info.direction, arg->role) != NULL;
        const bool read = !result || tr_op_updates(at->op);
        tr_tensor *tensor = &at->args[i];
        if (tr_is_opaque(arg->role))
            continue;
        *tensor = (tr_tensor){.dims = {1, 1, 1, 1}};
        tensor->n_dims = tr_layout_dims(layout, tensor->dims);
        if (at->factors != NULL && at->contracted[i] >= 0)
            tensor->dims[at->contracted[i]] /= at->together[i];
        if (value->n_doubles > 0)
            tensor->dims[0] = value->n_doubles;
        const size_t n = (size_t)tr_tensor_elements(tensor);
        int64_t n_dirty;
        tensor->values = tr_alloc(n, sizeof(double));
        tensor->scale = result ? tr_alloc(n, sizeof(double)) : NULL;
        if (tensor->values == NULL || (result && tensor->scale == NULL))
            return out_of_memory(at, err);
        if (read)
            TR_TRY(read_value(verifier, at, i, tensor->values, NULL, &n_dirty, err));
        if (!read && tr_replica_memory(verifier->replica, arg->value) != NULL)
            memset(tr_replica_memory(verifier->replica, arg->value), 0xff, tr_layout_bytes(layout));
    }
    return TR_OK;
}

/* Packs the weights anew, from those at hand. */
static tr_status pack_weights(const tr_verifier *verifier, const tr_op *op)
{
    for (int i = 0; i < op->n_args; i++) {
        const int maker = verifier->program->values[op->args[i].value].maker;
        size_t in_phase = 0;
        if (op->args[i].role != TR_ARG_PACKED || maker < 0)
            continue;
        for (int k = 0; k < maker; k++)
            in_phase += verifier->program->ops[k].info.phase == TR_PREPARE;
        TR_TRY(tr_replica_run_op(verifier->replica, TR_PREPARE, in_phase));
    }
    return TR_OK;
}

tr_status tr_job_run(const tr_verifier *verifier, const tr_job *at, tr_error *err)
{
    if (pack_weights(verifier, at->op) != TR_OK ||
        tr_replica_run_op(verifier->replica, at->op->info.phase, at->i) != TR_OK)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: oneDNN fails to run the %s", at->op->info.layer,
                       at->op->info.what);
    return TR_OK;
}

/* ---- comparing ---- */

tr_allowance tr_job_allow(const tr_job *at, const tr_tensor *expected, tr_precision type)
{
    const double terms = (double)at->terms;
    const double grown = 4.0 + (terms < 64.0 ? terms : 8.0 * sqrt(terms));
    tr_allowance allowed = {.of_value = type == TR_BFLOAT16 ? 0x1p-8 : 0.0,
                            .of_scale = grown * 0x1p-24};
    const tr_kind kind = at->op->meaning.kind;
    if ((kind == TR_KIND_MAX_POOLING || kind == TR_KIND_AVERAGE_POOLING) && type == TR_BFLOAT16)
        allowed.of_scale = terms * 0x1p-8; /* overlapping windows add up in the result itself */
    if (at->op->info.is_winograd) {
        allowed.of_scale = grown * 0x1p-21;
        for (int64_t i = 0; i < tr_tensor_elements(expected); i++)
            allowed.scale = fmax(allowed.scale, expected->scale[i]);
    }
    return allowed;
}

/* |got - expected| over what is allowed; infinite where nothing is or got is no number. */
static double excess(double got, double expected, double scale, const tr_allowance *allowed,
                     tr_precision type)
{
    if (allowed->scale > 0.0)
        scale = allowed->scale;
    if (scale <= 0.0) {
        if (type == TR_BFLOAT16)
            expected = tr_bfloat16_of(expected);
        return got == expected ? 0.0 : INFINITY;
    }
    /* The smallest normal number stands for whatever denormals lose. */
    const double margin =
        allowed->of_value * fabs(expected) + allowed->of_scale * scale + (double)FLT_MIN;
    const double error = fabs(got - expected) / margin;
    return error == error ? error : INFINITY;
}

static void keep_worst(tr_op_check *check, const tr_tensor *tensor, const char *result, int64_t i,
                       double got, double error)
{
    check->error = error;
    check->result = result;
    check->n_dims = tensor->n_dims;
    check->expected = tensor->values[i];
    check->got = got;
    for (int d = tensor->n_dims - 1; d >= 0; d--) {
        check->at[d] = i % tensor->dims[d];
        i /= tensor->dims[d];
    }
}

tr_status tr_job_read(const tr_verifier *verifier, tr_job *at, int arg, double *sizes,
                      int64_t *n_dirty, tr_error *err)
{
    tr_free(at->got);
    at->got = tr_alloc((size_t)tr_tensor_elements(&at->args[arg]), sizeof *at->got);
    if (at->got == NULL)
        return out_of_memory(at, err);
    return read_value(verifier, at, arg, at->got, sizes, n_dirty, err);
}

void tr_job_compare(const tr_job *at, int arg, const tr_allowance *allowed, tr_precision type,
                    tr_op_check *check)
{
    const tr_tensor *tensor = &at->args[arg];
    const char *result = tr_result_name(at->op->info.direction, at->op->args[arg].role);
    const int64_t n = tr_tensor_elements(tensor);
    for (int64_t i = 0; i < n; i++) {
        const double error = excess(at->got[i], tensor->values[i], tensor->scale[i], allowed, type);
        if (check->result == NULL || error > check->error)
            keep_worst(check, tensor, result, i, at->got[i], error);
    }
}

/* ---- running ---- */

tr_status tr_job_check(tr_verifier *verifier, tr_job *at, tr_op_check *check, tr_error *err)
{
    TR_TRY(tr_job_prepare(verifier, at, err));
    TR_TRY(tr_job_run(verifier, at, err));
    TR_TRY(tr_job_expect(verifier, at, err));
    for (int arg = 0; arg < at->op->n_args; arg++) {
        const tr_value value = at->op->args[arg].value;
        const tr_precision type = tr_layout_type(verifier->program->values[value].layout);
        int64_t n_dirty;
        if (tr_result_name(check->op.direction, at->op->args[arg].role) == NULL)
            continue;
        TR_TRY(tr_job_read(verifier, at, arg, NULL, &n_dirty, err));
        const tr_allowance allowed = tr_job_allow(at, &at->args[arg], type);
        tr_job_compare(at, arg, &allowed, type, check);
        check->n_dirty += n_dirty;
    }
    check->ok = check->error <= 1.0 && check->n_dirty == 0;
    return TR_OK;
}

void tr_job_release(tr_job *at)
{
    for (int i = 0; i < TR_MAX_ARGS; i++) {
        tr_free(at->args[i].values);
        tr_free(at->args[i].scale);
    }
    tr_free(at->got);
}

tr_status tr_verifier_run(tr_verifier *verifier, tr_phase phase, tr_op_check_fn *report,
                          void *context, tr_error *err)
{
    size_t i_of_phase = 0;
    for (size_t i = 0; i < verifier->program->n_ops; i++) {
        const tr_op *op = &verifier->program->ops[i];
        tr_op_check check = {.op = tr_program_op(verifier->program, i)};
        if (check.op.phase != phase)
            continue;
        tr_job at = {.op = op, .i = i_of_phase++, .fused = op->meaning.activation};
        if (op->meaning.kind == TR_KIND_PACKING)
            continue; /* checked with the operation that reads what it packs */
        const tr_status status = tr_job_check(verifier, &at, &check, err);
        tr_job_release(&at);
        if (status != TR_OK)
            return status;
        report(context, &check);
    }
    return TR_OK;
}
