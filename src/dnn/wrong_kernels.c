/* wrong_kernels.c -- see wrong_kernels.h. */
#include "wrong_kernels.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "program_internal.h"

size_t tr_wrong_kernels(const tr_dnn *dnn)
{
    return tr_dnn_wrong(dnn)->n;
}

tr_wrong_kernel tr_wrong_kernel_at(const tr_dnn *dnn, size_t i)
{
    tr_wrong_kernel kernel = tr_dnn_wrong(dnn)->items[i];
    kernel.op.impl = NULL; /* it pointed into a program */
    return kernel;
}

/* The message of every refusal; `whose` kernel. */
static tr_status refuse(const tr_op_info *op, bool training, const char *whose, const char *why,
                        tr_error *err)
{
    return tr_fail(err, TR_ERR_CONFIG,
                   "layer %s, %s, %s (%s): the kernel %s of %s computes wrong results here, and %s "
                   "is right; use another oneDNN, another [engine] isa, precision or micro_batch, "
                   "or other sizes of that layer",
                   op->layer, op->what, tr_direction_name(op->direction),
                   training ? "training" : "inference", op->impl, whose, why);
}

tr_status tr_wrong_kernels_refuse(const tr_dnn *dnn, tr_error *err)
{
    const tr_wrong_kernel *last = &tr_dnn_wrong(dnn)->items[tr_dnn_wrong(dnn)->passed_over];
    tr_op_info op = last->op;
    char version[32];
    tr_dnn_version(version, sizeof version);
    op.impl = last->impl;
    return refuse(&op, last->training, version, "no other of its kernels", err);
}

/* What oneDNN calls the operation that a descriptor describes. */
static void name(const_dnnl_primitive_desc_t desc, tr_wrong_kernel *kernel)
{
    dnnl_primitive_kind_t primitive = dnnl_undefined_primitive;
    dnnl_prop_kind_t prop = dnnl_prop_kind_undef;
    const char *impl = NULL;
    dnnl_primitive_desc_query(desc, dnnl_query_primitive_kind, 0, &primitive);
    if (dnnl_primitive_desc_query(desc, dnnl_query_prop_kind, 0, &prop) != dnnl_success)
        prop = dnnl_prop_kind_undef;
    if (dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &impl) != dnnl_success)
        impl = NULL;
    kernel->primitive = (int)primitive;
    kernel->prop = (int)prop;
    snprintf(kernel->impl, sizeof kernel->impl, "%s", impl == NULL ? "unknown" : impl);
}

tr_status tr_wrong_kernel_add(tr_dnn *dnn, const tr_program *program, size_t i, tr_error *err)
{
    const tr_op *op = &program->ops[i];
    tr_wrong_kernel kernel = {.op = tr_program_op(program, i), .training = program->training};
    const_dnnl_primitive_desc_t desc;
    if (op->primitive == NULL ||
        dnnl_primitive_get_primitive_desc(op->primitive, &desc) != dnnl_success)
        return refuse(&kernel.op, kernel.training, "this program", "no other", err);
    name(desc, &kernel);
    if (op->meaning.kind == TR_KIND_REORDER) {
        kernel.from = program->values[op->args[0].value].layout;
        kernel.to = program->values[op->args[1].value].layout;
    }
    tr_wrong_list *list = tr_dnn_wrong(dnn);
    tr_wrong_kernel *grown = tr_grown(list->items, list->n, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    list->items = grown;
    list->items[list->n++] = kernel;
    return TR_OK;
}

/* ---- what planning asks ---- */

bool tr_kernel_is_wrong(const tr_desc_context *context, const_dnnl_primitive_desc_t desc)
{
    const tr_program *program = context->program;
    tr_wrong_list *list = tr_dnn_wrong(program->dnn);
    tr_wrong_kernel this;
    if (list->n == 0)
        return false;
    name(desc, &this);
    for (size_t i = 0; i < list->n; i++) {
        const tr_wrong_kernel *wrong = &list->items[i];
        if (wrong->from == NULL && wrong->training == program->training &&
            wrong->primitive == this.primitive && wrong->prop == this.prop &&
            strcmp(wrong->impl, this.impl) == 0 && strcmp(wrong->op.layer, program->layer) == 0) {
            list->passed_over = i;
            return true;
        }
    }
    return false;
}

bool tr_copy_is_wrong(const tr_program *program, tr_layout from, tr_layout to)
{
    const tr_wrong_list *list = tr_dnn_wrong(program->dnn);
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].from == from && list->items[i].to == to)
            return true;
    return false;
}
