/* bench_report.h -- what `trainer bench` measured, for people and for programs. */
#ifndef TR_BENCH_REPORT_H
#define TR_BENCH_REPORT_H

#include <stdio.h>

#include "bench.h"

/* Speed of other micro-batches, for the choice of [engine] micro_batch. */
typedef struct tr_bench_choice {
    int64_t micro_batch;
    double images_per_s;
} tr_bench_choice;

/* Likewise of [engine] kernels. */
typedef struct tr_bench_kernels {
    tr_kernels_choice kernels;
    double images_per_s;
} tr_bench_kernels;
enum { TR_BENCH_KERNELS = TR_KERNELS_PORTABLE + 1 };

typedef struct tr_bench_report {
    const tr_config *config;
    const tr_bench *bench;
    const tr_bench_choice *choices; /* ascending micro_batch; the configuration's own among them */
    size_t n_choices;
    const tr_bench_kernels *kernels; /* those that can be had; the configuration's own among them */
    size_t n_kernels;
} tr_bench_report;

/* A table: step, operations, the parts outside of oneDNN, micro-batches. */
void tr_bench_print(FILE *out, const tr_bench_report *report);

/* The same as one JSON object (keys: perf/README.md). TR_ERR_INTERNAL: out of memory. */
tr_status tr_bench_print_json(FILE *out, const tr_bench_report *report, tr_error *err);

/* ---- shared by both ---- */

/* Time of a thread's step outside of oneDNN's primitives, by item. */
typedef struct tr_bench_item {
    const char *name, *doc;
    double us;
    double gb_per_s; /* of all threads; 0: not a matter of memory */
} tr_bench_item;

enum { TR_BENCH_ITEMS = 7 };
void tr_bench_items(const tr_bench *bench, tr_bench_item items[TR_BENCH_ITEMS]);

/* Of the choices, the fastest; a smaller one within 1 % of it is preferred. NULL: none. */
const tr_bench_choice *tr_bench_best(const tr_bench_report *report);

/* Likewise, where others can be had; an earlier one within 1 % is preferred, as oneDNN's are. */
const tr_bench_kernels *tr_bench_best_kernels(const tr_bench_report *report);
/* The configured one; NULL: it was not measured. */
const tr_bench_kernels *tr_bench_own_kernels(const tr_bench_report *report);

/* How often a thread runs an operation in a step. */
double tr_bench_runs(const tr_bench *bench, const tr_op_info *op);

/* Thread-seconds of an operation per image, microseconds. */
double tr_bench_us_per_image(const tr_bench *bench, double us);

#endif
