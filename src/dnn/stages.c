/* stages.c -- where a program is cut, and what crosses the cuts; see program.h.
 *
 * What an operation made before a cut and another reads behind it would be kept for every
 * micro-batch of the batch. A cheap one, such as a normalization, is repeated instead, from sources
 * that are kept anyway: memory, and the way to it, cost more than the arithmetic.
 */
#include <string.h>

#include "mem.h"
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

/* The native operation that made a value in the arena and may be repeated; NULL: there is none. */
static const tr_op *cheap_maker(const tr_program *program, tr_value value)
{
    const tr_value_box *root = &program->values[program->values[value].root];
    const tr_op *op = root->maker < 0 ? NULL : &program->ops[root->maker];
    return op != NULL && root->space == TR_SPACE_ARENA && op->native.cheap ? op : NULL;
}

/* Repeating is cheap where the sources are kept; not where they would be repeated in turn, which
 * in a chain of such operations would be all of them in every stage. */
static bool is_repeated(const tr_program *program, tr_value value)
{
    const tr_op *op = cheap_maker(program, value);
    for (int i = 0; op != NULL && i < op->n_args; i++)
        if (op->args[i].role != DNNL_ARG_DST && cheap_maker(program, op->args[i].value) != NULL)
            return false;
    return op != NULL;
}

/* Appends the operation once more; *again: its result. */
static tr_status repeat(tr_program *program, tr_value value, tr_value *again, tr_error *err)
{
    tr_op op = *cheap_maker(program, value); /* a copy: the list grows */
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
    if (box.stage == program->stage || !is_repeated(program, root))
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
    return program->n_sums;
}

tr_stage_sum tr_program_sum(const tr_program *program, size_t i)
{
    return program->sums[i];
}

tr_status tr_program_note_gradient(tr_program *program, const tr_param *param, tr_error *err)
{
    size_t i = program->n_gradients;
    while (i > 0 && program->gradients[i - 1].stage == program->stage)
        if (program->gradients[--i].param == param)
            return TR_OK;
    tr_stage_gradient *grown = tr_grown(program->gradients, program->n_gradients, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, program->layer);
    program->gradients = grown;
    grown[program->n_gradients++] = (tr_stage_gradient){program->stage, param};
    return TR_OK;
}

size_t tr_program_n_gradients(const tr_program *program)
{
    return program->n_gradients;
}

tr_stage_gradient tr_program_gradient_at(const tr_program *program, size_t i)
{
    return program->gradients[i];
}
