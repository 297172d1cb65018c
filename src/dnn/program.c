/* program.c -- the operations of a plan; see program.h. values.c has what they work on.
 *
 * Primitive files (convolution.c, pooling.c, ...) decide layouts and append through
 * tr_program_add(); this file knows nothing about any layer.
 */
#include "program.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "program_internal.h"
#include "verify_internal.h"

tr_status tr_program_new(tr_program **out, tr_dnn *dnn, int64_t n, bool training,
                         tr_extents *extents, tr_error *err)
{
    tr_program *program = tr_alloc(1, sizeof *program);
    if (program == NULL)
        return tr_out_of_memory(err, NULL);
    program->dnn = dnn;
    program->n = n;
    program->training = program->backward_follows = training;
    program->extents = extents;
    program->result_type = tr_dnn_precision(dnn);
    program->layer = "program";
    *out = program;
    return TR_OK;
}

void tr_program_free(tr_program *program)
{
    if (program == NULL)
        return;
    for (size_t i = 0; i < program->n_ops; i++) {
        dnnl_primitive_destroy(program->ops[i].primitive);
        if (!program->ops[i].native.borrowed)
            tr_free(program->ops[i].native.plan);
    }
    for (size_t i = 0; i < program->n_hints; i++)
        dnnl_primitive_desc_destroy(program->hints[i]);
    tr_free(program->ops);
    tr_free(program->hints);
    tr_free(program->values);
    tr_free(program->sums);
    tr_free(program->gradients);
    tr_free(program);
}

tr_dnn *tr_program_dnn(const tr_program *program)
{
    return program->dnn;
}

bool tr_program_training(const tr_program *program)
{
    return program->training;
}

void tr_program_begin(tr_program *program, const char *layer, tr_phase phase)
{
    program->layer = layer;
    program->phase = phase;
    if (phase == TR_FORWARD)
        program->loss_stage = program->stage;
}

void tr_program_backward_follows(tr_program *program, bool follows)
{
    program->backward_follows = follows;
}

void tr_program_results_in_float32(tr_program *program, bool always)
{
    program->result_type = always ? TR_FLOAT32 : tr_dnn_precision(program->dnn);
}

/* ---- operations ---- */

tr_desc_context tr_program_context(const tr_program *program)
{
    return (tr_desc_context){
        .program = program,
        .engine = tr_dnn_engine(program->dnn),
        .attr = tr_dnn_attr(program->dnn),
        /* Backward descriptors want a training one as their hint. */
        .prop = program->backward_follows ? dnnl_forward_training : dnnl_forward_inference,
        .convolution = tr_dnn_convolution(program->dnn) == TR_CONVOLUTION_WINOGRAD
                           ? dnnl_convolution_winograd
                           : dnnl_convolution_direct};
}

tr_status tr_program_keep(tr_program *program, dnnl_primitive_desc_t desc, tr_error *err)
{
    dnnl_primitive_desc_t *grown = tr_grown(program->hints, program->n_hints, sizeof *grown);
    if (grown == NULL) {
        dnnl_primitive_desc_destroy(desc);
        return tr_out_of_memory(err, NULL);
    }
    program->hints = grown;
    grown[program->n_hints++] = desc;
    return TR_OK;
}

static void need_scratchpad(tr_program *program, size_t bytes)
{
    if (bytes > program->scratchpad_bytes)
        program->scratchpad_bytes = bytes;
}

/* Scratchpad size and implementation name, known before the primitive is compiled. */
static void inspect(tr_program *program, const_dnnl_primitive_desc_t desc, tr_op *op)
{
    const char *impl = NULL;
    if (dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &impl) != dnnl_success ||
        impl == NULL)
        impl = "unknown";
    snprintf(op->impl, sizeof op->impl, "%s", impl);
    op->info.is_ref = strncmp(impl, "ref", 3) == 0 || strstr(impl, ":ref") != NULL;
    op->info.is_winograd = strstr(impl, "wino") != NULL;
    const tr_md scratchpad = tr_desc_query_md(desc, dnnl_query_scratchpad_md);
    need_scratchpad(program, scratchpad == NULL ? 0 : dnnl_memory_desc_get_size(scratchpad));
}

static const char *name_of(const tr_meaning *meaning)
{
    static const char *const names[] = {[TR_KIND_REORDER] = "reorder",
                                        [TR_KIND_CONVOLUTION] = "convolution",
                                        [TR_KIND_INNER_PRODUCT] = "inner product",
                                        [TR_KIND_MAX_POOLING] = "max pooling",
                                        [TR_KIND_AVERAGE_POOLING] = "average pooling",
                                        [TR_KIND_ZERO_PADDING] = "zero padding",
                                        [TR_KIND_DROPOUT] = "dropout",
                                        [TR_KIND_NORMALIZATION] = "normalization",
                                        [TR_KIND_SOFTMAX] = "softmax",
                                        [TR_KIND_CHANNEL_SUMS] = "bias gradient",
                                        [TR_KIND_GLOBAL_MAX] = "global max",
                                        [TR_KIND_SUMS] = "channel sums",
                                        [TR_KIND_FACTORS] = "channel factors",
                                        [TR_KIND_APPLICATION] = "normalization",
                                        [TR_KIND_GROUP_AVERAGES] = "group averages",
                                        [TR_KIND_MOVING_STATISTICS] = "moving averages",
                                        [TR_KIND_PIXEL_NORMALIZATION] = "normalization",
                                        [TR_KIND_CONCATENATION] = "concatenation",
                                        [TR_KIND_CROPPING] = "cropping",
                                        [TR_KIND_PERMUTATION] = "permutation",
                                        [TR_KIND_RESAMPLING] = "resampling",
                                        [TR_KIND_PRELU] = "prelu",
                                        [TR_KIND_SAMPLING] = "sampling",
                                        [TR_KIND_TINTING] = "tinting",
                                        [TR_KIND_ERASING] = "erasing",
                                        [TR_KIND_REPEATED_SUMS] = "repeated sums",
                                        [TR_KIND_ACTIVITY] = "activity",
                                        [TR_KIND_PACKING] = "packing"};
    static const char *const merges[] = {[TR_MERGE_SUM] = "add",
                                         [TR_MERGE_PRODUCT] = "multiply",
                                         [TR_MERGE_MEAN] = "average",
                                         [TR_MERGE_MAXIMUM] = "maximum"};
    return meaning->kind == TR_KIND_ELTWISE ? tr_activation_names[meaning->activation.name]
           : meaning->kind == TR_KIND_MERGE ? merges[meaning->merging.merge]
                                            : names[meaning->kind];
}

/* Room for the next operation, described but not counted yet. */
static tr_status describe(tr_program *program, const tr_meaning *meaning, const tr_arg *args,
                          int n_args, tr_op **out, tr_error *err)
{
    tr_op *grown = tr_grown(program->ops, program->n_ops, sizeof *grown);
    if (grown == NULL)
        return tr_out_of_memory(err, NULL);
    program->ops = grown;
    tr_op *op = &grown[program->n_ops];
    *op = (tr_op){.meaning = *meaning,
                  .n_args = n_args,
                  .cleared = -1,
                  .stage = program->phase == TR_PREPARE ? 0 : program->stage,
                  .joins = program->joining,
                  .info = {.layer = program->layer,
                           .what = name_of(meaning),
                           .phase = program->phase,
                           .direction = meaning->direction}};
    for (int i = 0; i < n_args; i++) {
        if (args[i].value == TR_NO_VALUE)
            return tr_out_of_memory(err, program->layer);
        op->args[i] = args[i];
        tr_program_touch(program, args[i].value);
        if (args[i].role == DNNL_ARG_DST)
            program->values[args[i].value].maker = (int)program->n_ops;
        if (program->values[args[i].value].space == TR_SPACE_GRADIENTS)
            TR_TRY(tr_program_note_gradient(program, program->values[args[i].value].param, err));
    }
    *out = op;
    return TR_OK;
}

static void count_op(tr_program *program)
{
    program->n_ops++;
    if (program->phase == TR_FORWARD || program->phase == TR_BACKWARD)
        program->now++;
}

/* The arguments as the stage at hand may read them. */
static tr_status recall_all(tr_program *program, const tr_arg *args, int n_args,
                            tr_arg recalled[TR_MAX_ARGS], tr_error *err)
{
    memcpy(recalled, args, (size_t)n_args * sizeof *args);
    for (int i = 0; i < n_args; i++)
        TR_TRY(tr_program_recall(program, &recalled[i].value, err));
    return TR_OK;
}

tr_status tr_program_add(tr_program *program, dnnl_primitive_desc_t desc, const tr_meaning *meaning,
                         const tr_arg *args, int n_args, dnnl_primitive_desc_t *keep_hint,
                         tr_error *err)
{
    tr_op *op;
    tr_arg recalled[TR_MAX_ARGS];
    TR_TRY(tr_program_keep(program, desc, err)); /* from here on the program owns it */
    TR_TRY(recall_all(program, args, n_args, recalled, err));
    TR_TRY(describe(program, meaning, recalled, n_args, &op, err));
    inspect(program, desc, op);
    const dnnl_status_t status = dnnl_primitive_create(&op->primitive, desc);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, op->info.what);
    count_op(program);
    if (keep_hint != NULL)
        *keep_hint = desc;
    return TR_OK;
}

tr_status tr_program_add_native(tr_program *program, const tr_native *native,
                                const tr_meaning *meaning, const tr_arg *args, int n_args,
                                tr_error *err)
{
    tr_op *op;
    tr_arg recalled[TR_MAX_ARGS];
    tr_status status = native->plan == NULL ? tr_out_of_memory(err, program->layer)
                                            : recall_all(program, args, n_args, recalled, err);
    if (status == TR_OK)
        status = describe(program, meaning, recalled, n_args, &op, err);
    if (status != TR_OK) {
        if (!native->borrowed)
            tr_free(native->plan);
        return status;
    }
    op->native = *native;
    snprintf(op->impl, sizeof op->impl, "%s", native->impl[0] == '\0' ? "native" : native->impl);
    op->info.is_winograd = native->is_winograd;
    op->info.flops = native->flops;
    need_scratchpad(program, native->scratch_bytes);
    count_op(program);
    return TR_OK;
}

tr_layout tr_chosen_layout(tr_program *program, const_dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    const tr_md md = tr_desc_query_md(desc, what);
    return md == NULL ? NULL : tr_layout_intern(program->dnn, md);
}

tr_status tr_program_reorder_into(tr_program *program, tr_value from, tr_value to, tr_error *err)
{
    if (from == TR_NO_VALUE || to == TR_NO_VALUE)
        return tr_out_of_memory(err, program->layer);
    const tr_arg args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    const tr_meaning meaning = {.kind = TR_KIND_REORDER, .direction = TR_DIR_REORDER};
    if (tr_copy_is_wrong(program, program->values[from].layout, program->values[to].layout))
        return tr_program_add_copy(program, &meaning, args, err);
    dnnl_primitive_desc_t desc;
    const dnnl_engine_t engine = tr_dnn_engine(program->dnn);
    const dnnl_status_t status = dnnl_reorder_primitive_desc_create(
        &desc, tr_layout_md(program->values[from].layout), engine,
        tr_layout_md(program->values[to].layout), engine, tr_dnn_attr(program->dnn));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "reorder");
    return tr_program_add(program, desc, &meaning, args, 2, NULL, err);
}

/* A copy of the value in that layout that an earlier operation of this stage (or, in PREPARE, of
 * this step) made, or TR_NO_VALUE. Values are written once, so a copy stays right; using it again
 * prolongs its life in the arena. Beyond a cut it would have to be kept, and is made again. */
static tr_value earlier_copy(const tr_program *program, tr_value value, tr_layout layout)
{
    const bool preparing = program->phase == TR_PREPARE;
    for (size_t i = 0; i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        if (op->info.direction == TR_DIR_REORDER && (op->info.phase == TR_PREPARE) == preparing &&
            (preparing || op->stage == program->stage) && op->args[0].value == value &&
            program->values[op->args[1].value].layout == layout)
            return op->args[1].value;
    }
    return TR_NO_VALUE;
}

tr_status tr_program_reorder(tr_program *program, tr_value value, tr_layout layout, tr_value *out,
                             tr_error *err)
{
    if (value == TR_NO_VALUE || layout == NULL)
        return tr_out_of_memory(err, program->layer);
    if (program->values[value].layout == layout) {
        *out = value;
        return TR_OK;
    }
    tr_value copy = earlier_copy(program, value, layout);
    if (copy == TR_NO_VALUE) {
        copy = tr_program_value(program, layout);
        TR_TRY(tr_program_reorder_into(program, value, copy, err));
    }
    *out = copy;
    return TR_OK;
}

tr_status tr_program_weights(tr_program *program, tr_value param, tr_layout layout, tr_value *out,
                             tr_error *err)
{
    const tr_phase phase = program->phase;
    program->phase = TR_PREPARE;
    const tr_status status = tr_program_reorder(program, param, layout, out, err);
    program->phase = phase;
    if (status == TR_OK && *out != param)
        program->values[*out].space = TR_SPACE_PREPARED;
    return status;
}

/* Portable: an operation of oneDNN's would be a result of this CPU and that library. */
static tr_status check_portable(const tr_program *program, tr_error *err)
{
    for (size_t i = 0; tr_dnn_is_portable(program->dnn) && i < program->n_ops; i++)
        if (program->ops[i].primitive != NULL)
            return tr_fail(err, TR_ERR_CONFIG,
                           "%s: [engine] kernels = portable: there is no kernel of our own for its "
                           "%s; use kernels = fast",
                           program->ops[i].info.layer, program->ops[i].info.what);
    return TR_OK;
}

tr_status tr_program_finish(tr_program *program, tr_error *err)
{
    TR_TRY(check_portable(program, err));
    return tr_arena_place(program, err);
}

/* ---- reports ---- */

const char *tr_direction_name(tr_direction direction)
{
    static const char *const names[] = {"forward", "backward data", "backward weights", "reorder"};
    return names[direction];
}

size_t tr_program_n_ops(const tr_program *program)
{
    return program->n_ops;
}

/* Whether an earlier argument is the same tensor. */
static bool is_counted(const tr_op *op, int arg)
{
    int i = 0;
    while (op->args[i].value != op->args[arg].value)
        i++;
    return i < arg;
}

static void count_bytes(const tr_program *program, const tr_op *op, tr_op_info *info)
{
    for (int i = 0; i < op->n_args; i++) {
        const int role = op->args[i].role;
        const double bytes = (double)tr_layout_bytes(program->values[op->args[i].value].layout);
        const bool result = tr_result_name(info->direction, role) != NULL ||
                            (role == DNNL_ARG_WORKSPACE && info->direction == TR_DIR_FORWARD);
        if (result)
            info->written_bytes += bytes;
        if ((!result || tr_op_updates(op)) && !is_counted(op, i))
            info->read_bytes += bytes;
    }
}

tr_op_info tr_program_op(const tr_program *program, size_t i)
{
    tr_op_info info = program->ops[i].info;
    info.impl = program->ops[i].impl;
    if (!program->ops[i].joins && info.phase != TR_CONCLUDE)
        count_bytes(program, &program->ops[i], &info);
    return info;
}

size_t tr_program_arena_bytes(const tr_program *program)
{
    return program->bytes[TR_SPACE_ARENA] + program->bytes[TR_SPACE_PREPARED] +
           program->scratchpad_bytes;
}

size_t tr_program_kept_bytes(const tr_program *program)
{
    return program->bytes[TR_SPACE_SUMS]; /* which begin where what is kept ends */
}
