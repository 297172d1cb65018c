/* stages.c -- where a program is cut, and what crosses the cuts; see program.h.
 *
 * What an operation made before a cut and another reads behind it would be kept for every
 * micro-batch of the batch. A cheap one, such as a normalization, is repeated instead, from sources
 * that are kept anyway: memory, and the way to it, cost more than the arithmetic.
 */
#include <string.h>

#include "program_internal.h"

/* ---- cuts ---- */

void tr_program_begin_join(tr_program *program)
{
    program->joining = true;
}

void tr_program_end_join(tr_program *program)
{
    program->joining = false;
}

void tr_program_cut(tr_program *program)
{
    program->stage++;
    if (program->phase == TR_FORWARD)
        program->loss_stage = program->stage;
}

void tr_program_begin_conclude(tr_program *program)
{
    program->interrupted = program->phase;
    program->phase = TR_CONCLUDE;
}

void tr_program_end_conclude(tr_program *program)
{
    program->phase = program->interrupted;
}

/* ---- repeating ---- */

/* The native operation that made a value; NULL where none did. */
static const tr_op *maker_of(const tr_program *program, tr_value value)
{
    for (size_t i = program->n_ops; i-- > 0;)
        for (int k = 0; k < program->ops[i].n_args; k++)
            if (program->ops[i].args[k].role == DNNL_ARG_DST &&
                program->ops[i].args[k].value == value)
                return &program->ops[i];
    return NULL;
}

/* Appends the operation once more; *again: its result. */
static tr_status repeat(tr_program *program, tr_value value, tr_value *again, tr_error *err)
{
    tr_op op = *maker_of(program, value); /* a copy: the list grows */
    const char *layer = program->layer;
    tr_arg args[TR_MAX_ARGS];
    memcpy(args, op.args, sizeof args);
    *again = tr_program_value(program, program->values[value].layout);
    for (int i = 0; i < op.n_args; i++)
        if (args[i].role == DNNL_ARG_DST)
            args[i].value = *again;
    op.native.borrowed = true;
    program->layer = op.info.layer;
    const tr_status status =
        tr_program_add_native(program, &op.native, &op.meaning, args, op.n_args, err);
    program->layer = layer;
    return status;
}

tr_status tr_program_recall(tr_program *program, tr_value *value, tr_error *err)
{
    if (*value == TR_NO_VALUE || program->phase == TR_PREPARE || program->phase == TR_CONCLUDE)
        return TR_OK;
    const tr_value root = program->values[*value].root;
    const tr_value_box box = program->values[root];
    if (box.space != TR_SPACE_ARENA || box.stage == program->stage)
        return TR_OK;
    const tr_op *op = maker_of(program, root);
    if (op == NULL || !op->native.cheap)
        return TR_OK;
    tr_value again = box.repeated;
    if (again == TR_NO_VALUE || program->values[again].stage != program->stage) {
        TR_TRY(repeat(program, root, &again, err));
        program->values[root].repeated = again;
    }
    *value =
        *value == root ? again : tr_program_view(program, again, program->values[*value].layout);
    return *value == TR_NO_VALUE ? tr_out_of_memory(err, program->layer) : TR_OK;
}

/* ---- questions ---- */

int tr_program_n_stages(const tr_program *program)
{
    return program->stage + 1;
}

int tr_program_loss_stage(const tr_program *program)
{
    return program->loss_stage;
}

size_t tr_program_n_sums(const tr_program *program)
{
    size_t n = 0;
    for (size_t i = 0; i < program->n_values; i++)
        n += program->values[i].sums != TR_NO_VALUE;
    return n;
}

tr_stage_sum tr_program_sum(const tr_program *program, size_t i)
{
    size_t value = 0;
    for (;; value++)
        if (program->values[value].sums != TR_NO_VALUE && i-- == 0)
            break;
    const tr_value_box *total = &program->values[value];
    return (tr_stage_sum){.sums = total->sums,
                          .total = (tr_value)value,
                          .stage = program->values[total->sums].stage,
                          .count = total->n_doubles,
                          .group = total->group};
}

/* No earlier value is the gradient of the same parameter. */
static bool is_first_of(const tr_program *program, size_t value)
{
    for (size_t k = 0; k < value; k++)
        if (program->values[k].space == TR_SPACE_GRADIENTS &&
            program->values[k].param == program->values[value].param)
            return false;
    return true;
}

static bool writes_gradient(const tr_program *program, int stage, const tr_param *param)
{
    for (size_t k = 0; k < program->n_ops; k++)
        for (int arg = 0; arg < program->ops[k].n_args; arg++) {
            const tr_value_box *box = &program->values[program->ops[k].args[arg].value];
            if (program->ops[k].stage == stage && box->space == TR_SPACE_GRADIENTS &&
                box->param == param)
                return true;
        }
    return false;
}

const tr_param *tr_program_stage_param(const tr_program *program, int stage, size_t i)
{
    for (size_t k = 0; k < program->n_values; k++) {
        const tr_value_box *box = &program->values[k]; /* made anew for each operation */
        if (box->space == TR_SPACE_GRADIENTS && writes_gradient(program, stage, box->param) &&
            is_first_of(program, k) && i-- == 0)
            return box->param;
    }
    return NULL;
}
