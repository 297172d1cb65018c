/* update_passes.c -- the steps that need more than a piece: clipping by a norm, and optimizers that
 * take tensors as a whole.
 *
 * Norms are sums over pieces, tensor by tensor, and each thread that needs one adds the same
 * numbers in the same order. For a tensor as a whole the gradient is brought into Keras's layout,
 * and what the passes leave there is taken from the weights where they lie.
 */
#include <math.h>

#include "elementwise.h"
#include "update_internal.h"

/* For what other threads have computed. */
static void wait_for_all(tr_profile *profile)
{
    tr_lap(profile, TR_PART_UPDATE);
#pragma omp barrier
    tr_lap(profile, TR_PART_WAIT);
}

/* ---- norms ---- */

bool tr_updater_clips_by_norm(const tr_optimizer *optimizer)
{
    return optimizer->clipnorm > 0.0 || optimizer->global_clipnorm > 0.0;
}

static double sum_of_tensor(const tr_trained *of, const double *sums)
{
    double sum = 0.0;
    for (size_t p = of->first_piece; p < of->end_piece; p++)
        sum += sums[p];
    return sum;
}

static float norm_of_group(const tr_updater *updater, const tr_group *group)
{
    double sum = 0.0;
    for (int t = 0; t < updater->n_tensors; t++)
        if (updater->tensors[t].group == group)
            sum += sum_of_tensor(&updater->tensors[t], updater->gradient_sums);
    return (float)sqrt(sum);
}

/* What a gradient is multiplied with, and divided by. */
typedef struct clipping {
    float factor, divisor;
} clipping;

/* Keras: each tensor g c / max(|g|, c), or all of them g (c min(1 / N, 1 / c)), which is not a
 * number when N is not finite. */
static clipping by_global_norm(const tr_updater *updater, const tr_group *group)
{
    const float limit = (float)group->optimizer->global_clipnorm;
    const float norm = norm_of_group(updater, group);
    return (clipping){limit * fminf(1.0f / norm, 1.0f / limit) + (norm - norm), 1.0f};
}

static clipping by_own_norm(const tr_updater *updater, const tr_trained *of)
{
    const float limit = (float)of->group->optimizer->clipnorm;
    const float norm = (float)sqrt(sum_of_tensor(of, updater->gradient_sums));
    return (clipping){limit, fmaxf(norm, limit)};
}

/* Of the pieces of one tensor, or of all of a group: found once. */
static void clip_pieces(const tr_updater *updater, size_t begin, size_t end)
{
    clipping global[1 + TR_MAX_GROUPS], own = {0};
    for (int g = 0; g < updater->n_groups; g++)
        if (updater->groups[g].optimizer->global_clipnorm > 0.0)
            global[g] = by_global_norm(updater, &updater->groups[g]);
    for (size_t p = begin; p < end; p++) {
        const tr_piece *at = &updater->pieces[p];
        const tr_trained *of = tr_updater_of(updater, p);
        if (!of->group->applies || !tr_updater_clips_by_norm(of->group->optimizer))
            continue;
        if (p == begin || at->tensor != at[-1].tensor)
            own = of->group->optimizer->global_clipnorm > 0.0 ? global[of->group - updater->groups]
                                                              : by_own_norm(updater, of);
        tr_rescale(updater->gradient + at->offset, own.factor, own.divisor, at->n);
    }
}

/* ---- tensors as a whole ---- */

static void unpack(const tr_trained *of, const tr_piece *at, const float *gradient)
{
    const uint32_t *places = of->places + (at->offset - of->offset);
    for (size_t i = 0; i < at->n; i++)
        if (places[i] != 0)
            of->step.gradients[places[i] - 1] = gradient[i];
}

static void subtract(const tr_trained *of, const tr_piece *at, float *weights)
{
    const size_t first = at->offset - of->offset;
    if (of->places == NULL) {
        const float *step = of->step.gradients + first;
        for (size_t i = 0; i < at->n; i++)
            weights[i] -= step[i];
        return;
    }
    const uint32_t *places = of->places + first;
    for (size_t i = 0; i < at->n; i++)
        if (places[i] != 0)
            weights[i] -= of->step.gradients[places[i] - 1];
}

/* The update, or what must be known before the passes. */
static void update_piece(const tr_updater *updater, float *weights, size_t p)
{
    const tr_piece *at = &updater->pieces[p];
    const tr_trained *of = tr_updater_of(updater, p);
    const tr_optimizer *optimizer = of->group->optimizer;
    const tr_update range = tr_updater_range(updater, p, weights, updater->gradient + at->offset);
    tr_updater_prepare(of, &range);
    if (of->whole == NULL) {
        optimizer->ops->update(optimizer, &range);
        return;
    }
    updater->weights_sums[p] = tr_sum_of_squares(range.weights, range.n);
    if (of->places != NULL)
        unpack(of, at, range.gradients);
}

/* Parts are dealt out in turn, over all tensors: the large ones have many alike. */
static void run_pass(const tr_updater *updater, int pass, size_t part, size_t parts)
{
    size_t dealt = 0;
    for (int t = 0; t < updater->n_tensors; t++) {
        const tr_trained *of = &updater->tensors[t];
        const tr_optimizer *optimizer = of->group->optimizer;
        if (of->whole == NULL || !of->group->applies ||
            pass >= of->whole->passes(optimizer, &of->tensor))
            continue;
        const size_t n = of->whole->parts(optimizer, &of->tensor, pass);
        const size_t first = (part + parts - dealt % parts) % parts;
        dealt += n;
        if (first >= n)
            continue;
        tr_tensor_step step = of->step;
        step.weights_norm = sqrt(sum_of_tensor(of, updater->weights_sums));
        for (size_t i = first; i < n; i += parts)
            of->whole->run(optimizer, &step, pass, i);
    }
}

void tr_updater_passes(const tr_updater *updater, float *weights, tr_profile *profile, int part,
                       int parts)
{
    const size_t begin = updater->n_pieces * (size_t)part / (size_t)parts;
    const size_t end = updater->n_pieces * (size_t)(part + 1) / (size_t)parts;
    if (updater->clips) {
        wait_for_all(profile);
        clip_pieces(updater, begin, end);
    }
    for (size_t p = begin; p < end; p++)
        if (!tr_updater_of(updater, p)->alone && tr_updater_of(updater, p)->group->applies)
            update_piece(updater, weights, p);
    for (int pass = 0; pass < updater->n_passes; pass++) {
        wait_for_all(profile);
        run_pass(updater, pass, (size_t)part, (size_t)parts);
    }
    if (updater->n_passes > 0)
        wait_for_all(profile);
    for (size_t p = begin; p < end; p++) {
        const tr_piece *at = &updater->pieces[p];
        const tr_trained *of = tr_updater_of(updater, p);
        if (of->whole != NULL && of->group->applies)
            subtract(of, at, weights + at->offset);
        if (!of->alone)
            tr_updater_average(updater, weights, p);
    }
    tr_lap(profile, TR_PART_UPDATE);
}
