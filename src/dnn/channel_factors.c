/* channel_factors.c -- see channel_factors.h. */
#include "channel_factors.h"

#include <math.h>
#include <string.h>

#include "mem.h"

typedef struct plan {
    tr_walk walk;
    double epsilon, momentum;
    int gamma, beta; /* their numbers among the arguments, -1: absent */
    bool averaged;
    int64_t c;
} plan;

/* ---- forward ---- */

typedef struct moments {
    double mean, variance;
} moments;

/* Of `together` channels from k on. Not below 0, but NaN where it is. */
static moments measure(const double *sums, int64_t c, int64_t k, int64_t together)
{
    const double n = sums[0] * (double)together;
    double sum = 0.0, squares = 0.0;
    for (int64_t i = k; i < k + together; i++) {
        sum += sums[1 + i];
        squares += sums[1 + c + i];
    }
    const double mean = sum / n, variance = squares / n - mean * mean;
    return (moments){mean, variance < 0.0 ? 0.0 : variance};
}

static void make_forward(const plan *self, const double *sums, const float *gamma,
                         const float *beta, float *factors)
{
    const int64_t c = self->walk.at.c, padded = self->walk.padded;
    const int64_t together = self->walk.sharing.channels;
    memset(factors, 0, (size_t)(TR_N_FACTORS * padded) * sizeof *factors);
    if (sums[0] == 0.0)
        return; /* a group without samples */
    for (int64_t k = 0; k < c; k++) {
        const moments of = measure(sums, c, k / together * together, together);
        const double reciprocal = 1.0 / sqrt(of.variance + self->epsilon);
        const double scale = gamma == NULL ? reciprocal : (double)gamma[k] * reciprocal;
        const double lost = of.mean - (double)(float)of.mean;
        factors[TR_MEAN * padded + k] = (float)of.mean;
        factors[TR_SCALE * padded + k] = (float)scale;
        factors[TR_SHIFT * padded + k] =
            (float)((beta == NULL ? 0.0 : (double)beta[k]) - lost * scale);
        factors[TR_LOST * padded + k] = (float)lost;
        factors[TR_RECIPROCAL * padded + k] = (float)reciprocal;
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    for (int64_t g = 0; g < self->walk.sharing.n_groups; g++)
        make_forward(self, (const double *)data[0] + g * tr_forward_sums(self->c),
                     self->gamma < 0 ? NULL : data[self->gamma],
                     self->beta < 0 ? NULL : data[self->beta],
                     (float *)data[1] + g * TR_N_FACTORS * self->walk.padded);
}

/* ---- backward ---- */

/* offset = mean(scale d), slope = mean(scale d xhat) / deviation, over channels that are together.
 */
static void make_backward(const plan *self, double n_pixels, const double *sums,
                          const float *factors, float *back)
{
    const int64_t c = self->walk.at.c, padded = self->walk.padded;
    const int64_t together = self->walk.sharing.channels;
    const float *scale = factors + TR_SCALE * padded;
    memset(back, 0, (size_t)(TR_N_BACK_FACTORS * padded) * sizeof *back);
    for (int64_t first = 0; n_pixels > 0.0 && first < c; first += together) {
        double offset = 0.0, slope = 0.0;
        for (int64_t k = first; k < first + together; k++) {
            offset += (double)scale[k] * sums[k];
            slope += (double)scale[k] * sums[c + k];
        }
        offset /= n_pixels * (double)together;
        slope /= n_pixels * (double)together;
        for (int64_t k = first; k < first + together; k++) {
            const double own = slope * (double)factors[TR_RECIPROCAL * padded + k];
            const double lost = (double)factors[TR_LOST * padded + k];
            back[TR_OFFSET * padded + k] = (float)(offset - lost * own);
            back[TR_SLOPE * padded + k] = (float)own;
        }
    }
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    for (int64_t g = 0; g < self->walk.sharing.n_groups; g++)
        make_backward(self, ((const double *)data[0])[g * tr_forward_sums(self->c)],
                      (const double *)data[1] + g * tr_backward_sums(self->c),
                      (const float *)data[2] + g * TR_N_FACTORS * self->walk.padded,
                      (float *)data[3] + g * TR_N_BACK_FACTORS * self->walk.padded);
}

/* ---- moving statistics ---- */

static void run_averages(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)scratch;
    const plan *self = plan_;
    const tr_walk *walk = &self->walk;
    const double *sums = data[0];
    double *to = data[1];
    memset(to, 0, (size_t)tr_forward_sums(self->c) * sizeof *to);
    for (int64_t g = 0; g < walk->sharing.n_groups; g++, sums += tr_forward_sums(self->c)) {
        int64_t first;
        const int64_t samples = tr_walk_samples(walk, g, draw->n, &first);
        const double n = (double)(samples * walk->sharing.n_pixels);
        to[0] += n;
        for (int64_t k = 0; samples > 0 && k < self->c; k++) {
            const moments of = measure(sums, self->c, k, 1);
            to[1 + k] += n * of.mean;
            to[1 + self->c + k] += n * of.variance;
        }
    }
}

/* In float32 and in Keras's order. */
static void move(float *statistic, double measured, double momentum)
{
    *statistic = *statistic * (float)momentum + (float)measured * (float)(1.0 - momentum);
}

static void run_moving(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const double *sums = data[0];
    float *mean = data[1], *variance = data[2];
    for (int64_t k = 0; sums[0] > 0.0 && k < self->c; k++) {
        moments of = measure(sums, self->c, k, 1);
        if (self->averaged)
            of.variance = sums[1 + self->c + k] / sums[0];
        move(&mean[k], of.mean, self->momentum);
        move(&variance[k], of.variance, self->momentum);
    }
}

/* ---- planning ---- */

static plan *new_plan(const tr_walk *walk)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.walk = *walk, .gamma = -1, .beta = -1, .c = walk->at.c};
    return self;
}

tr_status tr_factors_forward(tr_program *program, const tr_walk *walk, double epsilon,
                             tr_value sums, tr_param *gamma, tr_param *beta, tr_value factors,
                             tr_error *err)
{
    plan *self = new_plan(walk);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    tr_arg args[TR_MAX_ARGS] = {{DNNL_ARG_SRC, sums}, {DNNL_ARG_DST, factors}};
    int n_args = 2;
    self->epsilon = epsilon;
    self->gamma = tr_add_vector_arg(program, gamma, DNNL_ARG_SCALE, args, &n_args);
    self->beta = tr_add_vector_arg(program, beta, DNNL_ARG_SHIFT, args, &n_args);
    const tr_native native = {.run = run_forward, .plan = self};
    const tr_meaning meaning = {.kind = TR_KIND_FACTORS,
                                .direction = TR_DIR_FORWARD,
                                .sharing = walk->sharing,
                                .epsilon = epsilon};
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

tr_status tr_factors_backward(tr_program *program, const tr_walk *walk, tr_value sums,
                              tr_value back_sums, tr_value factors, tr_value back_factors,
                              tr_error *err)
{
    const tr_native native = {.run = run_backward, .plan = new_plan(walk)};
    const tr_arg args[] = {{DNNL_ARG_SRC, sums},
                           {DNNL_ARG_DIFF_DST, back_sums},
                           {DNNL_ARG_SRC_1, factors},
                           {DNNL_ARG_DIFF_SRC, back_factors}};
    const tr_meaning meaning = {
        .kind = TR_KIND_FACTORS, .direction = TR_DIR_BACKWARD_DATA, .sharing = walk->sharing};
    return tr_program_add_native(program, &native, &meaning, args, 4, err);
}

tr_status tr_average_groups(tr_program *program, const tr_walk *walk, tr_value sums,
                            tr_value averages, tr_error *err)
{
    const tr_native native = {.run = run_averages, .plan = new_plan(walk)};
    const tr_arg args[] = {{DNNL_ARG_SRC, sums}, {DNNL_ARG_DST, averages}};
    const tr_meaning meaning = {
        .kind = TR_KIND_GROUP_AVERAGES, .direction = TR_DIR_FORWARD, .sharing = walk->sharing};
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}

tr_status tr_move_statistics(tr_program *program, double momentum, bool averaged, tr_value sums,
                             tr_param *mean, tr_param *variance, tr_error *err)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    *self = (plan){.momentum = momentum, .averaged = averaged, .c = mean->dims[0]};
    const tr_native native = {.run = run_moving, .plan = self};
    const tr_arg args[] = {{DNNL_ARG_SRC, sums},
                           {DNNL_ARG_DST, tr_program_vector_param(program, mean)},
                           {DNNL_ARG_DST_1, tr_program_vector_param(program, variance)}};
    const tr_meaning meaning = {.kind = TR_KIND_MOVING_STATISTICS,
                                .direction = TR_DIR_FORWARD,
                                .momentum = momentum,
                                .averaged = averaged};
    return tr_program_add_native(program, &native, &meaning, args, 3, err);
}
