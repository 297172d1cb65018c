/* update.c -- life of the updater, and the step of a piece that needs nothing but itself; see
 * update.h. */
#include "update.h"

#include <string.h>

#include "elementwise.h"
#include "mem.h"
#include "reduce.h"
#include "update_internal.h"

/* ---- life ---- */

static bool add_pieces(tr_updater *updater)
{
    size_t n = 0;
    for (int t = 0; t < updater->n_tensors; t++) {
        tr_trained *of = &updater->tensors[t];
        of->first_piece = n;
        n = of->end_piece = n + (of->n + TR_REDUCE_CHUNK - 1) / TR_REDUCE_CHUNK;
    }
    updater->n_pieces = n;
    updater->pieces = tr_alloc(n, sizeof *updater->pieces);
    if (updater->pieces == NULL)
        return false;
    for (int t = 0; t < updater->n_tensors; t++) {
        const tr_trained *of = &updater->tensors[t];
        for (size_t p = of->first_piece; p < of->end_piece; p++) {
            const size_t begin = (p - of->first_piece) * TR_REDUCE_CHUNK, left = of->n - begin;
            updater->pieces[p] = (tr_piece){.offset = of->offset + begin,
                                            .n = left < TR_REDUCE_CHUNK ? left : TR_REDUCE_CHUNK,
                                            .tensor = t};
        }
    }
    return true;
}

/* Learned from copies of each element's number, in two parts that a float holds exactly. */
tr_status tr_find_places(tr_layout from, size_t n, tr_layout to, size_t n_packed, uint32_t *places,
                         tr_error *err)
{
    enum { PART = 4096 };
    float *plain = tr_alloc(n, sizeof *plain), *packed = tr_alloc(n_packed, sizeof *packed);
    tr_status status = plain == NULL || packed == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    for (uint32_t scale = 1; status == TR_OK && scale <= PART; scale *= PART) {
        for (size_t i = 0; i < n; i++)
            plain[i] = (float)(scale == 1 ? (i + 1) % PART : (i + 1) / PART);
        status = tr_layout_copy(from, plain, to, packed, err);
        for (size_t i = 0; status == TR_OK && i < n_packed; i++)
            places[i] += scale * (uint32_t)packed[i];
    }
    tr_free(plain);
    tr_free(packed);
    return status;
}

static tr_status find_places(tr_trained *of, const tr_flat_tensor *flat, tr_error *err)
{
    of->places = tr_alloc(of->n, sizeof *of->places);
    return of->places == NULL
               ? tr_out_of_memory(err, NULL)
               : tr_find_places(flat->plain, of->tensor.n, flat->packed, of->n, of->places, err);
}

static tr_status take_whole(tr_updater *updater, tr_trained *of, const tr_flat_tensor *flat,
                            tr_error *err)
{
    const tr_optimizer *optimizer = of->group->optimizer;
    if (of->whole->any_layout)
        of->tensor.n = of->n;
    else if (flat->plain != flat->packed)
        TR_TRY(find_places(of, flat, err));
    of->step.tensor = &of->tensor;
    if (of->whole->room != NULL) {
        of->step.room = tr_alloc(1, of->whole->room(optimizer, &of->tensor));
        if (of->step.room == NULL)
            return tr_out_of_memory(err, NULL);
    }
    if (of->places != NULL && updater->plain == NULL) {
        updater->plain = tr_alloc(updater->n_floats, sizeof *updater->plain);
        if (updater->plain == NULL)
            return tr_out_of_memory(err, NULL);
    }
    return TR_OK;
}

static void fill_slots(tr_updater *updater, tr_trained *of)
{
    tr_slot slots[TR_MAX_ALL_SLOTS] = {{0}};
    const tr_optimizer *optimizer = of->group->optimizer;
    const int n = tr_optimizer_slots(optimizer, &of->tensor, slots);
    const int first = tr_optimizer_first_own(optimizer);
    of->n_slots = n - first;
    for (int k = 0; k < n; k++) {
        float *values = updater->slots[k] + of->offset;
        for (size_t i = 0; i < of->n && slots[k].initial != 0.0; i++)
            values[i] = (float)slots[k].initial;
        if (k >= first) {
            of->from_weights[k - first] = slots[k].from_weights;
            of->step.slots[k - first] = values;
        }
    }
}

static tr_status add_tensors(tr_updater *updater, const tr_flat_tensor *tensors, tr_error *err)
{
    for (int t = 0; t < updater->n_tensors; t++) {
        tr_slot slots[TR_MAX_ALL_SLOTS] = {{0}};
        tr_trained *of = &updater->tensors[t];
        of->tensor = tensors[t].tensor;
        of->offset = tensors[t].offset;
        of->n = tensors[t].n;
        of->penalty = tensors[t].penalty;
        of->group = &updater->groups[tensors[t].optimizer];
        const tr_optimizer *optimizer = of->group->optimizer;
        of->whole = tr_optimizer_whole(optimizer, &of->tensor);
        of->weight_decay = (float)tr_optimizer_weight_decay(optimizer, &of->tensor);
        of->alone = of->whole == NULL && !tr_updater_clips_by_norm(optimizer);
        updater->in_passes = updater->in_passes || !of->alone;
        const int n = tr_optimizer_slots(optimizer, &of->tensor, slots);
        updater->n_slots = n > updater->n_slots ? n : updater->n_slots;
        if (of->whole != NULL)
            TR_TRY(take_whole(updater, of, &tensors[t], err));
    }
    return TR_OK;
}

static tr_status add_vectors(tr_updater *updater, tr_error *err)
{
    bool ok = true;
    for (int k = 0; k < updater->n_slots; k++) {
        updater->slots[k] = tr_alloc(updater->n_floats, sizeof(float));
        ok = ok && updater->slots[k] != NULL;
    }
    if (updater->in_passes) {
        updater->gradient = tr_alloc(updater->n_floats, sizeof(float));
        updater->gradient_sums = tr_alloc(updater->n_pieces, sizeof(double));
        updater->weights_sums = tr_alloc(updater->n_pieces, sizeof(double));
        ok = ok && updater->gradient != NULL && updater->gradient_sums != NULL &&
             updater->weights_sums != NULL;
    }
    if (!ok)
        return tr_out_of_memory(err, NULL);
    for (int t = 0; t < updater->n_tensors; t++) {
        tr_trained *of = &updater->tensors[t];
        fill_slots(updater, of);
        if (of->whole != NULL)
            of->step.gradients =
                (of->places == NULL ? updater->gradient : updater->plain) + of->offset;
    }
    return TR_OK;
}

static tr_status build(tr_updater *updater, const tr_flat_tensor *tensors, int n_tensors,
                       tr_error *err)
{
    updater->tensors = tr_alloc((size_t)n_tensors, sizeof *updater->tensors);
    if (updater->tensors == NULL)
        return tr_out_of_memory(err, NULL);
    updater->n_tensors = n_tensors;
    TR_TRY(add_tensors(updater, tensors, err));
    if (!add_pieces(updater))
        return tr_out_of_memory(err, NULL);
    return add_vectors(updater, err);
}

tr_status tr_updater_new(tr_updater **out, const tr_optimizers *optimizers,
                         const tr_flat_tensor *tensors, int n_tensors, size_t n_floats,
                         tr_error *err)
{
    tr_updater *updater = tr_alloc(1, sizeof *updater);
    if (updater == NULL)
        return tr_out_of_memory(err, NULL);
    updater->n_floats = n_floats;
    updater->n_groups = optimizers->n;
    for (int g = 0; g < optimizers->n; g++)
        updater->groups[g].optimizer = optimizers->items[g];
    const tr_status status = build(updater, tensors, n_tensors, err);
    if (status == TR_OK)
        *out = updater;
    else
        tr_updater_free(updater);
    return status;
}

void tr_updater_free(tr_updater *updater)
{
    if (updater == NULL)
        return;
    for (int i = 0; i < updater->n_slots; i++)
        tr_free(updater->slots[i]);
    for (int t = 0; t < updater->n_tensors; t++) {
        tr_free(updater->tensors[t].places);
        tr_free(updater->tensors[t].step.room);
    }
    tr_free(updater->tensors);
    tr_free(updater->pieces);
    tr_free(updater->gradient);
    tr_free(updater->plain);
    tr_free(updater->gradient_sums);
    tr_free(updater->weights_sums);
    tr_free(updater);
}

int tr_updater_n_slots(const tr_updater *updater)
{
    return updater->n_slots;
}

float *tr_updater_slot(const tr_updater *updater, int slot)
{
    return updater->slots[slot];
}

/* ---- a step ---- */

static void begin_group(tr_group *group, int64_t iterations)
{
    const tr_optimizer *optimizer = group->optimizer;
    const int64_t steps = optimizer->gradient_accumulation_steps;
    const int64_t updates = iterations / steps, every = optimizer->ema_overwrite_frequency;
    group->applies = (iterations + 1) % steps == 0;
    group->overwrites = every > 0 && (updates + 1) % every == 0;
    group->ema_momentum = updates == 0 ? 0.0f : (float)optimizer->ema_momentum;
    tr_optimizer_begin(group->optimizer, iterations);
}

void tr_updater_begin(tr_updater *updater, int64_t iterations)
{
    updater->begins = iterations == 0;
    updater->clips = false;
    updater->n_passes = 0;
    for (int g = 0; g < updater->n_groups; g++)
        begin_group(&updater->groups[g], iterations);
    for (int t = 0; t < updater->n_tensors; t++) {
        const tr_trained *of = &updater->tensors[t];
        const tr_optimizer *optimizer = of->group->optimizer;
        if (!of->group->applies)
            continue;
        updater->clips = updater->clips || tr_updater_clips_by_norm(optimizer);
        const int n = of->whole == NULL ? 0 : of->whole->passes(optimizer, &of->tensor);
        updater->n_passes = n > updater->n_passes ? n : updater->n_passes;
    }
}

tr_update tr_updater_range(const tr_updater *updater, size_t piece, float *weights,
                           float *gradients)
{
    const tr_piece *at = &updater->pieces[piece];
    const tr_trained *of = tr_updater_of(updater, piece);
    const int first = tr_optimizer_first_own(of->group->optimizer);
    tr_update range = {.weights = weights + at->offset, .gradients = gradients, .n = at->n};
    for (int i = 0; i < of->n_slots; i++)
        range.slots[i] = updater->slots[first + i] + at->offset;
    return range;
}

static void accumulate(const tr_updater *updater, const tr_piece *at, float *gradients)
{
    const tr_group *group = updater->tensors[at->tensor].group;
    const tr_optimizer *optimizer = group->optimizer;
    if (optimizer->gradient_accumulation_steps == 1)
        return;
    float *accumulator = updater->slots[optimizer->use_ema] + at->offset;
    const float steps = (float)optimizer->gradient_accumulation_steps;
    if (group->applies)
        tr_take_mean(gradients, accumulator, steps, at->n);
    else
        tr_accumulate(accumulator, gradients, at->n);
}

/* Keras makes slots before it touches the weights. */
static void start_slots(const tr_trained *of, const tr_update *range)
{
    for (int i = 0; i < of->n_slots; i++)
        if (of->from_weights[i])
            memcpy(range->slots[i], range->weights, range->n * sizeof(float));
}

void tr_updater_prepare(const tr_trained *of, const tr_update *range)
{
    const tr_optimizer *optimizer = of->group->optimizer;
    if (optimizer->clipvalue > 0.0)
        tr_clip_values(range->gradients, (float)optimizer->clipvalue, range->n);
    if (of->weight_decay > 0.0f)
        tr_decay_weights(range->weights, of->weight_decay, (float)optimizer->rate, range->n);
}

void tr_updater_average(const tr_updater *updater, float *weights, size_t piece)
{
    const tr_piece *at = &updater->pieces[piece];
    const tr_group *group = updater->tensors[at->tensor].group;
    if (!group->optimizer->use_ema)
        return;
    float *average = updater->slots[0] + at->offset;
    tr_average(average, weights + at->offset, group->ema_momentum, at->n);
    if (group->overwrites)
        memcpy(weights + at->offset, average, at->n * sizeof *weights);
}

/* Sums a piece, and updates it where that takes no more. */
static void run_piece(const tr_updater *updater, float *weights, const tr_leaves *leaves,
                      tr_profile *profile, size_t p)
{
    _Alignas(64) float buffer[TR_REDUCE_CHUNK];
    const tr_piece *at = &updater->pieces[p];
    const tr_trained *of = tr_updater_of(updater, p);
    float *gradient = of->alone ? buffer : updater->gradient + at->offset;
    const tr_update range = tr_updater_range(updater, p, weights, gradient);
    tr_reduce_leaves(gradient, leaves->first + at->offset, leaves->stride, leaves->n, at->n);
    tr_lap(profile, TR_PART_SUM);
    if (of->penalty.l1 != 0.0f || of->penalty.l2 != 0.0f)
        tr_penalty_add_gradient(of->penalty, range.weights, gradient, at->n);
    if (updater->begins)
        start_slots(of, &range);
    accumulate(updater, at, gradient);
    if (!of->alone) {
        if (updater->clips)
            updater->gradient_sums[p] = tr_sum_of_squares(gradient, at->n);
    } else {
        if (of->group->applies) {
            tr_updater_prepare(of, &range);
            of->group->optimizer->ops->update(of->group->optimizer, &range);
        }
        tr_updater_average(updater, weights, p);
    }
    tr_lap(profile, TR_PART_UPDATE);
}

void tr_updater_run(tr_updater *updater, float *weights, const tr_leaves *leaves,
                    tr_profile *profile, int part, int parts)
{
    const size_t begin = updater->n_pieces * (size_t)part / (size_t)parts;
    const size_t end = updater->n_pieces * (size_t)(part + 1) / (size_t)parts;
    for (size_t p = begin; p < end; p++)
        run_piece(updater, weights, leaves, profile, p);
    if (updater->in_passes)
        tr_updater_passes(updater, weights, profile, part, parts);
}

bool tr_updater_finish(const tr_updater *updater, float *weights)
{
    bool changed = false;
    for (int t = 0; t < updater->n_tensors; t++) {
        const tr_trained *of = &updater->tensors[t];
        if (!of->group->optimizer->use_ema)
            continue;
        memcpy(weights + of->offset, updater->slots[0] + of->offset, of->n * sizeof *weights);
        changed = true;
    }
    return changed;
}
