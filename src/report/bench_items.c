/* bench_items.c -- derived figures of a benchmark; see bench_report.h. */
#include "bench_report.h"

/* Bytes that a step moves, all threads together: slots read, gradient sums stay in cache; the
 * update of an optimizer like Adam reads and writes the parameters and two slots. */
static double sum_bytes(const tr_bench *bench)
{
    return 4.0 * (double)bench->n_floats * (double)bench->micro_batches;
}

static double rate(double bytes, double us)
{
    return us > 0.0 ? bytes / us * 1e-3 : 0.0;
}

void tr_bench_items(const tr_bench *bench, tr_bench_item items[TR_BENCH_ITEMS])
{
    const tr_bench_profile *profile = &bench->profile;
    const double *part = profile->part_us;
    double calls = part[TR_PART_PREPARE] + part[TR_PART_FORWARD] + part[TR_PART_BACKWARD];
    for (size_t i = 0; i < bench->n_ops; i++)
        calls -= profile->op_us[i];
    const tr_bench_item all[TR_BENCH_ITEMS] = {
        {"gather", "samples picked and scaled", part[TR_PART_GATHER], 0.0},
        {"loss", "loss, its gradient, metrics", part[TR_PART_LOSS], 0.0},
        {"calls", "between two primitives; the clock itself", calls, 0.0},
        {"wait", "for the last micro-batch of another thread", part[TR_PART_WAIT], 0.0},
        {"sum", "gradient slots, in the fixed tree", part[TR_PART_SUM],
         rate(sum_bytes(bench), part[TR_PART_SUM])},
        {"update", "optimizer", part[TR_PART_UPDATE], 0.0},
        {"rest", "start and end of the parallel region", profile->rest_us, 0.0},
    };
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        items[i] = all[i];
}

const tr_bench_choice *tr_bench_best(const tr_bench_report *report)
{
    double most = 0.0;
    for (size_t i = 0; i < report->n_choices; i++)
        if (report->choices[i].images_per_s > most)
            most = report->choices[i].images_per_s;
    for (size_t i = 0; i < report->n_choices; i++)
        if (report->choices[i].images_per_s >= 0.99 * most)
            return &report->choices[i];
    return NULL;
}

const tr_bench_kernels *tr_bench_best_kernels(const tr_bench_report *report)
{
    double most = 0.0;
    for (size_t i = 0; i < report->n_kernels; i++)
        if (report->kernels[i].images_per_s > most)
            most = report->kernels[i].images_per_s;
    for (size_t i = 0; report->n_kernels > 1 && i < report->n_kernels; i++)
        if (report->kernels[i].images_per_s >= 0.99 * most)
            return &report->kernels[i];
    return NULL;
}

const tr_bench_kernels *tr_bench_own_kernels(const tr_bench_report *report)
{
    for (size_t i = 0; i < report->n_kernels; i++)
        if ((int)report->kernels[i].kernels == report->config->engine.kernels)
            return &report->kernels[i];
    return NULL;
}

/* Prepared once a step; the others once for each of the thread's micro-batches. */
double tr_bench_runs(const tr_bench *bench, const tr_op_info *op)
{
    return op->phase == TR_PREPARE ? 1.0 : (double)bench->micro_batches / bench->threads;
}

double tr_bench_us_per_image(const tr_bench *bench, double us)
{
    return us * (double)bench->threads / (double)bench->batch;
}
