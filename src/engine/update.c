/* update.c -- sum and update, by chunks or in passes; see update.h. */
#include "update.h"

#include <math.h>
#include <string.h>

#include "elementwise.h"
#include "mem.h"
#include "reduce.h"

/* At most TR_REDUCE_CHUNK elements of one tensor. */
typedef struct piece {
    size_t offset, n;
    int tensor;
} piece;

struct tr_updater {
    tr_optimizer *optimizer;
    size_t n_floats;
    int n_slots, first_own;
    const char *names[TR_MAX_ALL_SLOTS];
    float *slots[TR_MAX_ALL_SLOTS];
    float *average, *accumulator; /* two of the slots; NULL: off */

    /* Of the step at hand. */
    bool applies;       /* else its gradient is only accumulated */
    bool overwrites;    /* the average becomes the weights */
    float ema_momentum; /* 0 in the first update: the average starts as the weights */

    /* For norms; NULL where none are needed. */
    piece *pieces;
    size_t n_pieces;
    size_t *first_piece; /* [n_tensors + 1] */
    int n_tensors;
    float *gradient;                                       /* [n_floats] */
    double *gradient_sums, *weights_sums, *direction_sums; /* [n_pieces] of squares */
};

static bool clips_by_norm(const tr_optimizer *optimizer)
{
    return optimizer->clipnorm > 0.0 || optimizer->global_clipnorm > 0.0;
}

/* ---- life ---- */

static bool add_slot(tr_updater *updater, tr_slot slot)
{
    float *values = tr_alloc(updater->n_floats, sizeof *values);
    if (values == NULL)
        return false;
    for (size_t i = 0; i < updater->n_floats && slot.initial != 0.0; i++)
        values[i] = (float)slot.initial;
    updater->names[updater->n_slots] = slot.name;
    updater->slots[updater->n_slots++] = values;
    return true;
}

/* In Keras's order. */
static bool add_slots(tr_updater *updater)
{
    const tr_optimizer *optimizer = updater->optimizer;
    tr_slot slots[TR_MAX_ALL_SLOTS] = {{0}};
    const int n = tr_optimizer_slots(optimizer, slots);
    for (int i = 0; i < n; i++)
        if (!add_slot(updater, slots[i]))
            return false;
    if (optimizer->use_ema)
        updater->average = updater->slots[updater->first_own++];
    if (optimizer->gradient_accumulation_steps > 1)
        updater->accumulator = updater->slots[updater->first_own++];
    return true;
}

static bool add_pieces(tr_updater *updater, const tr_flat_tensor *tensors, int n_tensors)
{
    updater->n_tensors = n_tensors;
    updater->first_piece = tr_alloc((size_t)n_tensors + 1, sizeof *updater->first_piece);
    if (updater->first_piece == NULL)
        return false;
    for (int t = 0; t < n_tensors; t++)
        updater->first_piece[t + 1] =
            updater->first_piece[t] + (tensors[t].n + TR_REDUCE_CHUNK - 1) / TR_REDUCE_CHUNK;
    const size_t n = updater->n_pieces = updater->first_piece[n_tensors];
    updater->pieces = tr_alloc(n, sizeof *updater->pieces);
    updater->gradient = tr_alloc(updater->n_floats, sizeof *updater->gradient);
    updater->gradient_sums = tr_alloc(n, sizeof(double));
    updater->weights_sums = tr_alloc(n, sizeof(double));
    updater->direction_sums = tr_alloc(n, sizeof(double));
    if (updater->pieces == NULL || updater->gradient == NULL || updater->gradient_sums == NULL ||
        updater->weights_sums == NULL || updater->direction_sums == NULL)
        return false;
    for (int t = 0; t < n_tensors; t++)
        for (size_t p = updater->first_piece[t]; p < updater->first_piece[t + 1]; p++) {
            const size_t begin = (p - updater->first_piece[t]) * TR_REDUCE_CHUNK;
            const size_t left = tensors[t].n - begin;
            updater->pieces[p] = (piece){.offset = tensors[t].offset + begin,
                                         .n = left < TR_REDUCE_CHUNK ? left : TR_REDUCE_CHUNK,
                                         .tensor = t};
        }
    return true;
}

tr_status tr_updater_new(tr_updater **out, tr_optimizer *optimizer, const tr_flat_tensor *tensors,
                         int n_tensors, size_t n_floats, tr_error *err)
{
    tr_updater *updater = tr_alloc(1, sizeof *updater);
    if (updater == NULL)
        return tr_out_of_memory(err, NULL);
    updater->optimizer = optimizer;
    updater->n_floats = n_floats;
    const bool in_passes = clips_by_norm(optimizer) || optimizer->ops->direction != NULL;
    if (!add_slots(updater) || (in_passes && !add_pieces(updater, tensors, n_tensors))) {
        tr_updater_free(updater);
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory: optimizer state");
    }
    *out = updater;
    return TR_OK;
}

void tr_updater_free(tr_updater *updater)
{
    if (updater == NULL)
        return;
    for (int i = 0; i < updater->n_slots; i++)
        tr_free(updater->slots[i]);
    tr_free(updater->pieces);
    tr_free(updater->first_piece);
    tr_free(updater->gradient);
    tr_free(updater->gradient_sums);
    tr_free(updater->weights_sums);
    tr_free(updater->direction_sums);
    tr_free(updater);
}

int tr_updater_n_slots(const tr_updater *updater)
{
    return updater->n_slots;
}

const char *tr_updater_slot_name(const tr_updater *updater, int slot)
{
    return updater->names[slot];
}

float *tr_updater_slot(const tr_updater *updater, int slot)
{
    return updater->slots[slot];
}

/* ---- a step, elementwise ---- */

void tr_updater_begin(tr_updater *updater, int64_t iterations)
{
    tr_optimizer *optimizer = updater->optimizer;
    const int64_t steps = optimizer->gradient_accumulation_steps;
    const int64_t updates = iterations / steps, every = optimizer->ema_overwrite_frequency;
    updater->applies = (iterations + 1) % steps == 0;
    updater->overwrites = every > 0 && (updates + 1) % every == 0;
    updater->ema_momentum = updates == 0 ? 0.0f : (float)optimizer->ema_momentum;
    tr_optimizer_begin(optimizer, iterations);
}

static tr_update range_at(const tr_updater *updater, float *weights, float *gradients,
                          size_t offset, size_t n)
{
    tr_update range = {.weights = weights + offset, .gradients = gradients, .n = n};
    for (int i = updater->first_own; i < updater->n_slots; i++)
        range.slots[i - updater->first_own] = updater->slots[i] + offset;
    return range;
}

static void accumulate(const tr_updater *updater, float *gradients, size_t offset, size_t n)
{
    if (updater->accumulator == NULL)
        return;
    float *accumulator = updater->accumulator + offset;
    const float steps = (float)updater->optimizer->gradient_accumulation_steps;
    if (updater->applies)
        tr_take_mean(gradients, accumulator, steps, n);
    else
        tr_accumulate(accumulator, gradients, n);
}

/* What comes before the optimizer's own formula. */
static void prepare(const tr_optimizer *optimizer, const tr_update *range)
{
    if (optimizer->clipvalue > 0.0)
        tr_clip_values(range->gradients, (float)optimizer->clipvalue, range->n);
    if (optimizer->weight_decay > 0.0)
        tr_decay_weights(range->weights, (float)optimizer->weight_decay, (float)optimizer->rate,
                         range->n);
}

static void average(const tr_updater *updater, float *weights, size_t offset, size_t n)
{
    if (updater->average == NULL)
        return;
    tr_average(updater->average + offset, weights + offset, updater->ema_momentum, n);
    if (updater->overwrites)
        memcpy(weights + offset, updater->average + offset, n * sizeof *weights);
}

static void run_chunks(const tr_updater *updater, float *weights, const tr_leaves *leaves,
                       tr_profile *profile, int part, int parts)
{
    _Alignas(64) float gradient[TR_REDUCE_CHUNK];
    const tr_optimizer *optimizer = updater->optimizer;
    const size_t n = updater->n_floats;
    const size_t n_chunks = (n + TR_REDUCE_CHUNK - 1) / TR_REDUCE_CHUNK;
    const size_t begin = n_chunks * (size_t)part / (size_t)parts * TR_REDUCE_CHUNK;
    const size_t end = n_chunks * (size_t)(part + 1) / (size_t)parts * TR_REDUCE_CHUNK;
    for (size_t i = begin; i < end && i < n; i += TR_REDUCE_CHUNK) {
        const tr_update range = range_at(updater, weights, gradient, i,
                                         n - i < TR_REDUCE_CHUNK ? n - i : TR_REDUCE_CHUNK);
        tr_reduce_leaves(gradient, leaves->first + i, leaves->stride, leaves->n, range.n);
        tr_lap(profile, TR_PART_SUM);
        accumulate(updater, gradient, i, range.n);
        if (updater->applies) {
            prepare(optimizer, &range);
            optimizer->ops->update(optimizer, &range);
        }
        average(updater, weights, i, range.n);
        tr_lap(profile, TR_PART_UPDATE);
    }
}

/* ---- a step in passes ---- */

static double sum_of_tensor(const tr_updater *updater, const double *sums, int tensor)
{
    double sum = 0.0;
    for (size_t p = updater->first_piece[tensor]; p < updater->first_piece[tensor + 1]; p++)
        sum += sums[p];
    return sum;
}

static double sum_of_all(const tr_updater *updater, const double *sums)
{
    double sum = 0.0;
    for (int t = 0; t < updater->n_tensors; t++)
        sum += sum_of_tensor(updater, sums, t);
    return sum;
}

static void sum_pieces(const tr_updater *updater, const tr_leaves *leaves, size_t begin, size_t end)
{
    const bool norms = updater->applies && clips_by_norm(updater->optimizer);
    for (size_t p = begin; p < end; p++) {
        const piece *at = &updater->pieces[p];
        float *gradient = updater->gradient + at->offset;
        tr_reduce_leaves(gradient, leaves->first + at->offset, leaves->stride, leaves->n, at->n);
        accumulate(updater, gradient, at->offset, at->n);
        if (norms)
            updater->gradient_sums[p] = tr_sum_of_squares(gradient, at->n);
    }
}

/* Keras: each tensor g c / max(|g|, c), or all of them g (c min(1 / N, 1 / c)), which is not a
 * number when N is not finite. Each thread finds the same norms, in the same order. */
static void clip_pieces(const tr_updater *updater, size_t begin, size_t end)
{
    const tr_optimizer *optimizer = updater->optimizer;
    const bool global = optimizer->global_clipnorm > 0.0;
    const float limit = (float)(global ? optimizer->global_clipnorm : optimizer->clipnorm);
    float factor = limit, divisor = 1.0f;
    if (global) {
        const float norm = (float)sqrt(sum_of_all(updater, updater->gradient_sums));
        factor = limit * fminf(1.0f / norm, 1.0f / limit) + (norm - norm);
    }
    for (size_t p = begin; p < end; p++) {
        const piece *at = &updater->pieces[p];
        if (!global && (p == begin || at->tensor != at[-1].tensor)) {
            const double sum = sum_of_tensor(updater, updater->gradient_sums, at->tensor);
            divisor = fmaxf((float)sqrt(sum), limit);
        }
        tr_rescale(updater->gradient + at->offset, factor, divisor, at->n);
    }
}

static void update_pieces(const tr_updater *updater, float *weights, size_t begin, size_t end)
{
    const tr_optimizer *optimizer = updater->optimizer;
    for (size_t p = begin; p < end; p++) {
        const piece *at = &updater->pieces[p];
        const tr_update range =
            range_at(updater, weights, updater->gradient + at->offset, at->offset, at->n);
        prepare(optimizer, &range);
        if (optimizer->ops->direction == NULL) {
            optimizer->ops->update(optimizer, &range);
            continue;
        }
        optimizer->ops->direction(optimizer, &range);
        updater->weights_sums[p] = tr_sum_of_squares(range.weights, range.n);
        updater->direction_sums[p] = tr_sum_of_squares(range.gradients, range.n);
    }
}

static void apply_pieces(const tr_updater *updater, float *weights, size_t begin, size_t end)
{
    const tr_optimizer *optimizer = updater->optimizer;
    double weights_norm = 0.0, direction_norm = 0.0;
    for (size_t p = begin; p < end; p++) {
        const piece *at = &updater->pieces[p];
        const tr_update range =
            range_at(updater, weights, updater->gradient + at->offset, at->offset, at->n);
        if (p == begin || at->tensor != at[-1].tensor) {
            weights_norm = sqrt(sum_of_tensor(updater, updater->weights_sums, at->tensor));
            direction_norm = sqrt(sum_of_tensor(updater, updater->direction_sums, at->tensor));
        }
        optimizer->ops->apply(optimizer, &range, weights_norm, direction_norm);
    }
}

/* For norms over what other threads have computed. */
static void wait_for_all(tr_profile *profile)
{
    tr_lap(profile, TR_PART_UPDATE);
#pragma omp barrier
    tr_lap(profile, TR_PART_WAIT);
}

static void run_passes(const tr_updater *updater, float *weights, const tr_leaves *leaves,
                       tr_profile *profile, int part, int parts)
{
    const size_t begin = updater->n_pieces * (size_t)part / (size_t)parts;
    const size_t end = updater->n_pieces * (size_t)(part + 1) / (size_t)parts;
    sum_pieces(updater, leaves, begin, end);
    tr_lap(profile, TR_PART_SUM);
    if (updater->applies) {
        if (clips_by_norm(updater->optimizer)) {
            wait_for_all(profile);
            clip_pieces(updater, begin, end);
        }
        update_pieces(updater, weights, begin, end);
        if (updater->optimizer->ops->apply != NULL) {
            wait_for_all(profile);
            apply_pieces(updater, weights, begin, end);
        }
    }
    for (size_t p = begin; p < end; p++)
        average(updater, weights, updater->pieces[p].offset, updater->pieces[p].n);
    tr_lap(profile, TR_PART_UPDATE);
}

void tr_updater_run(tr_updater *updater, float *weights, const tr_leaves *leaves,
                    tr_profile *profile, int part, int parts)
{
    if (updater->pieces == NULL)
        run_chunks(updater, weights, leaves, profile, part, parts);
    else
        run_passes(updater, weights, leaves, profile, part, parts);
}

bool tr_updater_finish(const tr_updater *updater, float *weights)
{
    if (updater->average != NULL)
        memcpy(weights, updater->average, updater->n_floats * sizeof *weights);
    return updater->average != NULL;
}
