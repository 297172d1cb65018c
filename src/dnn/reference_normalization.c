/* reference_normalization.c -- normalizations by definition; see reference.h and normalization.h.
 */
#include <math.h>

#include "normalization.h"
#include "reference.h"

static double cut(tr_activation f, double value)
{
    tr_bounds bounds;
    tr_activation_cuts(f, &bounds);
    return fmin(fmax(value, (double)bounds.low), (double)bounds.high);
}

/* ---- with constants ---- */

/* The factor of a channel. */
static double factor_of(double epsilon, double least, const tr_tensor *gamma,
                        const tr_tensor *variance, int64_t channel)
{
    const double deviation = variance == NULL ? 1.0 : sqrt(variance->values[channel] + epsilon);
    return (gamma == NULL ? 1.0 : gamma->values[channel]) / fmax(deviation, least);
}

int64_t tr_reference_normalize_forward(double epsilon, double least, tr_activation f,
                                       const tr_tensor *gamma, const tr_tensor *beta,
                                       const tr_tensor *mean, const tr_tensor *variance,
                                       const tr_tensor *src, tr_tensor *dst)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const int64_t k = i / image % c;
        const double factor = factor_of(epsilon, least, gamma, variance, k);
        const double off = mean == NULL ? 0.0 : mean->values[k];
        const double shift = beta == NULL ? 0.0 : beta->values[k];
        const double value = (src->values[i] - off) * factor + shift;
        dst->values[i] = cut(f, value);
        dst->scale[i] = (fabs(src->values[i]) + fabs(off)) * fabs(factor) + fabs(shift);
    }
    return 3;
}

int64_t tr_reference_normalize_backward(double epsilon, double least, const tr_tensor *gamma,
                                        const tr_tensor *variance, const tr_tensor *diff_dst,
                                        tr_tensor *diff_src)
{
    const int64_t c = diff_dst->dims[1], image = diff_dst->dims[2] * diff_dst->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(diff_dst); i++) {
        diff_src->values[i] =
            diff_dst->values[i] * factor_of(epsilon, least, gamma, variance, i / image % c);
        diff_src->scale[i] = fabs(diff_src->values[i]);
    }
    return 1;
}

static double number_of(const tr_reals *numbers, int64_t channel)
{
    return numbers->values[numbers->n == 1 ? 0 : channel];
}

int64_t tr_reference_scale(const tr_scaling *scaling, bool forward, const tr_tensor *from,
                           tr_tensor *to)
{
    const int64_t c = from->dims[1], image = from->dims[2] * from->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(from); i++) {
        const int64_t k = i / image % c;
        const double x = from->values[i], factor = number_of(&scaling->scale, k);
        const double mean = forward ? number_of(&scaling->mean, k) : 0.0;
        const double offset = forward ? number_of(&scaling->offset, k) : 0.0;
        to->values[i] = (x - mean) * factor + offset;
        to->scale[i] = (fabs(x) + fabs(mean)) * fabs(factor) + fabs(offset);
    }
    return 3;
}

/* ---- sums ---- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first pixel of a channel in a group: what is taken off before the channel is summed. */
static double first_of(const tr_tensor *src, int64_t sample, int64_t channel)
{
    return src->values[(sample * src->dims[1] + channel) * src->dims[2] * src->dims[3]];
}

int64_t tr_reference_sum_forward(const tr_sharing *sharing, int64_t n_samples, const tr_tensor *src,
                                 tr_tensor *sums)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    const int64_t n = smaller(n_samples, src->dims[0]);
    for (int64_t i = 0; i < n * c * image; i++) {
        const int64_t sample = i / image / c, k = i / image % c, g = sample / sharing->samples;
        const int64_t to = g * tr_forward_sums(c);
        const double x = src->values[i];
        const double size = fabs(x) + fabs(first_of(src, g * sharing->samples, k));
        sums->values[to] += k == 0 ? 1.0 : 0.0;
        sums->values[to + 1 + k] += x;
        sums->scale[to + 1 + k] += size;
        sums->values[to + 1 + c + k] += x * x;
        sums->scale[to + 1 + c + k] += size * size;
    }
    return image * smaller(n, sharing->samples);
}

/* Of element i of a tensor of that shape: which factors. */
typedef struct factors {
    double mean, scale, shift, reciprocal, lost, offset, slope;
} factors;

static factors factors_at(const tr_sharing *sharing, const tr_tensor *like, int64_t i,
                          const tr_tensor *forward, const tr_tensor *backward)
{
    const int64_t c = like->dims[1], image = like->dims[2] * like->dims[3];
    const int64_t k = i / image % c, g = i / image / c / sharing->samples;
    const int64_t padded = forward->dims[0] / TR_N_FACTORS / sharing->n_groups;
    const double *of = forward->values + g * TR_N_FACTORS * padded + k;
    factors at = {.mean = of[TR_MEAN * padded],
                  .scale = of[TR_SCALE * padded],
                  .shift = of[TR_SHIFT * padded],
                  .reciprocal = of[TR_RECIPROCAL * padded],
                  .lost = of[TR_LOST * padded]};
    if (backward != NULL) {
        at.offset = backward->values[(g * TR_N_BACK_FACTORS + TR_OFFSET) * padded + k];
        at.slope = backward->values[(g * TR_N_BACK_FACTORS + TR_SLOPE) * padded + k];
    }
    return at;
}

/* diff_dst behind f. Near its kink only the same float32 arithmetic gives the same answer. */
static double behind(tr_activation f, double x, const factors *at, double diff)
{
    tr_bounds bounds;
    tr_activation_cuts(f, &bounds);
    const float off_mean = (float)x - (float)at->mean;
    return tr_passes(off_mean, (float)at->scale, (float)at->shift, bounds) ? diff : 0.0;
}

int64_t tr_reference_sum_backward(const tr_sharing *sharing, tr_activation f, int64_t n_samples,
                                  const tr_tensor *src, const tr_tensor *forward,
                                  const tr_tensor *diff_dst, tr_tensor *sums, tr_tensor *diff_gamma,
                                  tr_tensor *diff_beta)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    const int64_t n = smaller(n_samples, src->dims[0]);
    for (int64_t i = 0; i < n * c * image; i++) {
        const int64_t k = i / image % c, g = i / image / c / sharing->samples;
        const factors at = factors_at(sharing, src, i, forward, NULL);
        const double x = src->values[i], d = behind(f, x, &at, diff_dst->values[i]);
        const double term = d * (x - at.mean - at.lost) * at.reciprocal;
        const double size = fabs(d * at.reciprocal) * (fabs(x) + fabs(at.mean) + fabs(at.lost));
        const int64_t to = g * tr_backward_sums(c);
        tr_tensor *const results[] = {sums, sums, diff_beta, diff_gamma};
        const int64_t places[] = {to + k, to + c + k, k, k};
        for (int result = 0; result < 4; result++) {
            if (results[result] == NULL)
                continue;
            results[result]->values[places[result]] += result % 2 == 0 ? d : term;
            results[result]->scale[places[result]] += result % 2 == 0 ? fabs(d) : size;
        }
    }
    return image * n;
}

/* ---- factors ---- */

static void expect(tr_tensor *tensor, int64_t i, double value)
{
    tensor->values[i] = value;
    tensor->scale[i] = fabs(value);
}

typedef struct moments {
    double mean, variance;
} moments;

static moments moments_of(const double *sums, int64_t c, int64_t first, int64_t channels)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t k = first; k < first + channels; k++) {
        sum += sums[1 + k];
        squares += sums[1 + c + k];
    }
    const double n = sums[0] * (double)channels, mean = sum / n;
    return (moments){mean, fmax(squares / n - mean * mean, 0.0)};
}

static int64_t channels_of_sums(const tr_sharing *sharing, const tr_tensor *sums)
{
    return (sums->dims[0] / sharing->n_groups - 1) / 2;
}

int64_t tr_reference_factors_forward(const tr_sharing *sharing, double epsilon,
                                     const tr_tensor *sums, const tr_tensor *gamma,
                                     const tr_tensor *beta, tr_tensor *forward)
{
    const int64_t c = channels_of_sums(sharing, sums), together = sharing->channels;
    const int64_t padded = forward->dims[0] / TR_N_FACTORS / sharing->n_groups;
    for (int64_t i = 0; i < sharing->n_groups * c; i++) {
        const int64_t k = i % c, to = i / c * TR_N_FACTORS * padded + k;
        const double *of = sums->values + i / c * tr_forward_sums(c);
        if (of[0] == 0.0)
            continue;
        const moments at = moments_of(of, c, k / together * together, together);
        const double reciprocal = 1.0 / sqrt(at.variance + epsilon);
        const double scale = (gamma == NULL ? 1.0 : gamma->values[k]) * reciprocal;
        const double lost = at.mean - (double)(float)at.mean;
        expect(forward, to + TR_MEAN * padded, at.mean);
        expect(forward, to + TR_SCALE * padded, scale);
        expect(forward, to + TR_SHIFT * padded,
               (beta == NULL ? 0.0 : beta->values[k]) - lost * scale);
        expect(forward, to + TR_LOST * padded, lost);
        expect(forward, to + TR_RECIPROCAL * padded, reciprocal);
    }
    return 1;
}

int64_t tr_reference_factors_backward(const tr_sharing *sharing, const tr_tensor *sums,
                                      const tr_tensor *back_sums, const tr_tensor *forward,
                                      tr_tensor *backward)
{
    const int64_t c = channels_of_sums(sharing, sums), together = sharing->channels;
    const int64_t padded = forward->dims[0] / TR_N_FACTORS / sharing->n_groups;
    for (int64_t i = 0; i < sharing->n_groups * c * together; i++) {
        const int64_t g = i / together / c, k = i / together % c;
        const int64_t other = k / together * together + i % together;
        const double n = sums->values[g * tr_forward_sums(c)] * (double)together;
        const double *of = forward->values + g * TR_N_FACTORS * padded;
        const double *d = back_sums->values + g * tr_backward_sums(c);
        const double offset = of[TR_SCALE * padded + other] * d[other] / n;
        const double slope =
            of[TR_SCALE * padded + other] * d[c + other] / n * of[TR_RECIPROCAL * padded + k];
        const double lost = of[TR_LOST * padded + k] * slope;
        const int64_t to = g * TR_N_BACK_FACTORS * padded + k;
        if (n <= 0.0)
            continue;
        backward->values[to + TR_OFFSET * padded] += offset - lost;
        backward->scale[to + TR_OFFSET * padded] += fabs(offset) + fabs(lost);
        backward->values[to + TR_SLOPE * padded] += slope;
        backward->scale[to + TR_SLOPE * padded] += fabs(slope);
    }
    return together;
}

/* ---- moving statistics ---- */

int64_t tr_reference_group_averages(const tr_sharing *sharing, int64_t n_samples,
                                    const tr_tensor *sums, tr_tensor *averages)
{
    const int64_t c = channels_of_sums(sharing, sums);
    for (int64_t g = 0; g * sharing->samples < n_samples && g < sharing->n_groups; g++) {
        const int64_t left = n_samples - g * sharing->samples;
        const double n = (double)(smaller(left, sharing->samples) * sharing->n_pixels);
        averages->values[0] += n;
        for (int64_t k = 0; k < c; k++) {
            const moments at = moments_of(sums->values + g * tr_forward_sums(c), c, k, 1);
            averages->values[1 + k] += n * at.mean;
            averages->scale[1 + k] += n * fabs(at.mean);
            averages->values[1 + c + k] += n * at.variance;
            averages->scale[1 + c + k] += n * at.variance;
        }
    }
    return sharing->n_groups;
}

int64_t tr_reference_moving_statistics(double momentum, bool averaged, const tr_tensor *sums,
                                       tr_tensor *mean, tr_tensor *variance)
{
    const int64_t c = mean->dims[0];
    for (int64_t k = 0; k < c; k++) {
        const moments at = moments_of(sums->values, c, k, 1);
        const double measured[] = {at.mean, averaged ? sums->values[1 + c + k] / sums->values[0]
                                                     : at.variance};
        tr_tensor *const statistics[] = {mean, variance};
        for (int i = 0; i < 2; i++) {
            const double stays = momentum * statistics[i]->values[k];
            const double comes = (1.0 - momentum) * measured[i];
            statistics[i]->values[k] = stays + comes;
            statistics[i]->scale[k] = fabs(stays) + fabs(comes);
        }
    }
    return 2;
}

/* ---- applications ---- */

int64_t tr_reference_apply_forward(const tr_sharing *sharing, tr_activation f, const tr_tensor *src,
                                   const tr_tensor *forward, tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const factors at = factors_at(sharing, src, i, forward, NULL);
        const double value = (src->values[i] - at.mean) * at.scale + at.shift;
        dst->values[i] = cut(f, value);
        dst->scale[i] = (fabs(src->values[i]) + fabs(at.mean)) * fabs(at.scale) + fabs(at.shift);
    }
    return 3;
}

int64_t tr_reference_apply_backward(const tr_sharing *sharing, tr_activation f, int64_t n_samples,
                                    const tr_tensor *src, const tr_tensor *forward,
                                    const tr_tensor *diff_dst, const tr_tensor *backward,
                                    tr_tensor *diff_src)
{
    const int64_t n = smaller(n_samples, src->dims[0]);
    for (int64_t i = 0; i < n * (tr_tensor_elements(src) / src->dims[0]); i++) {
        const factors at = factors_at(sharing, src, i, forward, backward);
        const double x = src->values[i], d = behind(f, x, &at, diff_dst->values[i]);
        diff_src->values[i] = at.scale * d - at.offset - (x - at.mean) * at.slope;
        diff_src->scale[i] =
            fabs(at.scale * d) + fabs(at.offset) + (fabs(x) + fabs(at.mean)) * fabs(at.slope);
    }
    return 4;
}
