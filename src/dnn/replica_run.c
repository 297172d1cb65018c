/* replica_run.c -- running what a replica is bound to; see replica.h. */
#include <string.h>

#include "clock.h"
#include "replica_internal.h"
#include "tsan_marks.h"

static dnnl_status_t run_native(const tr_replica *replica, const tr_bound_op *op)
{
    void *data[TR_MAX_ARGS];
    for (int i = 0; i < op->n_args; i++) {
        const dnnl_status_t status = dnnl_memory_get_data_handle(op->args[i].memory, &data[i]);
        if (status != dnnl_success)
            return status;
    }
    op->native->run(op->native->plan, &replica->draw, data, replica->workspace->scratchpad);
    return dnnl_success;
}

static dnnl_status_t clear(const tr_bound_op *op)
{
    void *data;
    const dnnl_status_t status = dnnl_memory_get_data_handle(op->args[op->cleared].memory, &data);
    if (status == dnnl_success)
        memset(data, 0, op->cleared_bytes);
    return status;
}

static dnnl_status_t run_op(const tr_replica *replica, const tr_bound_op *op)
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

static tr_status run_timed(const tr_replica *replica, const tr_bound_op *op)
{
    int64_t *op_ns = replica->op_ns;
    const int64_t begin = op_ns == NULL ? 0 : tr_clock_ns();
    if (run_op(replica, op) != dnnl_success)
        return TR_ERR_INTERNAL;
    if (op_ns != NULL)
        op_ns[op->index] += tr_clock_ns() - begin;
    return TR_OK;
}

tr_status tr_replica_run(tr_replica *replica, tr_phase phase)
{
    if (phase != TR_PREPARE && tr_program_kept_bytes(replica->program) > 0)
        TR_TRY(tr_replica_bind_own(replica));
    for (size_t i = 0; i < replica->n_ops[phase]; i++)
        TR_TRY(run_timed(replica, &replica->ops[phase][i]));
    return TR_OK;
}

tr_status tr_replica_run_stage(tr_replica *replica, tr_phase phase, int number)
{
    const tr_bound_stage *stage = &replica->stages[number];
    for (size_t i = stage->first[phase]; i < stage->end[phase]; i++)
        if (!replica->ops[phase][i].joins)
            TR_TRY(run_timed(replica, &replica->ops[phase][i]));
    return TR_OK;
}

/* Of the first argument that a group shares. */
static int64_t group_of(const tr_program *program, const tr_op *op)
{
    for (int i = 0; i < op->n_args; i++)
        if (program->values[op->args[i].value].space == TR_SPACE_SHARED)
            return program->values[op->args[i].value].group;
    return TR_WHOLE_BATCH;
}

tr_status tr_replica_join(tr_replica *replica, const tr_kept *kept, int64_t n_micro_batches,
                          int number)
{
    const tr_bound_stage *stage = &replica->stages[number];
    for (int phase = TR_FORWARD; phase <= TR_BACKWARD; phase++)
        for (size_t i = stage->first[phase]; i < stage->end[phase]; i++) {
            const tr_bound_op *op = &replica->ops[phase][i];
            const int64_t group = group_of(replica->program, &replica->program->ops[op->index]);
            const int64_t step = group == TR_WHOLE_BATCH ? n_micro_batches : group;
            for (int64_t m = 0; op->joins && m < n_micro_batches; m += step) {
                TR_TRY(tr_replica_bind(replica, kept, m, NULL, number));
                TR_TRY(run_timed(replica, op));
            }
        }
    return TR_OK;
}

tr_status tr_replica_conclude(tr_replica *replica, const tr_kept *kept)
{
    TR_TRY(tr_replica_bind(replica, kept, 0, NULL, tr_program_n_stages(replica->program)));
    for (size_t i = 0; i < replica->n_ops[TR_CONCLUDE]; i++)
        TR_TRY(run_timed(replica, &replica->ops[TR_CONCLUDE][i]));
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

tr_status tr_replica_place(const tr_replica *replica, tr_value value, void *memory)
{
    return dnnl_memory_set_data_handle(replica->memories[value], memory) == dnnl_success
               ? TR_OK
               : TR_ERR_INTERNAL;
}
