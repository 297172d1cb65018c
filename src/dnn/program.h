/* program.h -- a network, planned: which primitive runs when, on which values.
 *
 * Layers append operations; nothing here runs. A program has three phases: PREPARE (once after
 * each change of the parameters: weights reordered for backward kernels), FORWARD and BACKWARD
 * (once per micro-batch). A value is a tensor of the program; its memory is a range of the
 * replica's arena, shared by values that are not alive at the same time, or a view of the flat
 * parameter or gradient vector. The plan decides everything, so that running it allocates nothing
 * and chooses nothing (replica.h). Planning is single-threaded; a finished program is immutable and
 * shared by all replicas.
 *
 * Where a network needs sums over all samples of a batch, its program is cut into stages: a stage
 * runs for all micro-batches before the next begins. Between two, the sums that each micro-batch
 * wrote are added, and join operations make of the totals what the next stage reads. What a
 * micro-batch needs beyond a cut is kept for it (kept.h) instead of lying in the arena. A program
 * without cuts has one stage. CONCLUDE runs once, behind the last stage of a batch.
 */
#ifndef TR_PROGRAM_H
#define TR_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnn.h"
#include "param.h"

typedef struct tr_program tr_program;
typedef int tr_value; /* of the program that made it */
enum { TR_NO_VALUE = -1 };

/* Tensors that one operation can merge into one. */
enum { TR_MAX_SOURCES = 32 };

typedef enum tr_phase { TR_PREPARE, TR_FORWARD, TR_BACKWARD, TR_CONCLUDE, TR_N_PHASES } tr_phase;

/* What an operation computes, for reports. */
typedef enum tr_direction {
    TR_DIR_FORWARD,
    TR_DIR_BACKWARD_DATA,
    TR_DIR_BACKWARD_WEIGHTS,
    TR_DIR_REORDER
} tr_direction;

typedef struct tr_op_info {
    const char *layer;
    const char *what; /* "convolution", "relu", ... */
    tr_phase phase;
    tr_direction direction;
    const char *impl; /* oneDNN's implementation name, e.g. "jit:avx512_core", or "native" */
    bool is_ref;      /* a reference implementation: correct and very slow */
    bool is_winograd;
    double flops; /* of convolutions and inner products; a multiply-add counts two */
    /* Of one run: each tensor once, padding included. 0 of joins, which hardly run. */
    double read_bytes, written_bytes;
} tr_op_info;

/* `n`: samples of a micro-batch. `training`: keep what backward needs. `extents`: of the flat
 * vectors so far, extended by parameters seen for the first time. `dnn` must outlive it. */
tr_status tr_program_new(tr_program **out, tr_dnn *dnn, int64_t n, bool training,
                         tr_extents *extents, tr_error *err);
void tr_program_free(tr_program *program);

tr_dnn *tr_program_dnn(const tr_program *program);
bool tr_program_training(const tr_program *program);

/* ---- planning: used by model/ and layers/ ---- */

/* Later operations are reported under this layer's name (borrowed) and belong to `phase`. */
void tr_program_begin(tr_program *program, const char *layer, tr_phase phase);

/* Whether a backward will follow for later operations, as for all of a training program at first.
 * Where nobody asks for a gradient they run as in inference. */
void tr_program_backward_follows(tr_program *program, bool follows);

/* Whether convolutions and inner products from here on write float32, whatever the precision: for
 * what the loss sees. */
void tr_program_results_in_float32(tr_program *program, bool always);

/* A new tensor in the arena. TR_NO_VALUE: out of memory (also where `layout` is NULL). */
tr_value tr_program_value(tr_program *program, tr_layout layout);
tr_layout tr_program_layout(const tr_program *program, tr_value value);

/* Gives a parameter that no operation reads its place in the flat vectors; a vector, or a number.
 */
tr_status tr_program_place(tr_program *program, tr_param *param, tr_error *err);

/* The same memory under another layout of the same size (flatten: nhwc seen as nc). */
tr_value tr_program_view(tr_program *program, tr_value value, tr_layout layout);

/* Keeps the value alive at this point of the program: the engine reads or writes it here. */
void tr_program_touch(tr_program *program, tr_value value);

/* *out = the value in `layout`: itself where it has it already, a copy that was made before, or a
 * new one. The result must not be written to. */
tr_status tr_program_reorder(tr_program *program, tr_value value, tr_layout layout, tr_value *out,
                             tr_error *err);

/* ---- sums over a batch ---- */

/* Groups of micro-batches that are summed by themselves: TR_WHOLE_BATCH, or so many each. */
enum { TR_WHOLE_BATCH = 0 };

/* `count` doubles that a native operation writes for each micro-batch, and *total, their sum over
 * the micro-batches of a group: there for join operations and what comes behind the cut. */
tr_value tr_program_sums(tr_program *program, int64_t count, int64_t group, tr_value *total);

/* A tensor that all micro-batches of a group share. Written by joins. */
tr_value tr_program_shared(tr_program *program, tr_layout layout, int64_t group);

/* Native operations that are appended between these run once for each group (of their first shared
 * argument) when the stage at hand has ended. They read totals, shared values and parameters. */
void tr_program_begin_join(tr_program *program);
void tr_program_end_join(tr_program *program);

/* Everything appended from here on belongs to a new stage. */
void tr_program_cut(tr_program *program);

/* Native operations that are appended between these run once, behind the last stage of a batch, and
 * may write parameters that are statistics. They read values of TR_WHOLE_BATCH. */
void tr_program_begin_conclude(tr_program *program);
void tr_program_end_conclude(tr_program *program);

/* Places the arena. Call once, when everything is planned. */
tr_status tr_program_finish(tr_program *program, tr_error *err);

/* ---- reports ---- */

const char *tr_direction_name(tr_direction direction); /* "backward data", ... */
size_t tr_program_n_ops(const tr_program *program);
tr_op_info tr_program_op(const tr_program *program, size_t i);
size_t tr_program_arena_bytes(const tr_program *program); /* per replica, scratchpad included */
size_t tr_program_kept_bytes(const tr_program *program);  /* per micro-batch of a batch */

/* ---- for who runs it ---- */

int tr_program_n_stages(const tr_program *program);
/* The stage that ends FORWARD and begins BACKWARD: the loss stands in it. */
int tr_program_loss_stage(const tr_program *program);

/* What is to be added when a stage ends. */
typedef struct tr_stage_sum {
    tr_value sums, total;
    int stage;
    int64_t count, group;
} tr_stage_sum;
size_t tr_program_n_sums(const tr_program *program);
tr_stage_sum tr_program_sum(const tr_program *program, size_t i);

/* Which stage writes the gradient of which parameter, in the order of stages. */
typedef struct tr_stage_gradient {
    int stage;
    const tr_param *param;
} tr_stage_gradient;
size_t tr_program_n_gradients(const tr_program *program);
tr_stage_gradient tr_program_gradient_at(const tr_program *program, size_t i);

#endif
