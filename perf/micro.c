/* micro.c -- the step's own loops, one by one: gather, gradient sum, optimizers. One thread.
 *
 *     cmake --build --preset release --target perf_micro && build/release/perf_micro [SECONDS]
 *
 * Each line is the fastest of many runs over about SECONDS (default 0.3). Three ways to sum the
 * gradients of a step are compared: the fixed tree that training uses (slots, all added range by
 * range behind the last micro-batch); the same slots added one after the other, as they come, which
 * is what an order left to chance would cost; and one running vector to which each micro-batch's
 * gradient is added whole as soon as it is there (folding; without slots).
 */
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "clock.h"
#include "config_internal.h"
#include "mem.h"
#include "optimizer.h"
#include "reduce.h"
#include "simd.h"

typedef void job(void *context);

/* Microseconds of the fastest run. */
static double fastest_us(job *run, void *context, double seconds)
{
    const int64_t begin = tr_clock_ns();
    int64_t best = INT64_MAX, now = begin;
    while (now - begin < (int64_t)(seconds * 1e9)) {
        const int64_t start = tr_clock_ns();
        run(context);
        now = tr_clock_ns();
        if (now - start < best)
            best = now - start;
    }
    return 1e-3 * (double)best;
}

static void *need(void *block)
{
    if (block != NULL)
        return block;
    fprintf(stderr, "micro: out of memory\n");
    exit(1);
}

/* ---- gather ---- */

typedef struct gather {
    tr_samples samples;
    uint32_t *index;
    float *dst;
    int64_t batch, next;
} gather;

static void run_gather(void *context)
{
    gather *self = context;
    self->next = (self->next + self->batch) % (self->samples.n - self->batch);
    tr_batch_gather(self->dst, &self->samples, self->index + self->next, self->batch, self->batch,
                    1.0f, 255.0f);
}

static void measure_gather(double seconds)
{
    enum { N = 60000, PIXELS = 784, BATCH = 8 };
    uint8_t *x = need(tr_alloc(N, PIXELS));
    gather self = {.samples = {.n = N, .h = 28, .w = 28, .c = 1, .pixel = TR_PIXEL_U8, .x = x},
                   .index = need(tr_alloc(N, sizeof(uint32_t))),
                   .dst = need(tr_alloc(BATCH * PIXELS, sizeof(float))),
                   .batch = BATCH};
    for (uint32_t i = 0; i < N; i++)
        self.index[i] = (uint32_t)((uint64_t)i * 48271 % N);
    const double us = fastest_us(run_gather, &self, seconds);
    printf("gather     8 images 28 x 28 x 1 of 60000, uint8 to scaled float   %9.2f us  %6.2f "
           "GB/s written\n",
           us, 1e-3 * BATCH * PIXELS * 4 / us);
    tr_free(x);
    tr_free(self.index);
    tr_free(self.dst);
}

/* ---- the gradient sum ---- */

typedef struct sum {
    float *leaves, *out;
    size_t stride, n;
    int64_t n_leaves;
} sum;

static void run_tree(void *context)
{
    const sum *self = context;
    for (size_t i = 0; i < self->n; i += TR_REDUCE_CHUNK)
        tr_reduce_leaves(self->out + i, self->leaves + i, self->stride, self->n_leaves,
                         TR_REDUCE_CHUNK);
}

TR_SIMD_CLONES
static void add(float *restrict out, const float *restrict leaf, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += leaf[i];
}

static void run_in_turn(void *context)
{
    const sum *self = context;
    for (size_t i = 0; i < self->n; i += TR_REDUCE_CHUNK) {
        for (size_t k = 0; k < TR_REDUCE_CHUNK; k++)
            self->out[i + k] = 0.0f;
        for (int64_t leaf = 0; leaf < self->n_leaves; leaf++)
            add(self->out + i, self->leaves + (size_t)leaf * self->stride + i, TR_REDUCE_CHUNK);
    }
}

static void run_folding(void *context)
{
    const sum *self = context;
    for (int64_t leaf = 0; leaf < self->n_leaves; leaf++)
        add(self->out, self->leaves + (size_t)leaf * self->stride, self->n);
}

static void measure_sum(size_t n, double seconds)
{
    static const struct {
        const char *name;
        job *run;
    } ways[] = {{"fixed tree", run_tree}, {"in turn", run_in_turn}, {"folding", run_folding}};
    sum self = {.n = n / TR_REDUCE_CHUNK * TR_REDUCE_CHUNK, .stride = n + 16, .n_leaves = 16};
    self.leaves = need(tr_alloc((size_t)self.n_leaves * self.stride, sizeof(float)));
    self.out = need(tr_alloc(self.n, sizeof(float)));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const double us = fastest_us(ways[i].run, &self, seconds);
        printf("sum        16 gradients of %8zu parameters, %-10s            %9.2f us  %6.2f "
               "GB/s read\n",
               n, ways[i].name, us, 1e-3 * (double)(self.n * 4) * (double)self.n_leaves / us);
    }
    tr_free(self.leaves);
    tr_free(self.out);
}

/* ---- optimizers ---- */

/* Of one dense kernel. */
static const tr_weight_tensor kernel = {
    .layer = "dense", .name = "kernel", .n_dims = 2, .dims = {392, 128}, .n = 392 * 128};

typedef struct update {
    tr_optimizer *optimizer;
    tr_update range;
    tr_tensor_step step; /* of one that takes the kernel as a whole */
    const tr_tensor_ops *whole;
} update;

/* As update_passes.c does it, without sharing. */
static void run_update(void *context)
{
    const update *self = context;
    if (self->whole == NULL) {
        self->optimizer->ops->update(self->optimizer, &self->range);
        return;
    }
    const int n_passes = self->whole->passes(self->optimizer, &kernel);
    for (int pass = 0; pass < n_passes; pass++) {
        const size_t n_parts = self->whole->parts(self->optimizer, &kernel, pass);
        for (size_t part = 0; part < n_parts; part++)
            self->whole->run(self->optimizer, &self->step, pass, part);
    }
}

/* Default settings; the gradient is 0.001 everywhere. */
static void measure_optimizer(const tr_optimizer_ops *ops, double seconds)
{
    enum { N = 392 * 128 };
    tr_problems *problems = need(tr_problems_new("micro"));
    tr_section section = {.name = need(tr_strdup("optimizer"))};
    tr_slot slots[TR_MAX_SLOTS];
    update self = {.optimizer = need(tr_optimizer_new(ops, &section, NULL, problems)),
                   .range = {.n = N, .weights = need(tr_alloc(N, sizeof(float)))}};
    float *gradients = need(tr_alloc(N, sizeof *gradients));
    for (int i = 0; i < N; i++)
        gradients[i] = 1e-3f;
    self.range.gradients = gradients;
    const int n_slots = ops->slots(self.optimizer, &kernel, slots);
    self.step = (tr_tensor_step){.tensor = &kernel, .gradients = gradients, .weights_norm = 1.0};
    for (int i = 0; i < n_slots; i++)
        self.step.slots[i] = self.range.slots[i] = need(tr_alloc(N, sizeof(float)));
    self.whole = tr_optimizer_whole(self.optimizer, &kernel);
    if (self.whole != NULL)
        self.step.room = need(tr_alloc(self.whole->room(self.optimizer, &kernel) + 1, 1));
    tr_optimizer_begin(self.optimizer, 0);
    const double us = fastest_us(run_update, &self, seconds);
    printf("update     %-12s of %d parameters, %d slots                  %9.2f us  %6.2f GB/s "
           "read and written\n",
           ops->name, N, n_slots, us, 1e-3 * N * 4 * (3.0 + 2.0 * n_slots) / us);
    for (int i = 0; i < n_slots; i++)
        tr_free(self.range.slots[i]);
    tr_free(self.step.room);
    tr_free(self.range.weights);
    tr_free(gradients);
    tr_free(self.optimizer);
    tr_section_release(&section);
    tr_problems_free(problems);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    const double seconds = argc > 1 ? strtod(argv[1], &end) : 0.3;
    if (argc > 2 || (end != NULL && *end != '\0') || !(seconds > 0.0 && seconds < 1e3)) {
        fprintf(stderr, "usage: perf_micro [SECONDS for each line, below 1000]\n");
        return 2;
    }
    measure_gather(seconds);
    measure_sum(50176, seconds);
    measure_sum(1186816, seconds);
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        measure_optimizer(tr_optimizer_table[i], seconds);
    return 0;
}
