/* bench_json.c -- a benchmark as one JSON object; see bench_report.h. */
#include <jansson.h>
#include <stdlib.h>

#include "bench_report.h"
#include "dnn.h"
#include "machine.h"

/* jansson's setters take ownership of the value and fail where it is NULL, so that one check of
 * the sums below finds every lack of memory. */

static json_t *spread(tr_spread value)
{
    return json_pack("{s:f, s:f, s:f}", "median", value.median, "min", value.min, "max", value.max);
}

static json_t *machine(const tr_bench_report *report)
{
    const tr_engine_config *engine = &report->config->engine;
    char version[64], cpu[128];
    tr_dnn_version(version, sizeof version);
    tr_machine_cpu(cpu, sizeof cpu);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "trainer", TR_VERSION, "dnn",
                     version, "cpu", cpu, "isa", tr_dnn_isa_name(), "precision",
                     engine->precision == TR_BFLOAT16 ? "bfloat16" : "float32", "convolution",
                     engine->convolution == TR_CONVOLUTION_WINOGRAD ? "winograd" : "direct",
                     "kernels", tr_kernels_names[engine->kernels], "threads",
                     report->bench->threads);
}

static json_t *operations(const tr_bench *bench)
{
    json_t *list = json_array();
    int bad = 0;
    for (size_t i = 0; i < bench->n_ops; i++) {
        const tr_op_info *op = &bench->ops[i];
        bad |= json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:b, s:s, s:f, s:f, s:f, s:f, s:f}", "layer", op->layer,
                      "operation", op->what, "direction", tr_direction_name(op->direction),
                      "once_a_step", op->phase == TR_PREPARE, "kernel", op->impl, "flops",
                      op->flops, "read_bytes", op->read_bytes, "written_bytes", op->written_bytes,
                      "memory_us_per_step",
                      tr_bench_memory_us(bench, op) * tr_bench_runs(bench, op), "us_per_step",
                      bench->profile.op_us[i]));
    }
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

/* Of the sizes that were measured. */
static json_t *bandwidth(const tr_bench *bench)
{
    json_t *list = json_array();
    int bad = 0;
    for (int i = 0; i < TR_BENCH_LEVELS; i++) {
        const tr_bandwidth *of = &bench->bandwidth[i];
        if (of->copy > 0.0)
            bad |= json_array_append_new(list, json_pack("{s:i, s:f, s:f, s:f}", "bytes",
                                                         1 << (TR_BENCH_SMALLEST + i),
                                                         "read_gb_per_s", of->read, "fill_gb_per_s",
                                                         of->fill, "copy_gb_per_s", of->copy));
    }
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *outside(const tr_bench *bench)
{
    tr_bench_item items[TR_BENCH_ITEMS];
    json_t *object = json_object();
    int bad = 0;
    tr_bench_items(bench, items);
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        bad |= json_object_set_new(object, items[i].name, json_real(items[i].us));
    if (bad == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *choices(const tr_bench_report *report)
{
    json_t *list = json_array();
    int bad = 0;
    for (size_t i = 0; i < report->n_choices; i++)
        bad |= json_array_append_new(
            list, json_pack("{s:I, s:f}", "micro_batch", (json_int_t)report->choices[i].micro_batch,
                            "images_per_s", report->choices[i].images_per_s));
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *kernels(const tr_bench_report *report)
{
    json_t *list = json_array();
    int bad = 0;
    for (size_t i = 0; i < report->n_kernels; i++)
        bad |= json_array_append_new(
            list, json_pack("{s:s, s:f}", "kernels", tr_kernels_names[report->kernels[i].kernels],
                            "images_per_s", report->kernels[i].images_per_s));
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

/* The figures that a model of scaling needs; see perf/scaling.py. */
static int add_step(json_t *root, const tr_bench *bench)
{
    const double *part = bench->profile.part_us;
    const double share = (double)bench->micro_batches / bench->threads;
    const double compute =
        part[TR_PART_GATHER] + part[TR_PART_FORWARD] + part[TR_PART_LOSS] + part[TR_PART_BACKWARD];
    return json_object_set_new(root, "threads", json_integer(bench->threads)) |
           json_object_set_new(root, "batch_size", json_integer(bench->batch)) |
           json_object_set_new(root, "micro_batch", json_integer(bench->micro_batch)) |
           json_object_set_new(root, "micro_batches", json_integer(bench->micro_batches)) |
           json_object_set_new(root, "n_floats", json_integer((json_int_t)bench->n_floats)) |
           json_object_set_new(root, "flops_per_step", json_real(bench->flops)) |
           json_object_set_new(root, "step_us", json_real(bench->step_us.median)) |
           json_object_set_new(root, "compute_us_per_micro_batch", json_real(compute / share)) |
           json_object_set_new(root, "prepare_us", json_real(part[TR_PART_PREPARE])) |
           json_object_set_new(root, "reduce_update_us",
                               json_real(part[TR_PART_SUM] + part[TR_PART_UPDATE])) |
           json_object_set_new(root, "barrier_us", json_real(part[TR_PART_WAIT])) |
           json_object_set_new(root, "serial_us", json_real(bench->profile.rest_us));
}

tr_status tr_bench_print_json(FILE *out, const tr_bench_report *report, tr_error *err)
{
    const tr_bench *bench = report->bench;
    const tr_bench_choice *best = tr_bench_best(report);
    json_t *root = json_object();
    int bad =
        json_object_set_new(root, "machine", machine(report)) |
        json_object_set_new(root, "peak_gflops", spread(bench->peak)) |
        json_object_set_new(root, "thread_bandwidth", bandwidth(bench)) |
        json_object_set_new(root, "step_us_spread", spread(bench->step_us)) |
        json_object_set_new(root, "images_per_s", spread(bench->images_per_s)) |
        json_object_set_new(root, "evaluate_images_per_s", spread(bench->evaluate_images_per_s)) |
        add_step(root, bench) | json_object_set_new(root, "operations", operations(bench)) |
        json_object_set_new(root, "outside_us_per_step", outside(bench)) |
        json_object_set_new(root, "micro_batch_choices", choices(report)) |
        json_object_set_new(root, "kernels_choices", kernels(report));
    if (best != NULL)
        bad |=
            json_object_set_new(root, "recommended_micro_batch", json_integer(best->micro_batch));
    if (tr_bench_best_kernels(report) != NULL)
        bad |= json_object_set_new(
            root, "fastest_kernels",
            json_string(tr_kernels_names[tr_bench_best_kernels(report)->kernels]));
    char *text = bad == 0 ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(root);
    if (text == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory for the JSON report");
    fprintf(out, "%s\n", text);
    free(text); /* jansson's own */
    return TR_OK;
}
