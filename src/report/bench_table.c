/* bench_table.c -- a benchmark as a table; see bench_report.h. */
#include "bench_report.h"
#include "dnn.h"
#include "machine.h"

enum { WIDTH = 107 };

static void rule(FILE *out, char c)
{
    for (int i = 0; i < WIDTH; i++)
        fputc(c, out);
    fputc('\n', out);
}

static double percent(double part, double whole)
{
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

/* Of flops in so many microseconds; 0 where no time was measured. */
static double gflops_of(double flops, double us)
{
    return us > 0.0 ? 1e-3 * flops / us : 0.0;
}

static void print_head(FILE *out, const tr_bench_report *report)
{
    const tr_bench *bench = report->bench;
    const tr_engine_config *engine = &report->config->engine;
    char version[64], cpu[128];
    tr_dnn_version(version, sizeof version);
    tr_machine_cpu(cpu, sizeof cpu);
    fprintf(out, "trainer %s, %s, %s, kernels: %s%s, %s, threads: %d (%s)\ncpu: %s\n", TR_VERSION,
            version, tr_dnn_isa_name(), tr_kernels_names[engine->kernels],
            engine->convolution == TR_CONVOLUTION_WINOGRAD ? " (winograd)" : "",
            engine->precision == TR_BFLOAT16 ? "bfloat16" : "float32", bench->threads,
            bench->threads_why, cpu);
    if (bench->peak.max > 0.0)
        fprintf(out,
                "multiply-add peak: %.1f GFLOP/s on these threads (%d times: %.1f to %.1f, median "
                "%.1f)\n",
                bench->peak.max, bench->rounds, bench->peak.min, bench->peak.max,
                bench->peak.median);
    else
        fprintf(out, "multiply-add peak: not known for this instruction set\n");
}

/* Of the smallest and the largest size that was measured. */
static void print_bandwidth(FILE *out, const tr_bench *bench)
{
    int first = 0, last = TR_BENCH_LEVELS - 1;
    while (first < TR_BENCH_LEVELS && bench->bandwidth[first].copy <= 0.0)
        first++;
    if (first == TR_BENCH_LEVELS)
        return;
    while (bench->bandwidth[last].copy <= 0.0)
        last--;
    fprintf(out, "copying peak: %.1f GB/s a thread within %d KB, %.1f GB/s within %d KB\n",
            bench->bandwidth[first].copy, 1 << (TR_BENCH_SMALLEST + first - 10),
            bench->bandwidth[last].copy, 1 << (TR_BENCH_SMALLEST + last - 10));
}

static void print_speed(FILE *out, const tr_bench *bench)
{
    const double gflops = gflops_of(bench->flops, bench->step_us.median);
    fprintf(out,
            "step: %lld images in %lld micro-batches of %lld: %.3f ms (%.3f to %.3f)\n"
            "training: %.0f images/s (%.0f to %.0f), %.1f GFLOP/s",
            (long long)bench->batch, (long long)bench->micro_batches, (long long)bench->micro_batch,
            1e-3 * bench->step_us.median, 1e-3 * bench->step_us.min, 1e-3 * bench->step_us.max,
            bench->images_per_s.median, bench->images_per_s.min, bench->images_per_s.max, gflops);
    if (bench->peak.max > 0.0)
        fprintf(out, ", %.1f %% of the peak", percent(gflops, bench->peak.max));
    fprintf(out, "\nevaluation: %.0f images/s (%.0f to %.0f)\n",
            bench->evaluate_images_per_s.median, bench->evaluate_images_per_s.min,
            bench->evaluate_images_per_s.max);
}

/* What an operation reaches, and its share of what is possible: of the multiply-add peak, or, where
 * nothing is computed, of the bandwidth of the cache that holds its tensors. */
static void print_rate(FILE *out, const tr_bench *bench, const tr_op_info *op, double us)
{
    const double runs = tr_bench_runs(bench, op), peak = bench->peak.max / bench->threads;
    const double gflops = gflops_of(op->flops * runs, us);
    const double gb_per_s =
        us > 0.0 ? 1e-3 * (op->read_bytes + op->written_bytes) * runs / us : 0.0;
    const double least = tr_bench_memory_us(bench, op) * runs;
    if (op->flops > 0.0)
        fprintf(out, "%8.1f %6.1f%% ", gflops, percent(gflops, peak));
    else if (least > 0.0 && gb_per_s > 0.0)
        fprintf(out, "%3.*f GB/s %6.1f%% ", gb_per_s < 9.95, gb_per_s, percent(least, us));
    else
        fprintf(out, "%8s %7s ", "-", "-");
}

static void print_ops(FILE *out, const tr_bench *bench)
{
    const double step = bench->profile.step_us, peak = bench->peak.max / bench->threads;
    double sum = 0.0, flops = 0.0;
    fprintf(out, "\nWhere a step goes: one thread, mean of %d, %.3f ms while being measured\n",
            bench->threads, 1e-3 * step);
    rule(out, '_');
    fprintf(out, " %-12s %-15s %-17s %-26s %8s %8s %7s %7s\n", "Layer", "Operation", "Direction",
            "Kernel", "us/image", "GFLOP/s", "of peak", "of step");
    rule(out, '=');
    for (size_t i = 0; i < bench->n_ops; i++) {
        const tr_op_info *op = &bench->ops[i];
        const double us = bench->profile.op_us[i];
        fprintf(out, " %-12s %-15s %-17s %-26s %8.3f ", op->layer, op->what,
                op->phase == TR_PREPARE ? "once a step" : tr_direction_name(op->direction),
                op->impl, tr_bench_us_per_image(bench, us));
        print_rate(out, bench, op, us);
        fprintf(out, "%6.2f%%\n", percent(us, step));
        sum += us;
        flops += op->flops * tr_bench_runs(bench, op);
    }
    const double gflops = gflops_of(flops, sum);
    fprintf(out, " %-73s %8.3f %8.1f %6.1f%% %6.2f%%\n", "these operations together",
            tr_bench_us_per_image(bench, sum), gflops, percent(gflops, peak), percent(sum, step));
    rule(out, '=');
}

static void print_items(FILE *out, const tr_bench *bench)
{
    tr_bench_item items[TR_BENCH_ITEMS];
    const double step = bench->profile.step_us;
    double sum = 0.0;
    tr_bench_items(bench, items);
    for (int i = 0; i < TR_BENCH_ITEMS; i++) {
        char text[32] = "";
        if (items[i].gb_per_s > 0.0)
            snprintf(text, sizeof text, "%.1f GB/s", items[i].gb_per_s);
        fprintf(out, " %-12s %-60s %8.3f %16s %6.2f%%\n", items[i].name, items[i].doc,
                tr_bench_us_per_image(bench, items[i].us), text, percent(items[i].us, step));
        sum += items[i].us;
    }
    fprintf(out, " %-73s %8.3f %16s %6.2f%%\n", "outside of them together",
            tr_bench_us_per_image(bench, sum), "", percent(sum, step));
    rule(out, '=');
}

static void print_choices(FILE *out, const tr_bench_report *report)
{
    const tr_bench_choice *best = tr_bench_best(report);
    if (best == NULL)
        return;
    fprintf(out, "\nmicro_batch ");
    for (size_t i = 0; i < report->n_choices; i++)
        fprintf(out, "%10lld", (long long)report->choices[i].micro_batch);
    fprintf(out, "\nimages/s    ");
    for (size_t i = 0; i < report->n_choices; i++)
        fprintf(out, "%10.0f", report->choices[i].images_per_s);
    fprintf(out, "\nrecommended here: micro_batch = %lld%s\n", (long long)best->micro_batch,
            best->micro_batch == report->config->engine.micro_batch
                ? ", as configured"
                : " (part of the numeric result: choose before training, not between)");
}

static void print_kernels(FILE *out, const tr_bench_report *report)
{
    const tr_bench_kernels *best = tr_bench_best_kernels(report);
    const tr_bench_kernels *own = tr_bench_own_kernels(report);
    if (best == NULL || own == NULL)
        return;
    fprintf(out, "\nkernels     ");
    for (size_t i = 0; i < report->n_kernels; i++)
        fprintf(out, "%10s", tr_kernels_names[report->kernels[i].kernels]);
    fprintf(out, "\nimages/s    ");
    for (size_t i = 0; i < report->n_kernels; i++)
        fprintf(out, "%10.0f", report->kernels[i].images_per_s);
    fprintf(out, "\nfastest here: kernels = %s", tr_kernels_names[best->kernels]);
    if (best == own)
        fprintf(out, ", as configured\n");
    else
        fprintf(out,
                ", %.2f times as fast as %s (part of the numeric result: choose before training, "
                "not between)\n",
                best->images_per_s / own->images_per_s, tr_kernels_names[own->kernels]);
}

void tr_bench_print(FILE *out, const tr_bench_report *report)
{
    print_head(out, report);
    print_bandwidth(out, report->bench);
    print_speed(out, report->bench);
    print_ops(out, report->bench);
    print_items(out, report->bench);
    print_choices(out, report);
    print_kernels(out, report);
}
