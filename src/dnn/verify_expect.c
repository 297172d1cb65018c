/* verify_expect.c -- what an operation should give: its kind's definition (reference.h) of the very
 * numbers that it read; see verify.h.
 */
#include "mem.h"
#include "verify_internal.h"

static tr_tensor *argument(tr_job *at, int role)
{
    for (int i = 0; i < at->op->n_args; i++)
        if (at->op->args[i].role == role)
            return &at->args[i];
    return NULL;
}

static tr_value workspace_of(const tr_op *op)
{
    for (int i = 0; i < op->n_args; i++)
        if (op->args[i].role == DNNL_ARG_WORKSPACE)
            return op->args[i].value;
    return TR_NO_VALUE;
}

static void expect_weighted(tr_job *at, const tr_geometry *geometry)
{
    const tr_meaning *meaning = &at->op->meaning;
    if (meaning->direction == TR_DIR_FORWARD)
        at->terms = tr_reference_conv_forward(
            geometry, at->fused, argument(at, DNNL_ARG_SRC), argument(at, DNNL_ARG_WEIGHTS),
            argument(at, DNNL_ARG_BIAS), argument(at, DNNL_ARG_DST));
    else if (meaning->direction == TR_DIR_BACKWARD_DATA)
        at->terms = tr_reference_conv_backward_data(geometry, argument(at, DNNL_ARG_WEIGHTS),
                                                    argument(at, DNNL_ARG_DIFF_DST),
                                                    argument(at, DNNL_ARG_DIFF_SRC));
    else
        at->terms = tr_reference_conv_backward_weights(
            geometry, argument(at, DNNL_ARG_SRC), argument(at, DNNL_ARG_DIFF_DST),
            argument(at, DNNL_ARG_DIFF_WEIGHTS), argument(at, DNNL_ARG_DIFF_BIAS));
}

static tr_status expect_max_pooling(tr_verifier *verifier, tr_job *at, tr_error *err)
{
    const tr_geometry *geometry = &at->op->meaning.geometry;
    const tr_value workspace = workspace_of(at->op);
    int64_t *winners = workspace == TR_NO_VALUE ? NULL : verifier->winners[workspace];
    if (at->op->info.direction == TR_DIR_BACKWARD_DATA) {
        if (winners == NULL)
            return tr_fail(err, TR_ERR_INTERNAL, "%s: verify FORWARD before BACKWARD",
                           at->op->info.layer);
        at->terms = tr_reference_max_pool_backward(
            geometry, winners, argument(at, DNNL_ARG_DIFF_DST), argument(at, DNNL_ARG_DIFF_SRC));
        return TR_OK;
    }
    tr_tensor *dst = argument(at, DNNL_ARG_DST);
    if (winners == NULL)
        winners = tr_alloc((size_t)tr_tensor_elements(dst), sizeof *winners);
    if (winners == NULL)
        return tr_out_of_memory(err, at->op->info.layer);
    at->terms = tr_reference_max_pool_forward(geometry, argument(at, DNNL_ARG_SRC), dst, winners);
    if (workspace == TR_NO_VALUE)
        tr_free(winners);
    else
        verifier->winners[workspace] = winners;
    return TR_OK;
}

static void expect_eltwise(tr_job *at)
{
    const tr_function *function = &at->op->meaning.function;
    tr_tensor *src = argument(at, DNNL_ARG_SRC), *dst = argument(at, DNNL_ARG_DST);
    if (at->op->info.direction == TR_DIR_FORWARD)
        at->terms = tr_reference_function_forward(function, src, dst);
    else
        at->terms = tr_reference_function_backward(function, src != NULL ? src : dst,
                                                   argument(at, DNNL_ARG_DIFF_DST),
                                                   argument(at, DNNL_ARG_DIFF_SRC));
}

static void expect_prelu(tr_job *at)
{
    const tr_slopes *slopes = &at->op->meaning.slopes;
    const tr_tensor *src = argument(at, DNNL_ARG_SRC), *alpha = argument(at, DNNL_ARG_SCALE);
    at->terms = at->op->info.direction == TR_DIR_FORWARD
                    ? tr_reference_prelu_forward(slopes, src, alpha, argument(at, DNNL_ARG_DST))
                    : tr_reference_prelu_backward(
                          slopes, src, alpha, argument(at, DNNL_ARG_DIFF_DST),
                          argument(at, DNNL_ARG_DIFF_SRC), argument(at, DNNL_ARG_DIFF_SCALE));
}

static void expect_normalization(tr_job *at)
{
    const double epsilon = at->op->meaning.epsilon, least = at->op->meaning.least;
    const tr_scaling *scaling = at->op->meaning.scaling;
    const bool forward = at->op->info.direction == TR_DIR_FORWARD;
    const tr_tensor *gamma = argument(at, DNNL_ARG_SCALE);
    const tr_tensor *variance = argument(at, DNNL_ARG_VARIANCE);
    const tr_tensor *src = argument(at, forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST);
    tr_tensor *dst = argument(at, forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC);
    if (scaling != NULL)
        at->terms = tr_reference_scale(scaling, forward, src, dst);
    else if (forward)
        at->terms = tr_reference_normalize_forward(epsilon, least, at->fused, gamma,
                                                   argument(at, DNNL_ARG_SHIFT),
                                                   argument(at, DNNL_ARG_MEAN), variance, src, dst);
    else
        at->terms = tr_reference_normalize_backward(epsilon, least, gamma, variance, src, dst);
}

/* The sources of a merge or a concatenation; returns their number. */
static int find_sources(tr_job *at, const tr_tensor *srcs[TR_MAX_SOURCES])
{
    int n = 0;
    while (n < TR_MAX_SOURCES && argument(at, DNNL_ARG_MULTIPLE_SRC + n) != NULL) {
        srcs[n] = argument(at, DNNL_ARG_MULTIPLE_SRC + n);
        n++;
    }
    return n;
}

static void expect_merge(tr_job *at)
{
    const tr_tensor *srcs[TR_MAX_SOURCES];
    const int n = find_sources(at, srcs);
    const tr_merging *merging = &at->op->meaning.merging;
    tr_tensor *dst = argument(at, DNNL_ARG_DST), *diff_src = argument(at, DNNL_ARG_DIFF_SRC);
    const tr_tensor *diff_dst = argument(at, DNNL_ARG_DIFF_DST);
    tr_tensor *merged = dst != NULL ? dst : diff_src;
    if (diff_dst != NULL) {
        at->terms = tr_reference_maximum_backward(merging->part, srcs, n, diff_dst, diff_src);
        return;
    }
    at->terms = tr_reference_merge(merging, srcs, n, merged);
    tr_reference_fuse(at->fused, merged);
}

static void expect_concatenation(tr_job *at)
{
    const tr_tensor *srcs[TR_MAX_SOURCES];
    const int n = find_sources(at, srcs);
    if (n > 0)
        at->terms = tr_reference_concatenate_forward(srcs, n, argument(at, DNNL_ARG_DST));
    else
        at->terms = tr_reference_concatenate_backward(at->op->meaning.merging.part,
                                                      argument(at, DNNL_ARG_DIFF_DST),
                                                      argument(at, DNNL_ARG_DIFF_SRC));
}

/* What is measured of a batch: the operations of normalization.h. */
static void expect_statistics(const tr_verifier *verifier, tr_job *at)
{
    const tr_meaning *meaning = &at->op->meaning;
    const tr_sharing *sharing = &meaning->sharing;
    const int64_t n_samples = tr_replica_draw(verifier->replica)->n;
    const bool forward = meaning->direction == TR_DIR_FORWARD;
    const tr_activation f = meaning->activation;
    const tr_tensor *src = argument(at, DNNL_ARG_SRC), *by = argument(at, DNNL_ARG_SRC_1);
    const tr_tensor *diff_dst = argument(at, DNNL_ARG_DIFF_DST);
    tr_tensor *dst = argument(at, DNNL_ARG_DST), *diff_src = argument(at, DNNL_ARG_DIFF_SRC);
    if (meaning->kind == TR_KIND_SUMS)
        at->terms = forward ? tr_reference_sum_forward(sharing, n_samples, src, dst)
                            : tr_reference_sum_backward(sharing, f, n_samples, src, by, diff_dst,
                                                        argument(at, DNNL_ARG_DIFF_SRC_1),
                                                        argument(at, DNNL_ARG_DIFF_SCALE),
                                                        argument(at, DNNL_ARG_DIFF_SHIFT));
    else if (meaning->kind == TR_KIND_FACTORS)
        at->terms = forward ? tr_reference_factors_forward(sharing, meaning->epsilon, src,
                                                           argument(at, DNNL_ARG_SCALE),
                                                           argument(at, DNNL_ARG_SHIFT), dst)
                            : tr_reference_factors_backward(sharing, src, diff_dst, by, diff_src);
    else if (meaning->kind == TR_KIND_APPLICATION)
        at->terms = forward ? tr_reference_apply_forward(sharing, f, src, by, dst)
                            : tr_reference_apply_backward(sharing, f, n_samples, src, by, diff_dst,
                                                          argument(at, DNNL_ARG_SRC_2), diff_src);
    else if (meaning->kind == TR_KIND_GROUP_AVERAGES)
        at->terms = tr_reference_group_averages(sharing, n_samples, src, dst);
    else
        at->terms = tr_reference_moving_statistics(meaning->momentum, meaning->averaged, src, dst,
                                                   argument(at, DNNL_ARG_DST_1));
}

static void expect_pixel_normalization(const tr_verifier *verifier, tr_job *at)
{
    const double epsilon = at->op->meaning.epsilon;
    const tr_tensor *src = argument(at, DNNL_ARG_SRC), *gamma = argument(at, DNNL_ARG_SCALE);
    if (at->op->meaning.direction == TR_DIR_FORWARD)
        at->terms = tr_reference_pixel_forward(epsilon, src, gamma, argument(at, DNNL_ARG_SHIFT),
                                               argument(at, DNNL_ARG_DST));
    else
        at->terms = tr_reference_pixel_backward(
            epsilon, tr_replica_draw(verifier->replica)->n, src, gamma,
            argument(at, DNNL_ARG_DIFF_DST), argument(at, DNNL_ARG_DIFF_SRC),
            argument(at, DNNL_ARG_DIFF_SCALE), argument(at, DNNL_ARG_DIFF_SHIFT));
}

/* What has a source, a result and no weights, in either direction. */
static void expect_plain(const tr_verifier *verifier, tr_job *at)
{
    const tr_meaning *meaning = &at->op->meaning;
    const bool forward = meaning->direction == TR_DIR_FORWARD;
    tr_tensor *src = argument(at, DNNL_ARG_SRC), *dst = argument(at, DNNL_ARG_DST);
    tr_tensor *diff_src = argument(at, DNNL_ARG_DIFF_SRC);
    const tr_tensor *diff_dst = argument(at, DNNL_ARG_DIFF_DST);
    const bool log = meaning->activation.name == TR_LOG_SOFTMAX;
    if (meaning->kind == TR_KIND_AVERAGE_POOLING)
        at->terms =
            forward ? tr_reference_average_pool_forward(&meaning->geometry, src, dst)
                    : tr_reference_average_pool_backward(&meaning->geometry, diff_dst, diff_src);
    else if (meaning->kind == TR_KIND_ZERO_PADDING)
        at->terms = forward ? tr_reference_pad_forward(&meaning->geometry, src, dst)
                            : tr_reference_pad_backward(&meaning->geometry, diff_dst, diff_src);
    else if (meaning->kind == TR_KIND_CROPPING)
        at->terms = forward ? tr_reference_pad_backward(&meaning->geometry, src, dst)
                            : tr_reference_pad_forward(&meaning->geometry, diff_dst, diff_src);
    else if (meaning->kind == TR_KIND_PERMUTATION)
        at->terms = tr_reference_permute(&meaning->axes, forward, forward ? src : diff_dst,
                                         forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_RESAMPLING)
        at->terms = tr_reference_resample(&meaning->resampling, forward, forward ? src : diff_dst,
                                          forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_SAMPLING)
        at->terms =
            tr_reference_sample(&meaning->sampling, forward, tr_replica_draw(verifier->replica),
                                forward ? src : diff_dst, forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_TINTING)
        at->terms = tr_reference_tint(&meaning->tinting, tr_replica_draw(verifier->replica), src,
                                      diff_dst, forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_ERASING)
        at->terms =
            tr_reference_erase(&meaning->erasing, forward, tr_replica_draw(verifier->replica),
                               forward ? src : diff_dst, forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_DROPOUT)
        at->terms =
            tr_reference_dropout(&meaning->dropping, forward, tr_replica_draw(verifier->replica),
                                 forward ? src : diff_dst, forward ? dst : diff_src);
    else if (meaning->kind == TR_KIND_GLOBAL_MAX)
        at->terms = forward ? tr_reference_global_max_forward(src, dst)
                            : tr_reference_global_max_backward(src, dst, diff_dst, diff_src);
    else
        at->terms = forward ? tr_reference_softmax_forward(log, src, dst)
                            : tr_reference_softmax_backward(log, dst, diff_dst, diff_src);
}

tr_status tr_job_expect(tr_verifier *verifier, tr_job *at, tr_error *err)
{
    const tr_meaning *meaning = &at->op->meaning;
    const tr_tensor *src = argument(at, DNNL_ARG_SRC);
    tr_geometry whole;
    switch (meaning->kind) {
    case TR_KIND_REORDER:
        at->terms = tr_reference_copy(argument(at, DNNL_ARG_FROM), argument(at, DNNL_ARG_TO));
        break;
    case TR_KIND_CONVOLUTION:
        expect_weighted(at, &meaning->geometry);
        break;
    case TR_KIND_INNER_PRODUCT:
        whole = tr_reference_whole(src != NULL ? src : argument(at, DNNL_ARG_DIFF_SRC));
        expect_weighted(at, &whole);
        break;
    case TR_KIND_MAX_POOLING:
        return expect_max_pooling(verifier, at, err);
    case TR_KIND_AVERAGE_POOLING:
    case TR_KIND_ZERO_PADDING:
    case TR_KIND_CROPPING:
    case TR_KIND_PERMUTATION:
    case TR_KIND_RESAMPLING:
    case TR_KIND_SAMPLING:
    case TR_KIND_TINTING:
    case TR_KIND_ERASING:
    case TR_KIND_DROPOUT:
    case TR_KIND_GLOBAL_MAX:
    case TR_KIND_SOFTMAX:
        expect_plain(verifier, at);
        break;
    case TR_KIND_ELTWISE:
        expect_eltwise(at);
        break;
    case TR_KIND_CHANNEL_SUMS:
        at->terms = tr_reference_channel_sums(argument(at, DNNL_ARG_DIFF_DST),
                                              argument(at, DNNL_ARG_DIFF_BIAS));
        break;
    case TR_KIND_MERGE:
        expect_merge(at);
        break;
    case TR_KIND_REPEATED_SUMS:
        at->terms = tr_reference_repeated_sums(argument(at, DNNL_ARG_DIFF_DST),
                                               argument(at, DNNL_ARG_DIFF_SRC));
        break;
    case TR_KIND_CONCATENATION:
        expect_concatenation(at);
        break;
    case TR_KIND_NORMALIZATION:
        expect_normalization(at);
        break;
    case TR_KIND_PIXEL_NORMALIZATION:
        expect_pixel_normalization(verifier, at);
        break;
    case TR_KIND_SUMS:
    case TR_KIND_FACTORS:
    case TR_KIND_APPLICATION:
    case TR_KIND_GROUP_AVERAGES:
    case TR_KIND_MOVING_STATISTICS:
        expect_statistics(verifier, at);
        break;
    case TR_KIND_ACTIVITY:
        if (meaning->direction == TR_DIR_FORWARD)
            at->terms =
                tr_reference_activity_forward(meaning->penalty, src, argument(at, DNNL_ARG_DST));
        else
            at->terms = tr_reference_activity_backward(
                meaning->penalty, tr_replica_draw(verifier->replica), src,
                argument(at, DNNL_ARG_DIFF_DST), argument(at, DNNL_ARG_DIFF_SRC));
        break;
    case TR_KIND_PRELU:
        expect_prelu(at);
        break;
    case TR_KIND_PACKING:
        break;
    }
    return TR_OK;
}
