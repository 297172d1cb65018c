/* values.c -- the tensors of a plan: what they are, how long they live, whose memory they have; see
 * program.h. arena.c places them.
 */
#include "mem.h"
#include "program_internal.h"

enum { FLOATS_PER_LINE = TR_ALIGN / sizeof(float) };

int64_t tr_param_elements(const tr_param *param)
{
    int64_t n = 1;
    for (int i = 0; i < param->n_dims; i++)
        n *= param->dims[i];
    return n;
}

static tr_value new_value(tr_program *program, tr_layout layout, tr_space space,
                          const tr_param *param)
{
    tr_value_box *grown =
        layout == NULL ? NULL : tr_grown(program->values, program->n_values, sizeof *grown);
    if (grown == NULL)
        return TR_NO_VALUE;
    program->values = grown;
    grown[program->n_values] = (tr_value_box){.layout = layout,
                                              .space = space,
                                              .param = param,
                                              .root = (tr_value)program->n_values,
                                              .first = program->now,
                                              .last = program->now,
                                              .stage = program->stage,
                                              .last_stage = program->stage,
                                              .sums = TR_NO_VALUE,
                                              .maker = -1,
                                              .repeated = TR_NO_VALUE};
    return (tr_value)program->n_values++;
}

tr_value tr_program_value(tr_program *program, tr_layout layout)
{
    return new_value(program, layout, TR_SPACE_ARENA, NULL);
}

tr_value tr_program_like(tr_program *program, tr_layout layout)
{
    return new_value(program, layout, TR_SPACE_NONE, NULL);
}

tr_value tr_program_sums(tr_program *program, int64_t count, int64_t group, tr_value *total)
{
    const tr_layout layout = tr_layout_x(program->dnn, 2 * count);
    const tr_value sums = new_value(program, layout, TR_SPACE_SUMS, NULL);
    *total = sums == TR_NO_VALUE ? TR_NO_VALUE : tr_program_shared(program, layout, group);
    if (*total == TR_NO_VALUE)
        return TR_NO_VALUE;
    program->values[sums].group = group;
    program->values[sums].n_doubles = program->values[*total].n_doubles = count;
    program->values[*total].sums = sums;
    tr_stage_sum *grown = tr_grown(program->sums, program->n_sums, sizeof *grown);
    if (grown == NULL)
        return TR_NO_VALUE;
    program->sums = grown;
    grown[program->n_sums++] = (tr_stage_sum){
        .sums = sums, .total = *total, .stage = program->stage, .count = count, .group = group};
    return sums;
}

tr_value tr_program_shared(tr_program *program, tr_layout layout, int64_t group)
{
    const tr_value shared = new_value(program, layout, TR_SPACE_SHARED, NULL);
    if (shared != TR_NO_VALUE)
        program->values[shared].group = group;
    return shared;
}

tr_layout tr_program_layout(const tr_program *program, tr_value value)
{
    return program->values[value].layout;
}

void tr_program_touch(tr_program *program, tr_value value)
{
    tr_value_box *root = &program->values[program->values[value].root];
    root->last = program->now;
    if (program->phase != TR_PREPARE && program->stage > root->last_stage)
        root->last_stage = program->stage;
}

tr_value tr_program_view(tr_program *program, tr_value value, tr_layout layout)
{
    if (value == TR_NO_VALUE)
        return TR_NO_VALUE;
    const tr_value view = new_value(program, layout, program->values[value].space, NULL);
    if (view != TR_NO_VALUE)
        program->values[view].root = program->values[value].root;
    return view;
}

tr_value tr_program_param(tr_program *program, tr_param *param, tr_layout plain, tr_layout wanted)
{
    if (plain == NULL || wanted == NULL)
        return TR_NO_VALUE;
    if (param->packed == NULL) {
        param->plain = plain;
        param->packed = wanted;
        size_t *extent = &program->extents->n[param->range];
        param->offset = *extent;
        param->n_packed = tr_layout_bytes(wanted) / sizeof(float);
        /* Each tensor starts on a cache line of its own. */
        *extent += (param->n_packed + FLOATS_PER_LINE - 1) / FLOATS_PER_LINE * FLOATS_PER_LINE;
    }
    return new_value(program, param->packed, TR_SPACE_PARAMS, param);
}

tr_value tr_program_vector_param(tr_program *program, tr_param *param)
{
    const tr_layout x = tr_layout_x(program->dnn, param->dims[0]);
    return tr_program_param(program, param, x, x);
}

tr_status tr_program_place(tr_program *program, tr_param *param, tr_error *err)
{
    return tr_program_vector_param(program, param) == TR_NO_VALUE
               ? tr_out_of_memory(err, program->layer)
               : TR_OK;
}

tr_value tr_program_doubles(tr_program *program, int64_t count)
{
    const tr_value value = tr_program_value(program, tr_layout_x(program->dnn, 2 * count));
    if (value != TR_NO_VALUE)
        program->values[value].n_doubles = count;
    return value;
}

tr_value tr_program_gradient(tr_program *program, const tr_param *param)
{
    return new_value(program, param->packed, TR_SPACE_GRADIENTS, param);
}
