/* made_bench.h -- a benchmark whose every figure is made up. For tests/report. */
#ifndef TR_MADE_BENCH_H
#define TR_MADE_BENCH_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench_report.h"

typedef struct made_bench {
    tr_config config;
    tr_bench bench;
    tr_op_info ops[3];
    double op_us[3];
    tr_bench_choice choices[3];
    tr_bench_kernels kernels[2];
    tr_bench_report report;
} made_bench;

/* Four threads, 128 images in 16 micro-batches of 8. The parts of the profile are 912 us, of
 * which the operations have 748; the rest of the step is 13. Holds pointers into itself. */
static inline void make_bench(made_bench *made)
{
    memset(made, 0, sizeof *made);
    made->config.engine = (tr_engine_config){.threads = 4, .micro_batch = 8};
    made->ops[0] = (tr_op_info){.layer = "conv_one",
                                .what = "reorder",
                                .phase = TR_PREPARE,
                                .direction = TR_DIR_REORDER,
                                .impl = "jit:uni_made",
                                .read_bytes = 40000,
                                .written_bytes = 50000};
    made->ops[1] = (tr_op_info){.layer = "conv_one",
                                .what = "convolution",
                                .phase = TR_FORWARD,
                                .direction = TR_DIR_FORWARD,
                                .impl = "jit:made_up",
                                .flops = 2.9e6};
    made->ops[2] = (tr_op_info){.layer = "dense_two",
                                .what = "inner product",
                                .phase = TR_BACKWARD,
                                .direction = TR_DIR_BACKWARD_WEIGHTS,
                                .impl = "gemm:made_up",
                                .flops = 9e6};
    const double op_us[3] = {8, 290, 450};
    memcpy(made->op_us, op_us, sizeof op_us);
    made->bench = (tr_bench){.threads = 4,
                             .batch = 128,
                             .micro_batch = 8,
                             .micro_batches = 16,
                             .rounds = 7,
                             .n_floats = 1000,
                             .flops = 16 * 11.9e6,
                             .peak = {400, 390, 410},
                             .bandwidth = {[1] = {.read = 90, .fill = 60, .copy = 80},
                                           [3] = {.read = 50, .fill = 40, .copy = 25}},
                             .step_us = {900, 850, 1500},
                             .images_per_s = {142222, 130000, 150000},
                             .evaluate_images_per_s = {300000, 290000, 310000},
                             .ops = made->ops,
                             .n_ops = 3};
    tr_bench_profile *profile = &made->bench.profile;
    *profile = (tr_bench_profile){.step_us = 925,
                                  .part_us = {[TR_PART_PREPARE] = 10,
                                              [TR_PART_GATHER] = 20,
                                              [TR_PART_FORWARD] = 300,
                                              [TR_PART_LOSS] = 5,
                                              [TR_PART_BACKWARD] = 500,
                                              [TR_PART_WAIT] = 7,
                                              [TR_PART_SUM] = 40,
                                              [TR_PART_UPDATE] = 30},
                                  .rest_us = 13,
                                  .op_us = made->op_us};
    made->choices[0] = (tr_bench_choice){4, 120000};
    made->choices[1] = (tr_bench_choice){8, 142222};
    made->choices[2] = (tr_bench_choice){16, 150000};
    made->kernels[0] = (tr_bench_kernels){TR_KERNELS_ONEDNN, 142222};
    made->kernels[1] = (tr_bench_kernels){TR_KERNELS_FAST, 213333};
    made->report =
        (tr_bench_report){&made->config, &made->bench, made->choices, 3, made->kernels, 2};
}

/* As if no clock had moved and no peak was known. */
static inline void forget_times(made_bench *made)
{
    const tr_spread none = {0, 0, 0};
    made->bench.peak = made->bench.step_us = none;
    made->bench.images_per_s = made->bench.evaluate_images_per_s = none;
    made->bench.profile = (tr_bench_profile){.op_us = made->op_us};
    memset(made->op_us, 0, sizeof made->op_us);
    for (size_t i = 0; i < made->report.n_choices; i++)
        made->choices[i].images_per_s = 0;
    for (size_t i = 0; i < made->report.n_kernels; i++)
        made->kernels[i].images_per_s = 0;
}

/* What a report function prints; released with free(). */
static inline char *printed(const made_bench *made, int json)
{
    char *text = NULL;
    size_t n = 0;
    tr_error err = {0};
    FILE *out = open_memstream(&text, &n);
    cr_assert_not_null(out);
    if (json)
        cr_assert_eq(tr_bench_print_json(out, &made->report, &err), TR_OK, "%s", err.text);
    else
        tr_bench_print(out, &made->report);
    fclose(out);
    return text;
}

#endif
