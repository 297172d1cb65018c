/* replica.c -- binding a program to memory and running it; see replica.h. */
#include "replica.h"

#include <string.h>

#include "clock.h"
#include "mem.h"
#include "program_internal.h"
#include "replica_internal.h"
#include "tsan_marks.h"

typedef struct bound_op {
    dnnl_primitive_t primitive;
    const tr_native *native;               /* instead of the primitive */
    dnnl_exec_arg_t args[TR_MAX_ARGS + 1]; /* and the scratchpad */
    int n_args;
    int cleared; /* -1: none */
    size_t cleared_bytes;
    size_t index; /* in the program */
} bound_op;

struct tr_replica {
    const tr_program *program;
    unsigned char *arena;
    void *scratchpad;
    dnnl_stream_t stream;
    dnnl_memory_t *memories;    /* one per value */
    dnnl_memory_t *scratchpads; /* one per operation: its own size, the same block */
    bound_op *ops[TR_N_PHASES];
    size_t n_ops[TR_N_PHASES];
    tr_draw draw;
    int64_t *op_ns; /* NULL: nobody asks */
};

/* ---- binding ---- */

static dnnl_status_t bind_values(tr_replica *replica, const float *params)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        void *data = DNNL_MEMORY_NONE; /* gradients: set before every micro-batch */
        if (value->space == TR_SPACE_ARENA)
            data = replica->arena + value->offset;
        else if (value->space == TR_SPACE_PARAMS &&
                 params != NULL) /* no operation writes parameters */
            data = (unsigned char *)(uintptr_t)params + value->offset;
        const dnnl_status_t status = dnnl_memory_create(
            &replica->memories[i], tr_layout_md(value->layout), tr_dnn_engine(program->dnn), data);
        if (status != dnnl_success)
            return status;
    }
    return dnnl_success;
}

static dnnl_status_t bind_scratchpad(tr_replica *replica, size_t i)
{
    const_dnnl_primitive_desc_t desc;
    if (replica->program->ops[i].primitive == NULL)
        return dnnl_success;
    dnnl_status_t status =
        dnnl_primitive_get_primitive_desc(replica->program->ops[i].primitive, &desc);
    if (status != dnnl_success)
        return status;
    const tr_md md = tr_desc_query_md(desc, dnnl_query_scratchpad_md);
    if (md == NULL || dnnl_memory_desc_get_size(md) == 0)
        return dnnl_success;
    return dnnl_memory_create(&replica->scratchpads[i], md, tr_dnn_engine(replica->program->dnn),
                              replica->scratchpad);
}

static dnnl_status_t bind_ops(tr_replica *replica)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        const dnnl_status_t status = bind_scratchpad(replica, i);
        if (status != dnnl_success)
            return status;
        bound_op *bound = &replica->ops[op->info.phase][replica->n_ops[op->info.phase]++];
        bound->primitive = op->primitive;
        bound->native = op->primitive == NULL ? &op->native : NULL;
        bound->index = i;
        bound->cleared = op->cleared;
        if (op->cleared >= 0)
            bound->cleared_bytes =
                tr_layout_bytes(program->values[op->args[op->cleared].value].layout);
        for (int k = 0; k < op->n_args; k++)
            bound->args[bound->n_args++] =
                (dnnl_exec_arg_t){op->args[k].role, replica->memories[op->args[k].value]};
        if (replica->scratchpads[i] != NULL)
            bound->args[bound->n_args++] =
                (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, replica->scratchpads[i]};
    }
    return dnnl_success;
}

static bool allocate(tr_replica *replica)
{
    const tr_program *program = replica->program;
    replica->arena = tr_alloc(program->arena_bytes, 1);
    replica->scratchpad = tr_alloc(program->scratchpad_bytes, 1);
    replica->memories = tr_alloc(program->n_values, sizeof(dnnl_memory_t));
    replica->scratchpads = tr_alloc(program->n_ops, sizeof(dnnl_memory_t));
    bool ok = replica->arena && replica->scratchpad && replica->memories && replica->scratchpads;
    for (int phase = 0; phase < TR_N_PHASES; phase++) {
        replica->ops[phase] = tr_alloc(program->n_ops, sizeof(bound_op));
        ok = ok && replica->ops[phase] != NULL;
    }
    return ok;
}

tr_status tr_replica_new(tr_replica **out, const tr_program *program, const float *params,
                         tr_error *err)
{
    tr_replica *replica = tr_alloc(1, sizeof *replica);
    if (replica == NULL)
        return tr_out_of_memory(err, NULL);
    replica->program = program;
    replica->draw.n = program->n;
    if (!allocate(replica)) {
        tr_replica_free(replica);
        return tr_fail(err, TR_ERR_INTERNAL,
                       "out of memory: a thread needs %zu bytes for its activations; use a "
                       "smaller [engine] micro_batch or fewer threads",
                       tr_program_arena_bytes(program));
    }
    dnnl_status_t status = dnnl_stream_create(&replica->stream, tr_dnn_engine(program->dnn),
                                              dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = bind_values(replica, params);
    if (status == dnnl_success)
        status = bind_ops(replica);
    if (status != dnnl_success) {
        tr_replica_free(replica);
        return tr_dnn_fail(err, status, "replica", "binding of memory");
    }
    *out = replica;
    return TR_OK;
}

void tr_replica_free(tr_replica *replica)
{
    if (replica == NULL)
        return;
    const tr_program *program = replica->program;
    for (size_t i = 0; replica->memories != NULL && i < program->n_values; i++)
        dnnl_memory_destroy(replica->memories[i]);
    for (size_t i = 0; replica->scratchpads != NULL && i < program->n_ops; i++)
        dnnl_memory_destroy(replica->scratchpads[i]);
    if (replica->stream != NULL)
        dnnl_stream_destroy(replica->stream);
    for (int phase = 0; phase < TR_N_PHASES; phase++)
        tr_free(replica->ops[phase]);
    tr_free(replica->memories);
    tr_free(replica->scratchpads);
    tr_free(replica->scratchpad);
    tr_free(replica->arena);
    tr_free(replica);
}

float *tr_replica_data(const tr_replica *replica, tr_value value)
{
    return (float *)(void *)(replica->arena + replica->program->values[value].offset);
}

/* ---- running ---- */

tr_status tr_replica_set_gradients(tr_replica *replica, float *gradients)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        if (value->space == TR_SPACE_GRADIENTS &&
            dnnl_memory_set_data_handle(replica->memories[i],
                                        (unsigned char *)gradients + value->offset) != dnnl_success)
            return TR_ERR_INTERNAL;
    }
    return TR_OK;
}

void tr_replica_set_draw(tr_replica *replica, const tr_draw *draw)
{
    replica->draw = *draw;
}

void tr_replica_time(tr_replica *replica, int64_t *op_ns)
{
    replica->op_ns = op_ns;
}

static dnnl_status_t run_native(const tr_replica *replica, const bound_op *op)
{
    void *data[TR_MAX_ARGS];
    for (int i = 0; i < op->n_args; i++) {
        const dnnl_status_t status = dnnl_memory_get_data_handle(op->args[i].memory, &data[i]);
        if (status != dnnl_success)
            return status;
    }
    op->native->run(op->native->plan, &replica->draw, data, replica->scratchpad);
    return dnnl_success;
}

static dnnl_status_t clear(const bound_op *op)
{
    void *data;
    const dnnl_status_t status = dnnl_memory_get_data_handle(op->args[op->cleared].memory, &data);
    if (status == dnnl_success)
        memset(data, 0, op->cleared_bytes);
    return status;
}

static dnnl_status_t run_op(const tr_replica *replica, const bound_op *op)
{
    if (op->cleared >= 0 && clear(op) != dnnl_success)
        return dnnl_runtime_error;
    if (op->native != NULL)
        return run_native(replica, op);
    const dnnl_status_t status =
        dnnl_primitive_execute(op->primitive, replica->stream, op->n_args, op->args);
    tr_tsan_mark(op->args, op->n_args);
    return status;
}

tr_status tr_replica_run(tr_replica *replica, tr_phase phase)
{
    int64_t *op_ns = replica->op_ns;
    for (size_t i = 0; i < replica->n_ops[phase]; i++) {
        const bound_op *op = &replica->ops[phase][i];
        const int64_t begin = op_ns == NULL ? 0 : tr_clock_ns();
        if (run_op(replica, op) != dnnl_success)
            return TR_ERR_INTERNAL;
        if (op_ns != NULL)
            op_ns[op->index] += tr_clock_ns() - begin;
    }
    return TR_OK;
}

/* ---- for verify.c ---- */

const tr_program *tr_replica_program(const tr_replica *replica)
{
    return replica->program;
}

const tr_draw *tr_replica_draw(const tr_replica *replica)
{
    return &replica->draw;
}

tr_status tr_replica_run_op(tr_replica *replica, tr_phase phase, size_t i)
{
    return run_op(replica, &replica->ops[phase][i]) == dnnl_success ? TR_OK : TR_ERR_INTERNAL;
}

void *tr_replica_memory(const tr_replica *replica, tr_value value)
{
    void *data = NULL;
    return dnnl_memory_get_data_handle(replica->memories[value], &data) == dnnl_success ? data
                                                                                        : NULL;
}

tr_status tr_replica_place(tr_replica *replica, tr_value value, void *memory)
{
    return dnnl_memory_set_data_handle(replica->memories[value], memory) == dnnl_success
               ? TR_OK
               : TR_ERR_INTERNAL;
}
