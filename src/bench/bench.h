/* bench.h -- where the time of a training step goes, against what the machine can do.
 *
 * Real steps of the engine on made-up samples, all threads at work, in rounds that alternate with
 * a measurement of the multiply-add peak on the same cores, so that a noisy neighbour meets both.
 */
#ifndef TR_BENCH_H
#define TR_BENCH_H

#include "bandwidth.h"
#include "engine.h"
#include "program.h"

enum { TR_BENCH_ROUNDS = 7 }; /* or fewer, an odd number, where a step takes long */

/* Sizes at which bandwidth is measured: 2^14 to 2^24 bytes. What is larger is in no core's cache.
 */
enum { TR_BENCH_SMALLEST = 14, TR_BENCH_LEVELS = 11 };

/* Of several rounds or steps. */
typedef struct tr_spread {
    double median, min, max;
} tr_spread;

/* Where the time of a profiled step goes: microseconds of one thread, the mean of all. */
typedef struct tr_bench_profile {
    double step_us; /* wall */
    double part_us[TR_N_PARTS];
    double
        rest_us;   /* what no part saw: starting and ending the parallel region, choosing samples */
    double *op_us; /* [n_ops] */
} tr_bench_profile;

typedef struct tr_bench {
    int threads;
    char threads_why[TR_WHY_MAX];
    int64_t batch, micro_batch, micro_batches; /* of a step */
    size_t n_floats;                           /* of a gradient */
    int rounds;
    double flops;   /* of a step: convolutions and inner products in all directions */
    tr_spread peak; /* GFLOP/s of all threads together; 0: unknown */
    /* The highest, of one thread while all are at it, of 2^(TR_BENCH_SMALLEST + i) bytes; sizes
     * that no operation has are not measured. */
    tr_bandwidth bandwidth[TR_BENCH_LEVELS];
    tr_spread step_us;                             /* single steps, without profiling */
    tr_spread images_per_s, evaluate_images_per_s; /* of rounds */

    tr_bench_profile profile; /* of the round whose step time is the median, so that it adds up */
    tr_op_info *ops;          /* of the training program */
    size_t n_ops;
} tr_bench;

/* `model` is built; it is trained on noise, so its parameters are of no use afterwards.
 * `seconds`: about how long. Release with tr_bench_release(). */
tr_status tr_bench_run(tr_bench *out, tr_model *model, double seconds, tr_error *err);
void tr_bench_release(tr_bench *bench);

/* Microseconds that one run of an operation takes at least if it does nothing but read and write
 * its tensors, in the cache that holds all of them. 0: not known, or its arithmetic is what counts.
 */
double tr_bench_memory_us(const tr_bench *bench, const tr_op_info *op);

/* Median, least and greatest of n > 0 values, which are sorted in place. */
tr_spread tr_spread_of(double *values, size_t n);

#endif
