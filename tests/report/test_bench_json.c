/* test_bench_json.c -- the JSON report has every documented key with the right value. */
#include <jansson.h>
#include <math.h>

#include "made_bench.h"

static json_t *parsed(const made_bench *made)
{
    json_error_t error;
    char *text = printed(made, 1);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s in:\n%s", error.text, text);
    cr_assert_eq(text[strlen(text) - 1], '\n');
    free(text);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s is no number", key);
    return json_number_value(value);
}

static const char *text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_string(value), "%s is no text", key);
    return json_string_value(value);
}

/* Six digits are printed. */
static void assert_number(const json_t *object, const char *key, double expected)
{
    const double value = number(object, key);
    cr_assert_float_eq(value, expected, 1e-5 * fabs(expected), "%s: %g, not %g", key, value,
                       expected);
}

static void assert_integer(const json_t *object, const char *key, json_int_t expected)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_integer(value) && json_integer_value(value) == expected, "%s", key);
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_string(value), "%s", key);
    cr_assert_str_eq(json_string_value(value), expected);
}

static void assert_spread(const json_t *root, const char *key, tr_spread expected)
{
    const json_t *object = json_object_get(root, key);
    cr_assert_eq(json_object_size(object), 3, "%s", key);
    assert_number(object, "median", expected.median);
    assert_number(object, "min", expected.min);
    assert_number(object, "max", expected.max);
}

Test(bench_json, machine_and_spreads)
{
    made_bench made;
    make_bench(&made);
    json_t *root = parsed(&made);
    const json_t *machine = json_object_get(root, "machine");
    cr_assert_str_eq(text_of(machine, "trainer"), TR_VERSION);
    cr_assert_not_null(strstr(text_of(machine, "dnn"), "oneDNN "));
    cr_assert_gt(strlen(text_of(machine, "cpu")), 0);
    cr_assert_gt(strlen(text_of(machine, "isa")), 0);
    cr_assert_str_eq(text_of(machine, "precision"), "float32");
    cr_assert_str_eq(text_of(machine, "convolution"), "direct");
    assert_integer(machine, "threads", 4);
    assert_spread(root, "peak_gflops", made.bench.peak);
    assert_spread(root, "step_us_spread", made.bench.step_us);
    assert_spread(root, "images_per_s", made.bench.images_per_s);
    assert_spread(root, "evaluate_images_per_s", made.bench.evaluate_images_per_s);
    json_decref(root);
    made.config.engine.precision = TR_BFLOAT16;
    made.config.engine.convolution = TR_CONVOLUTION_WINOGRAD;
    root = parsed(&made);
    machine = json_object_get(root, "machine");
    cr_assert_str_eq(text_of(machine, "precision"), "bfloat16");
    cr_assert_str_eq(text_of(machine, "convolution"), "winograd");
    json_decref(root);
}

Test(bench_json, figures_of_a_step)
{
    made_bench made;
    make_bench(&made);
    json_t *root = parsed(&made);
    assert_integer(root, "batch_size", 128);
    assert_integer(root, "micro_batch", 8);
    assert_integer(root, "micro_batches", 16);
    assert_integer(root, "n_floats", 1000);
    assert_number(root, "flops_per_step", 16 * 11.9e6);
    assert_number(root, "step_us", 900);
    /* gather, forward, loss and backward of a thread's four micro-batches */
    assert_number(root, "compute_us_per_micro_batch", (20 + 300 + 5 + 500) / 4.0);
    assert_number(root, "prepare_us", 10);
    assert_number(root, "reduce_update_us", 40 + 30);
    assert_number(root, "barrier_us", 7);
    assert_number(root, "serial_us", 13);
    json_decref(root);
}

Test(bench_json, operations)
{
    made_bench made;
    make_bench(&made);
    json_t *root = parsed(&made);
    const json_t *list = json_object_get(root, "operations");
    cr_assert(json_is_array(list) && json_array_size(list) == 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *op = json_array_get(list, i);
        cr_assert_str_eq(text_of(op, "layer"), made.ops[i].layer);
        cr_assert_str_eq(text_of(op, "operation"), made.ops[i].what);
        cr_assert_str_eq(text_of(op, "direction"), tr_direction_name(made.ops[i].direction));
        cr_assert_str_eq(text_of(op, "kernel"), made.ops[i].impl);
        cr_assert_eq(json_is_true(json_object_get(op, "once_a_step")), i == 0);
        assert_number(op, "flops", made.ops[i].flops);
        assert_number(op, "read_bytes", made.ops[i].read_bytes);
        assert_number(op, "written_bytes", made.ops[i].written_bytes);
        assert_number(op, "memory_us_per_step", i == 0 ? 3.2 + 0.25 : 0.0);
        assert_number(op, "us_per_step", made.op_us[i]);
    }
    json_decref(root);
}

Test(bench_json, bandwidth)
{
    made_bench made;
    make_bench(&made);
    json_t *root = parsed(&made);
    const json_t *list = json_object_get(root, "thread_bandwidth");
    cr_assert(json_is_array(list) && json_array_size(list) == 2);
    assert_integer(json_array_get(list, 0), "bytes", 32768);
    assert_integer(json_array_get(list, 1), "bytes", 131072);
    assert_number(json_array_get(list, 1), "read_gb_per_s", 50);
    assert_number(json_array_get(list, 1), "fill_gb_per_s", 40);
    assert_number(json_array_get(list, 1), "copy_gb_per_s", 25);
    json_decref(root);
}

Test(bench_json, outside_and_choices)
{
    made_bench made;
    make_bench(&made);
    json_t *root = parsed(&made);
    tr_bench_item items[TR_BENCH_ITEMS];
    tr_bench_items(&made.bench, items);
    const json_t *outside = json_object_get(root, "outside_us_per_step");
    cr_assert_eq(json_object_size(outside), TR_BENCH_ITEMS);
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        assert_number(outside, items[i].name, items[i].us);
    const json_t *choices = json_object_get(root, "micro_batch_choices");
    cr_assert(json_is_array(choices) && json_array_size(choices) == 3);
    for (size_t i = 0; i < 3; i++) {
        assert_integer(json_array_get(choices, i), "micro_batch", made.choices[i].micro_batch);
        assert_number(json_array_get(choices, i), "images_per_s", made.choices[i].images_per_s);
    }
    assert_integer(root, "recommended_micro_batch", 16);
    const json_t *kernels = json_object_get(root, "kernels_choices");
    cr_assert(json_is_array(kernels) && json_array_size(kernels) == 2);
    assert_text(json_array_get(kernels, 1), "kernels", "fast");
    assert_number(json_array_get(kernels, 1), "images_per_s", 213333);
    assert_text(root, "fastest_kernels", "fast");
    json_decref(root);
    made.report.n_choices = made.report.n_kernels = 0;
    root = parsed(&made);
    cr_assert_null(json_object_get(root, "recommended_micro_batch"));
    cr_assert_null(json_object_get(root, "fastest_kernels"));
    cr_assert_eq(json_array_size(json_object_get(root, "micro_batch_choices")), 0);
    json_decref(root);
}

/* JSON has no inf and no nan: a division by no time would be no report at all. */
Test(bench_json, of_no_time_at_all)
{
    made_bench made;
    make_bench(&made);
    forget_times(&made);
    json_t *root = parsed(&made);
    cr_assert_eq(number(root, "step_us"), 0);
    cr_assert_eq(number(root, "compute_us_per_micro_batch"), 0);
    json_decref(root);
    made.bench.n_ops = 0;
    root = parsed(&made);
    cr_assert_eq(json_array_size(json_object_get(root, "operations")), 0);
    json_decref(root);
}

/* What cannot be written is told by whoever closes the stream, not as a lack of memory. */
Test(bench_json, a_full_disk_is_no_lack_of_memory)
{
    made_bench made;
    tr_error err = {0};
    FILE *full = fopen("/dev/full", "w");
    cr_assert_not_null(full);
    make_bench(&made);
    setvbuf(full, NULL, _IONBF, 0);
    cr_assert_eq(tr_bench_print_json(full, &made.report, &err), TR_OK, "%s", err.text);
    cr_assert(ferror(full));
    fclose(full);
}
