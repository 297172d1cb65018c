/* bench.c -- rounds of peak, steps, profiled steps and evaluation; see bench.h. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "model_internal.h"
#include "peak.h"

enum { EVALUATED = 512, MAX_STEPS = 4096, MAX_SAMPLES = 60000, MAX_SAMPLE_BYTES = 64 << 20 };

/* What the rounds measured. */
typedef struct bench_rounds {
    double peak[TR_BENCH_ROUNDS], images_per_s[TR_BENCH_ROUNDS];
    double evaluate_images_per_s[TR_BENCH_ROUNDS];
    tr_bench_profile profile[TR_BENCH_ROUNDS];
} bench_rounds;

typedef struct bench_state {
    tr_engine *engine;
    tr_model *model;
    tr_samples samples;
    uint8_t *x;
    int32_t *y;
    uint32_t *index;
    int64_t next;             /* sample that the next batch begins with */
    int64_t batch, evaluated; /* samples of a step, and of an evaluation: no fewer */
    double *step_us;          /* [MAX_STEPS] */
    size_t n_steps;
    bool levels[TR_BENCH_LEVELS]; /* sizes that operations have */
    size_t memory_bytes;          /* the largest of them */
    char *memory;                 /* [threads][memory_bytes] */
} bench_state;

/* ---- samples ---- */

/* Noise of the configuration's shape, as many as a small dataset would have, so that gathering
 * them misses the caches as it does in a run. */
static tr_status make_samples(bench_state *state, tr_error *err)
{
    const int64_t *shape = state->model->config->input_shape;
    const int64_t pixels = shape[0] * shape[1] * shape[2];
    const int64_t classes = tr_model_n_classes(state->model);
    int64_t n = MAX_SAMPLE_BYTES / pixels;
    n = n > MAX_SAMPLES ? MAX_SAMPLES : n;
    n = n < state->evaluated ? state->evaluated : n; /* whatever the limits say */
    state->x = tr_alloc((size_t)n, (size_t)pixels);
    state->y = tr_alloc((size_t)n, sizeof *state->y);
    state->index = tr_alloc((size_t)n, sizeof *state->index);
    if (state->x == NULL || state->y == NULL || state->index == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory: %lld images", (long long)n);
    uint64_t noise = 1;
    for (int64_t i = 0; i < n * pixels; i++) {
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        state->x[i] = (uint8_t)(noise >> 56);
    }
    for (int64_t i = 0; i < n; i++) {
        state->y[i] = (int32_t)(i % classes);
        state->index[i] = (uint32_t)((uint64_t)i * 2654435761u % (uint64_t)n);
    }
    state->samples = (tr_samples){.n = n,
                                  .h = shape[0],
                                  .w = shape[1],
                                  .c = shape[2],
                                  .pixel = TR_PIXEL_U8,
                                  .x = state->x,
                                  .y = state->y};
    return TR_OK;
}

/* ---- a round ---- */

static const uint32_t *next_batch(bench_state *state)
{
    if (state->next + state->batch > state->samples.n)
        state->next = 0;
    const uint32_t *index = state->index + state->next;
    state->next += state->batch;
    return index;
}

/* Steps for about `ms`; returns their number, and the time that they took in *ns. */
static tr_status run_steps(bench_state *state, double ms, bool keep, int64_t *n, int64_t *ns,
                           tr_error *err)
{
    const int64_t begin = tr_clock_ns();
    int64_t last = begin;
    tr_sums sums;
    for (*n = 0; *n < 2 || last - begin < (int64_t)(ms * 1e6); ++*n) {
        TR_TRY(tr_engine_step(state->engine, &state->samples, next_batch(state), state->batch,
                              &sums, err));
        const int64_t now = tr_clock_ns();
        if (keep && state->n_steps < MAX_STEPS)
            state->step_us[state->n_steps++] = 1e-3 * (double)(now - last);
        last = now;
    }
    *ns = last - begin;
    return TR_OK;
}

static tr_status run_evaluations(bench_state *state, double ms, double *images_per_s, tr_error *err)
{
    const int64_t begin = tr_clock_ns();
    int64_t last = begin, n = 0;
    tr_sums sums;
    for (; n < 2 || last - begin < (int64_t)(ms * 1e6); n++) {
        TR_TRY(tr_engine_evaluate(state->engine, &state->samples, state->index, state->evaluated,
                                  NULL, &sums, err));
        last = tr_clock_ns();
    }
    *images_per_s = (double)(n * state->evaluated) / (1e-9 * (double)(last - begin));
    return TR_OK;
}

typedef struct peak_task {
    tr_precision precision;
    double gflops[1024]; /* by thread */
} peak_task;

static void measure_peak(void *user, int thread)
{
    peak_task *task = user;
    if (thread < 1024)
        task->gflops[thread] = tr_peak_gflops(tr_dnn_isa(), tr_dnn_tiles(), task->precision, 15.0);
}

static double total_peak(bench_state *state)
{
    peak_task task = {.precision = (tr_precision)state->model->config->engine.precision};
    double sum = 0.0;
    tr_engine_each(state->engine, measure_peak, &task);
    for (int i = 0; i < tr_engine_threads(state->engine) && i < 1024; i++)
        sum += task.gflops[i];
    return sum;
}

typedef struct bandwidth_task {
    char *memory; /* of all threads */
    size_t stride, bytes;
    tr_bandwidth of[1024]; /* by thread */
} bandwidth_task;

static void measure_bandwidth(void *user, int thread)
{
    bandwidth_task *task = user;
    if (thread < 1024)
        task->of[thread] =
            tr_bandwidth_of(task->memory + (size_t)thread * task->stride, task->bytes, 1.0);
}

static void keep_larger(double *of, double other)
{
    *of = other > *of ? other : *of;
}

static void total_bandwidth(bench_state *state, tr_bench *bench)
{
    bandwidth_task task = {.memory = state->memory, .stride = state->memory_bytes};
    const int n = bench->threads < 1024 ? bench->threads : 1024;
    for (int level = 0; level < TR_BENCH_LEVELS; level++) {
        tr_bandwidth mean = {0}, *most = &bench->bandwidth[level];
        if (!state->levels[level])
            continue;
        task.bytes = (size_t)1 << (TR_BENCH_SMALLEST + level);
        tr_engine_each(state->engine, measure_bandwidth, &task);
        for (int i = 0; i < n; i++) {
            mean.read += task.of[i].read / n;
            mean.fill += task.of[i].fill / n;
            mean.copy += task.of[i].copy / n;
        }
        keep_larger(&most->read, mean.read);
        keep_larger(&most->fill, mean.fill);
        keep_larger(&most->copy, mean.copy);
    }
}

/* The profile of all threads, per thread and step. */
static void take_profile(const bench_state *state, const tr_bench *bench, int64_t steps, int64_t ns,
                         tr_bench_profile *out)
{
    const double scale = 1e-3 / (double)(steps * bench->threads);
    for (int i = 0; i < bench->threads; i++) {
        const tr_profile *profile = tr_engine_profile_of(state->engine, i);
        for (int part = 0; part < TR_N_PARTS; part++)
            out->part_us[part] += scale * (double)profile->part_ns[part];
        for (size_t k = 0; k < bench->n_ops; k++)
            out->op_us[k] += scale * (double)profile->op_ns[k];
    }
    out->step_us = 1e-3 * (double)ns / (double)steps;
    out->rest_us = out->step_us;
    for (int part = 0; part < TR_N_PARTS; part++)
        out->rest_us -= out->part_us[part];
}

static tr_status run_round(bench_state *state, tr_bench *bench, double ms, int i,
                           bench_rounds *rounds, tr_error *err)
{
    int64_t n, ns;
    rounds->peak[i] = total_peak(state);
    total_bandwidth(state, bench);
    TR_TRY(run_steps(state, 0.4 * ms, true, &n, &ns, err));
    rounds->images_per_s[i] = (double)(n * state->batch) / (1e-9 * (double)ns);
    TR_TRY(tr_engine_profile(state->engine, true, err));
    TR_TRY(run_steps(state, 0.4 * ms, false, &n, &ns, err));
    take_profile(state, bench, n, ns, &rounds->profile[i]);
    TR_TRY(tr_engine_profile(state->engine, false, err));
    return run_evaluations(state, 0.2 * ms, &rounds->evaluate_images_per_s[i], err);
}

/* ---- the whole ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

tr_spread tr_spread_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return (tr_spread){.median = n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]),
                       .min = values[0],
                       .max = values[n - 1]};
}

static int middle_profile(const bench_rounds *rounds, int n)
{
    double step_us[TR_BENCH_ROUNDS];
    for (int i = 0; i < n; i++)
        step_us[i] = rounds->profile[i].step_us;
    const double median = tr_spread_of(step_us, (size_t)n).median; /* of an odd number */
    int i = 0;
    while (rounds->profile[i].step_us != median)
        i++;
    return i;
}

static tr_status measure(bench_state *state, tr_bench *bench, double seconds, bench_rounds *rounds,
                         tr_error *err)
{
    int64_t n, ns;
    for (int i = 0; i < TR_BENCH_ROUNDS; i++) {
        rounds->profile[i].op_us = tr_alloc(bench->n_ops, sizeof(double));
        if (rounds->profile[i].op_us == NULL)
            return tr_out_of_memory(err, NULL);
    }
    TR_TRY(run_steps(state, 0.0, false, &n, &ns, err)); /* warms up */
    /* The shortest round of a slow network may take longer than all of them should: then an odd
     * number that is closer to the wish. */
    const int64_t end = tr_clock_ns() + (int64_t)(1e9 * seconds);
    int *done = &bench->rounds;
    for (*done = 0; *done < TR_BENCH_ROUNDS && (*done % 2 == 0 || tr_clock_ns() < end); ++*done)
        TR_TRY(run_round(state, bench, 1e3 * seconds / TR_BENCH_ROUNDS, *done, rounds, err));
    const size_t n_rounds = (size_t)*done;
    const int middle = middle_profile(rounds, *done);
    bench->profile = rounds->profile[middle];
    rounds->profile[middle].op_us = NULL; /* it went to the result */
    bench->peak = tr_spread_of(rounds->peak, n_rounds);
    bench->images_per_s = tr_spread_of(rounds->images_per_s, n_rounds);
    bench->evaluate_images_per_s = tr_spread_of(rounds->evaluate_images_per_s, n_rounds);
    bench->step_us = tr_spread_of(state->step_us, state->n_steps);
    return TR_OK;
}

/* The level of an operation that does nothing but move its tensors; -1: of others. */
static int level_of(const tr_op_info *op)
{
    const double bytes = op->read_bytes + op->written_bytes;
    int level = 0;
    if (op->flops > 0.0 || bytes <= 0.0)
        return -1;
    while (level < TR_BENCH_LEVELS - 1 &&
           bytes > (double)((size_t)1 << (TR_BENCH_SMALLEST + level)))
        level++;
    return level;
}

double tr_bench_memory_us(const tr_bench *bench, const tr_op_info *op)
{
    const int level = level_of(op);
    return level < 0 ? 0.0
                     : tr_bandwidth_us(&bench->bandwidth[level], op->read_bytes, op->written_bytes);
}

static tr_status make_memory(bench_state *state, const tr_bench *bench, tr_error *err)
{
    for (size_t i = 0; i < bench->n_ops; i++) {
        const int level = level_of(&bench->ops[i]);
        if (level < 0)
            continue;
        const size_t bytes = (size_t)1 << (TR_BENCH_SMALLEST + level);
        state->levels[level] = true;
        state->memory_bytes = bytes > state->memory_bytes ? bytes : state->memory_bytes;
    }
    if (state->memory_bytes == 0)
        return TR_OK;
    state->memory = tr_alloc((size_t)bench->threads, state->memory_bytes);
    return state->memory == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
}

static tr_status describe(const bench_state *state, tr_bench *bench, tr_error *err)
{
    const tr_model *model = state->model;
    const tr_program *program = model->training.program;
    bench->threads = tr_engine_threads(state->engine);
    bench->batch = state->batch;
    bench->micro_batch = model->config->engine.micro_batch;
    bench->micro_batches = (state->batch + bench->micro_batch - 1) / bench->micro_batch;
    bench->n_floats = model->extents.n[TR_TRAINED];
    bench->n_ops = tr_program_n_ops(program);
    bench->ops = tr_alloc(bench->n_ops, sizeof *bench->ops);
    if (bench->ops == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < bench->n_ops; i++) {
        bench->ops[i] = tr_program_op(program, i);
        bench->flops += bench->ops[i].flops * (double)bench->micro_batches;
    }
    return TR_OK;
}

tr_status tr_bench_run(tr_bench *out, tr_model *model, double seconds, tr_error *err)
{
    bench_state state = {.model = model, .batch = model->config->fit.batch_size};
    state.evaluated = state.batch > EVALUATED ? state.batch : EVALUATED;
    bench_rounds rounds = {0};
    *out = (tr_bench){0};
    state.step_us = tr_alloc(MAX_STEPS, sizeof *state.step_us);
    tr_status status =
        state.step_us == NULL ? tr_out_of_memory(err, NULL) : make_samples(&state, err);
    if (status == TR_OK)
        status = tr_engine_new(&state.engine, model, tr_model_optimizers(model),
                               tr_engine_choose_threads(model, out->threads_why), state.batch,
                               state.evaluated, err);
    if (status == TR_OK)
        status = describe(&state, out, err);
    if (status == TR_OK)
        status = make_memory(&state, out, err);
    if (status == TR_OK)
        status = measure(&state, out, seconds, &rounds, err);
    for (int i = 0; i < TR_BENCH_ROUNDS; i++)
        tr_free(rounds.profile[i].op_us);
    tr_engine_free(state.engine);
    tr_free(state.memory);
    tr_free(state.step_us);
    tr_free(state.x);
    tr_free(state.y);
    tr_free(state.index);
    if (status != TR_OK)
        tr_bench_release(out);
    return status;
}

void tr_bench_release(tr_bench *bench)
{
    tr_free(bench->ops);
    tr_free(bench->profile.op_us);
    *bench = (tr_bench){0};
}
