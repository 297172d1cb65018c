/* own.c -- what the operations with kernels of our own share; see own.h. */
#include "own.h"

#include <stdio.h>

#include "mem.h"

const tr_kernels *tr_program_own(const tr_program *program)
{
    return tr_dnn_own(program->dnn);
}

const tr_kernels *tr_program_beside(const tr_program *program)
{
    return tr_dnn_beside(program->dnn);
}

tr_status tr_program_packed(tr_program *program, tr_value param, const tr_native *native,
                            size_t n_floats, tr_value *out, tr_error *err)
{
    const tr_phase phase = program->phase;
    program->phase = TR_PREPARE;
    *out = tr_program_value(program, tr_layout_x(program->dnn, (int64_t)n_floats));
    const tr_arg args[] = {{DNNL_ARG_SRC, param}, {DNNL_ARG_DST, *out}};
    const tr_meaning meaning = {.kind = TR_KIND_PACKING, .direction = TR_DIR_REORDER};
    const tr_status status = tr_program_add_native(program, native, &meaning, args, 2, err);
    program->phase = phase;
    if (status == TR_OK)
        program->values[*out].space = TR_SPACE_PREPARED;
    return status;
}

tr_status tr_program_own_order(tr_program *program, tr_value *value, tr_error *err)
{
    int64_t dims[4];
    if (*value == TR_NO_VALUE)
        return tr_out_of_memory(err, program->layer);
    const tr_layout layout = tr_program_layout(program, *value);
    if (tr_layout_dims(layout, dims) != 4)
        return TR_OK;
    return tr_program_reorder(program, *value,
                              tr_layout_nhwc(program->dnn, dims[0], dims[2], dims[3], dims[1]),
                              value, err);
}

tr_epilogue tr_own_epilogue(tr_activation fused)
{
    tr_epilogue epilogue = {.n_functions = fused.n_steps};
    for (int i = 0; i < epilogue.n_functions; i++)
        epilogue.functions[i] = fused.steps[i];
    return epilogue;
}

void tr_own_name(tr_native *native, const char *algorithm, const tr_kernels *kernels)
{
    snprintf(native->impl, sizeof native->impl, "%s:%s", algorithm, kernels->name);
}
