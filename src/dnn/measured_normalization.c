/* measured_normalization.c -- normalization with the mean and variance of the samples at hand:
 * which operations of normalization.h, channel_sums.h and channel_factors.h, and in which stage;
 * see primitives.h.
 *
 *     stage      | this one                        | the next
 *     forward    | sums of src, joined: factors    | dst
 *     backward   | sums of diff_dst, joined: more  | diff_src
 *
 * Where all samples of a group lie in one micro-batch there is no cut: sums are joined on the spot.
 */
#include "channel_factors.h"
#include "channel_sums.h"

/* Where the sums and factors of a normalization live. */
typedef struct scope {
    tr_walk walk;
    bool local;    /* whole groups in each micro-batch */
    int64_t group; /* else: of so many micro-batches */
} scope;

static scope scope_of(const tr_normalization *with, const tr_pixels *at)
{
    const bool local = with->samples != TR_WHOLE_BATCH && with->samples <= at->n;
    return (scope){.walk = tr_walk_of(at, local ? with->samples : at->n, with->channels),
                   .local = local,
                   .group = local ? 1 : with->samples / at->n};
}

static tr_value new_sums(tr_program *program, const scope *in, int64_t per_group, tr_value *total)
{
    const int64_t count = in->walk.sharing.n_groups * per_group;
    if (!in->local)
        return tr_program_sums(program, count, in->group, total);
    *total = tr_program_doubles(program, count);
    return *total;
}

static tr_value new_factors(tr_program *program, const scope *in, int64_t rows)
{
    const tr_layout layout =
        tr_layout_x(program->dnn, in->walk.sharing.n_groups * rows * in->walk.padded);
    return in->local ? tr_program_value(program, layout)
                     : tr_program_shared(program, layout, in->group);
}

/* ---- forward ---- */

static tr_status measure(tr_program *program, const tr_normalization *with, const scope *in,
                         tr_normalization_tape *tape, tr_error *err)
{
    const tr_value sums = new_sums(program, in, tr_forward_sums(in->walk.at.c), &tape->sums);
    TR_TRY(tr_sum_forward(program, &in->walk, tape->src, sums, err));
    if (!in->local)
        tr_program_begin_join(program);
    tape->factors = new_factors(program, in, TR_N_FACTORS);
    TR_TRY(tr_factors_forward(program, &in->walk, with->epsilon, tape->sums, with->gamma,
                              with->beta, tape->factors, err));
    if (in->local)
        return TR_OK;
    tr_program_end_join(program);
    tr_program_cut(program);
    return TR_OK;
}

/* With several groups in a batch, the moving statistics follow the average of theirs. */
static tr_status move_statistics(tr_program *program, const tr_normalization *with, const scope *in,
                                 tr_value sums, tr_error *err)
{
    const bool averaged = with->samples != TR_WHOLE_BATCH;
    tr_value total = sums;
    if (averaged) {
        const tr_value averages =
            tr_program_sums(program, tr_forward_sums(in->walk.at.c), TR_WHOLE_BATCH, &total);
        TR_TRY(tr_average_groups(program, &in->walk, sums, averages, err));
    }
    tr_program_begin_conclude(program);
    const tr_status status = tr_move_statistics(program, with->momentum, averaged, total,
                                                with->mean, with->variance, err);
    tr_program_end_conclude(program);
    return status;
}

tr_status tr_measured_forward(tr_program *program, const tr_normalization *with, tr_value src,
                              tr_normalization_tape *tape, tr_value *dst, tr_error *err)
{
    tr_pixels at;
    tape->src = src;
    TR_TRY(tr_pixels_walkable(program, &tape->src, &at, err));
    const scope in = scope_of(with, &at);
    TR_TRY(measure(program, with, &in, tape, err));
    if (with->mean != NULL)
        TR_TRY(move_statistics(program, with, &in, tape->sums, err));
    return tr_apply_forward(program, &in.walk, with->fused, tape->src, tape->factors, dst, err);
}

/* ---- backward ---- */

tr_status tr_measured_backward(tr_program *program, const tr_normalization *with,
                               const tr_normalization_tape *tape, tr_value diff_dst,
                               tr_value *diff_src, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, tape->src);
    tr_pixels at;
    tr_pixels_of(layout, &at);
    const scope in = scope_of(with, &at);
    const int64_t count = tr_backward_sums(at.c);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    tr_value total;
    const tr_value sums = diff_src != NULL
                              ? new_sums(program, &in, count, &total)
                              : tr_program_doubles(program, in.walk.sharing.n_groups * count);
    TR_TRY(tr_sum_backward(program, &in.walk, with->fused, tape->src, tape->factors, diff_dst, sums,
                           with->gamma, with->beta, err));
    if (diff_src == NULL)
        return TR_OK;
    if (!in.local)
        tr_program_begin_join(program);
    const tr_value back_factors = new_factors(program, &in, TR_N_BACK_FACTORS);
    TR_TRY(tr_factors_backward(program, &in.walk, tape->sums, total, tape->factors, back_factors,
                               err));
    if (!in.local) {
        tr_program_end_join(program);
        tr_program_cut(program);
    }
    return tr_apply_backward(program, &in.walk, with->fused, tape->src, tape->factors, diff_dst,
                             back_factors, diff_src, err);
}
