/* replica.c -- a program bound to memory; see replica.h. replica_run.c runs it. */
#include "replica.h"

#include "mem.h"
#include "replica_internal.h"

/* ---- binding ---- */

static dnnl_status_t bind_values(tr_replica *replica, float *params)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        void *data = DNNL_MEMORY_NONE; /* the others: set before every micro-batch */
        if (value->space == TR_SPACE_ARENA)
            data = replica->workspace->arena + value->offset;
        else if (value->space == TR_SPACE_PREPARED)
            data = replica->prepared + value->offset;
        else if (value->space == TR_SPACE_PARAMS && params != NULL)
            data = params + value->param->offset;
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
                              replica->workspace->scratchpad);
}

static dnnl_status_t bind_ops(tr_replica *replica)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        const dnnl_status_t status = bind_scratchpad(replica, i);
        if (status != dnnl_success)
            return status;
        tr_bound_op *bound = &replica->ops[op->info.phase][replica->n_ops[op->info.phase]++];
        bound->primitive = op->primitive;
        bound->native = op->primitive == NULL ? &op->native : NULL;
        bound->index = i;
        bound->stage = op->stage;
        bound->joins = op->joins;
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

/* Adds the value, unless it is there. False: out of memory. */
static bool add_once(tr_value **list, size_t *n, tr_value value)
{
    for (size_t i = 0; i < *n; i++)
        if ((*list)[i] == value)
            return true;
    tr_value *grown = tr_grown(*list, *n, sizeof *grown);
    if (grown == NULL)
        return false;
    *list = grown;
    grown[(*n)++] = value;
    return true;
}

/* The value, its root and all other views of that: the engine, which writes images and gradients of
 * results, may know it by another of them. */
static bool add_views(tr_bound_stage *stage, const tr_program *program, tr_value value)
{
    const tr_value root = program->values[value].root;
    bool ok = true;
    for (size_t i = 0; ok && i < program->n_values; i++)
        if (program->values[i].root == root)
            ok = add_once(&stage->kept, &stage->n_kept, (tr_value)i);
    return ok;
}

static bool bind_stage(tr_bound_stage *stage, const tr_program *program, const tr_op *op)
{
    bool ok = true;
    for (int k = 0; k < op->n_args; k++) {
        const tr_value value = op->args[k].value;
        const tr_space space = program->values[value].space;
        if (space == TR_SPACE_GRADIENTS)
            ok = ok && add_once(&stage->gradients, &stage->n_gradients, value);
        else if (space == TR_SPACE_KEPT || space == TR_SPACE_SUMS || space == TR_SPACE_SHARED)
            ok = ok && add_views(stage, program, value);
    }
    return ok;
}

/* What each stage has to be told; its operations are neighbours in their phase. CONCLUDE, which
 * belongs to none, comes last. */
static bool bind_stages(tr_replica *replica)
{
    const tr_program *program = replica->program;
    const int n_stages = tr_program_n_stages(program);
    replica->stages = tr_alloc((size_t)n_stages + 1, sizeof *replica->stages);
    for (size_t i = 0; replica->stages != NULL && i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        const int stage = op->info.phase == TR_CONCLUDE ? n_stages : op->stage;
        if (!bind_stage(&replica->stages[stage], program, op))
            return false;
    }
    /* What the engine reads in a later stage: no operation there has it. */
    for (size_t i = 0; replica->stages != NULL && i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        if (value->space == TR_SPACE_KEPT && value->root == (tr_value)i &&
            !add_views(&replica->stages[value->last_stage], program, (tr_value)i))
            return false;
    }
    return replica->stages != NULL;
}

static void find_stages(tr_replica *replica)
{
    for (int phase = 0; phase < TR_N_PHASES; phase++)
        for (size_t i = 0; i < replica->n_ops[phase]; i++) {
            tr_bound_stage *stage = &replica->stages[replica->ops[phase][i].stage];
            if (stage->end[phase] == 0)
                stage->first[phase] = i;
            stage->end[phase] = i + 1;
        }
}

static bool allocate(tr_replica *replica)
{
    const tr_program *program = replica->program;
    replica->prepared = tr_alloc(program->bytes[TR_SPACE_PREPARED], 1);
    replica->memories = tr_alloc(program->n_values, sizeof(dnnl_memory_t));
    replica->scratchpads = tr_alloc(program->n_ops, sizeof(dnnl_memory_t));
    bool ok =
        replica->prepared && replica->memories && replica->scratchpads && bind_stages(replica);
    for (int phase = 0; phase < TR_N_PHASES; phase++) {
        replica->ops[phase] = tr_alloc(program->n_ops, sizeof(tr_bound_op));
        ok = ok && replica->ops[phase] != NULL;
    }
    return ok;
}

static void workspace_leave(tr_workspace *shared)
{
    if (shared == NULL || --shared->users > 0)
        return;
    tr_free(shared->arena);
    tr_free(shared->scratchpad);
    tr_free(shared);
}

/* Large enough for either program; `second` may be NULL. One user: who made it. */
static tr_workspace *workspace_new(const tr_program *first, const tr_program *second)
{
    tr_workspace *shared = tr_alloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    size_t arena = first->bytes[TR_SPACE_ARENA], scratchpad = first->scratchpad_bytes;
    if (second != NULL && second->bytes[TR_SPACE_ARENA] > arena)
        arena = second->bytes[TR_SPACE_ARENA];
    if (second != NULL && second->scratchpad_bytes > scratchpad)
        scratchpad = second->scratchpad_bytes;
    shared->users = 1;
    shared->arena = tr_alloc(arena, 1);
    shared->scratchpad = tr_alloc(scratchpad, 1);
    if (shared->arena != NULL && shared->scratchpad != NULL)
        return shared;
    workspace_leave(shared);
    return NULL;
}

static tr_status new_replica(tr_replica **out, const tr_program *program, tr_workspace *shared,
                             float *params, tr_error *err)
{
    tr_replica *replica = tr_alloc(1, sizeof *replica);
    if (replica == NULL)
        return tr_out_of_memory(err, NULL);
    replica->program = program;
    if (shared != NULL) {
        replica->workspace = shared;
        shared->users++;
    }
    replica->draw.n = program->n;
    if (shared == NULL || !allocate(replica)) {
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
    find_stages(replica);
    *out = replica;
    return TR_OK;
}

tr_status tr_replica_new(tr_replica **out, const tr_program *program, float *params, tr_error *err)
{
    tr_workspace *own = workspace_new(program, NULL);
    const tr_status status = new_replica(out, program, own, params, err);
    workspace_leave(own);
    return status;
}

tr_status tr_replica_new_pair(tr_replica **first, const tr_program *first_program,
                              tr_replica **second, const tr_program *second_program, float *params,
                              tr_error *err)
{
    tr_workspace *shared = workspace_new(first_program, second_program);
    tr_status status = new_replica(first, first_program, shared, params, err);
    if (status == TR_OK)
        status = new_replica(second, second_program, shared, params, err);
    workspace_leave(shared);
    return status;
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
    for (int i = 0; replica->stages != NULL && i <= tr_program_n_stages(program); i++) {
        tr_free(replica->stages[i].kept);
        tr_free(replica->stages[i].gradients);
    }
    tr_free(replica->stages);
    tr_kept_free(replica->own);
    tr_free(replica->memories);
    tr_free(replica->scratchpads);
    tr_free(replica->prepared);
    workspace_leave(replica->workspace);
    tr_free(replica);
}

float *tr_replica_data(const tr_replica *replica, tr_value value)
{
    return tr_replica_memory(replica, value);
}

tr_status tr_replica_set_gradients(tr_replica *replica, float *gradients)
{
    const tr_program *program = replica->program;
    for (size_t i = 0; i < program->n_values; i++) {
        const tr_value_box *value = &program->values[i];
        if (value->space == TR_SPACE_GRADIENTS)
            TR_TRY(tr_replica_place(replica, (tr_value)i, gradients + value->param->offset));
    }
    return TR_OK;
}

static tr_status bind(tr_replica *replica, const tr_bound_stage *stage, const tr_kept *kept,
                      int64_t m)
{
    for (size_t i = 0; i < stage->n_kept; i++)
        TR_TRY(tr_replica_place(replica, stage->kept[i], tr_kept_memory(kept, stage->kept[i], m)));
    return TR_OK;
}

tr_status tr_replica_bind(tr_replica *replica, const tr_kept *kept, int64_t m, float *gradients,
                          int number)
{
    const tr_bound_stage *stage = &replica->stages[number];
    for (size_t i = 0; gradients != NULL && i < stage->n_gradients; i++)
        TR_TRY(tr_replica_place(replica, stage->gradients[i],
                                gradients +
                                    replica->program->values[stage->gradients[i]].param->offset));
    return bind(replica, stage, kept, m);
}

tr_status tr_replica_bind_own(tr_replica *replica)
{
    const tr_program *program = replica->program;
    if (replica->own == NULL)
        TR_TRY(tr_kept_new(&replica->own, program, 1, NULL));
    for (int i = 0; i <= tr_program_n_stages(program); i++)
        TR_TRY(bind(replica, &replica->stages[i], replica->own, 0));
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
