/* affine.c -- images sampled at the places of a map: flips, shifts, turns, zooms; see primitives.h.
 *
 * In each of two directions a place has two taps, its neighbours, and weights that sum to 1:
 *
 *     dst = wy0 (wx0 s[y0,x0] + wx1 s[y0,x1]) + wy1 (wx0 s[y1,x0] + wx1 s[y1,x1])
 *
 * in float32, as written; the nearest pixel alone where that is wanted. What lies beyond the rim is
 * settled before the sum: a number is a rim around a copy of the image, one pixel wide, and the
 * other modes only name pixels that exist. Where columns depend on columns alone (no turn, no
 * shear) taps are found once an image, and a row of the source is blended once for both rows of the
 * result that take it: the same operations on the same numbers, so the same bits.
 *
 * Backward adds each gradient to its taps, in double and in order; forward leaves the maps for it.
 */
#include "affine.h"

#include <string.h>

#include "mem.h"
#include "simd.h"

typedef struct plan {
    tr_sampling how;
    int64_t n, h, w, c; /* of the source */
} plan;

/* ---- maps ---- */

tr_affine tr_sampling_map(const tr_sampling *how, const tr_draw *draw, int64_t i)
{
    float chances[TR_N_CHANCES] = {0};
    tr_affine map;
    if (how->random)
        tr_chances_of(draw, how->layer, i, chances);
    how->map(how->settings, chances, &map);
    return map;
}

/* ---- taps ---- */

/* What an image is sampled from: its rows and columns, and the memory for its taps. */
typedef struct sampled {
    tr_axis rows, columns;
    tr_taps across, down;
    float *rest; /* of the scratch memory */
} sampled;

/* Pixels of the rim on each side. */
static int64_t rim(const plan *self)
{
    return self->how.fill_mode == TR_FILL_CONSTANT;
}

static int64_t frame_elements(const plan *self)
{
    return (self->h + 2 * rim(self)) * (self->w + 2 * rim(self)) * self->c;
}

/* Taps of a line as long as a row or a column of the result, and two rows of it. */
static int64_t scratch_elements(const plan *self)
{
    const int64_t h = self->how.out[0], w = self->how.out[1];
    return 8 * (h > w ? h : w) + 2 * w * self->c;
}

static sampled arrange(const plan *self, float *scratch)
{
    const int64_t h = self->how.out[0], w = self->how.out[1], n = h > w ? h : w;
    const int32_t around = (int32_t)rim(self), c = (int32_t)self->c;
    const int32_t height = (int32_t)self->h, width = (int32_t)self->w;
    sampled on = {
        .columns = {self->w, around, width - 1 + 2 * around, c},
        .rows = {self->h, around, height - 1 + 2 * around, c * (width + 2 * around)},
    };
    tr_taps *const both[2] = {&on.across, &on.down};
    for (int k = 0; k < 2; k++, scratch += 4 * n)
        *both[k] = (tr_taps){(int32_t *)(void *)scratch, (int32_t *)(void *)(scratch + n),
                             scratch + 2 * n, scratch + 3 * n};
    on.rest = scratch;
    return on;
}

/* Both taps of each pixel of row y. */
static void place_row(const plan *self, const sampled *on, const tr_affine *map, int64_t y)
{
    const int64_t w = self->how.out[1];
    tr_place_line(&self->how, &on->columns, map->a, map->b * (float)y, map->c, w, &on->across);
    tr_place_line(&self->how, &on->rows, map->d, map->e * (float)y, map->f, w, &on->down);
}

/* ---- forward ---- */

TR_SIMD_CLONES
static void pick(const float *restrict row, const int32_t *restrict at, int64_t n, int64_t c,
                 float *restrict dst)
{
    if (c == 1) {
        for (int64_t i = 0; i < n; i++)
            dst[i] = row[at[i]];
        return;
    }
    for (int64_t i = 0; i < n; i++, dst += c)
        for (int64_t k = 0; k < c; k++)
            dst[k] = row[at[i] + k];
}

TR_SIMD_CLONES
static void blend_columns(const float *restrict row, const tr_taps *across, int64_t n, int64_t c,
                          float *restrict dst)
{
    const int32_t *restrict x0 = across->first, *restrict x1 = across->second;
    const float *restrict w0 = across->w0, *restrict w1 = across->w1;
    if (c == 1) {
        for (int64_t i = 0; i < n; i++)
            dst[i] = w0[i] * row[x0[i]] + w1[i] * row[x1[i]];
        return;
    }
    for (int64_t i = 0; i < n; i++, dst += c)
        for (int64_t k = 0; k < c; k++)
            dst[k] = w0[i] * row[x0[i] + k] + w1[i] * row[x1[i] + k];
}

TR_SIMD_CLONES
static void blend_rows(const float *restrict upper, const float *restrict lower, float w0, float w1,
                       int64_t n, float *restrict dst)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = w0 * upper[i] + w1 * lower[i];
}

/* Columns that depend on columns alone, rows on rows. */
static void sample_straight(const plan *self, const sampled *on, const tr_affine *map,
                            const float *pixels, float *dst)
{
    const int64_t h = self->how.out[0], w = self->how.out[1], c = self->c;
    float *blended[2] = {on->rest, on->rest + w * c};
    int64_t held[2] = {-1, -1}; /* of which rows of the source those are */
    tr_place_line(&self->how, &on->columns, map->a, 0.0f, map->c, w, &on->across);
    tr_place_line(&self->how, &on->rows, map->e, 0.0f, map->f, h, &on->down);
    for (int64_t y = 0; y < h; y++, dst += w * c) {
        const int64_t rows[2] = {on->down.first[y], on->down.second[y]};
        if (!self->how.bilinear) {
            pick(pixels + rows[0], on->across.first, w, c, dst);
            continue;
        }
        if (held[1] == rows[0] || held[0] == rows[1]) {
            float *const other = blended[0];
            const int64_t row = held[0];
            blended[0] = blended[1];
            blended[1] = other;
            held[0] = held[1];
            held[1] = row;
        }
        for (int k = 0; k < 2; k++)
            if (held[k] != rows[k]) {
                blend_columns(pixels + rows[k], &on->across, w, c, blended[k]);
                held[k] = rows[k];
            }
        blend_rows(blended[0], blended[1], on->down.w0[y], on->down.w1[y], w * c, dst);
    }
}

TR_SIMD_CLONES
static void blend_row(const float *restrict pixels, const tr_taps *across, const tr_taps *down,
                      int64_t n, int64_t c, float *restrict dst)
{
    const int32_t *restrict x0 = across->first, *restrict x1 = across->second;
    const int32_t *restrict y0 = down->first, *restrict y1 = down->second;
    const float *restrict wx0 = across->w0, *restrict wx1 = across->w1;
    const float *restrict wy0 = down->w0, *restrict wy1 = down->w1;
    if (c == 1) {
        for (int64_t i = 0; i < n; i++) {
            const float upper = wx0[i] * pixels[y0[i] + x0[i]] + wx1[i] * pixels[y0[i] + x1[i]];
            const float lower = wx0[i] * pixels[y1[i] + x0[i]] + wx1[i] * pixels[y1[i] + x1[i]];
            dst[i] = wy0[i] * upper + wy1[i] * lower;
        }
        return;
    }
    for (int64_t i = 0; i < n; i++, dst += c)
        for (int64_t k = 0; k < c; k++) {
            const float *upper = pixels + y0[i] + k, *lower = pixels + y1[i] + k;
            dst[k] = wy0[i] * (wx0[i] * upper[x0[i]] + wx1[i] * upper[x1[i]]) +
                     wy1[i] * (wx0[i] * lower[x0[i]] + wx1[i] * lower[x1[i]]);
        }
}

static void pick_row(const float *pixels, const sampled *on, int64_t n, int64_t c, float *dst)
{
    int32_t *const at = on->across.first;
    for (int64_t i = 0; i < n; i++)
        at[i] += on->down.first[i];
    pick(pixels, at, n, c, dst);
}

/* The image with its rim of fill_value. */
static void make_frame(const plan *self, const float *src, float *frame)
{
    const int64_t row = self->w * self->c, wide = row + 2 * self->c;
    const float value = (float)self->how.fill_value;
    for (int64_t i = 0; i < wide; i++)
        frame[i] = frame[(self->h + 1) * wide + i] = value;
    for (int64_t y = 0; y < self->h; y++, src += row) {
        float *to = frame + (y + 1) * wide;
        for (int64_t k = 0; k < self->c; k++)
            to[k] = to[self->c + row + k] = value;
        memcpy(to + self->c, src, (size_t)row * sizeof *to);
    }
}

static void sample(const plan *self, const tr_affine *map, const float *src, float *dst,
                   float *scratch)
{
    const int64_t h = self->how.out[0], w = self->how.out[1], c = self->c;
    const sampled on = arrange(self, scratch);
    const float *pixels = src;
    if (rim(self) > 0) {
        float *frame = scratch + scratch_elements(self);
        make_frame(self, src, frame);
        pixels = frame;
    }
    if (map->b == 0.0f && map->d == 0.0f) {
        sample_straight(self, &on, map, pixels, dst);
        return;
    }
    for (int64_t y = 0; y < h; y++) {
        place_row(self, &on, map, y);
        if (self->how.bilinear)
            blend_row(pixels, &on.across, &on.down, w, c, dst + y * w * c);
        else
            pick_row(pixels, &on, w, c, dst + y * w * c);
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const int64_t in = self->h * self->w * self->c;
    const int64_t out = self->how.out[0] * self->how.out[1] * self->c;
    tr_affine *maps = data[2];
    const float *src = data[0];
    float *dst = data[1];
    for (int64_t i = 0; i < self->n; i++) {
        if (self->how.random && i >= draw->n) { /* padding of a short micro-batch */
            memset(dst + i * out, 0, (size_t)out * sizeof *dst);
            maps[i] = (tr_affine){0};
            continue;
        }
        maps[i] = tr_sampling_map(&self->how, draw, i);
        sample(self, &maps[i], src + i * in, dst + i * out, scratch);
    }
}

/* ---- backward ---- */

static void spread_row(const sampled *on, bool bilinear, int64_t n, int64_t c, const float *diff,
                       double *sums)
{
    const tr_taps *across = &on->across, *down = &on->down;
    for (int64_t i = 0; i < n; i++, diff += c) {
        const int32_t at[4] = {
            down->first[i] + across->first[i], down->first[i] + across->second[i],
            down->second[i] + across->first[i], down->second[i] + across->second[i]};
        const double x[2] = {(double)across->w0[i], (double)across->w1[i]};
        const double y[2] = {(double)down->w0[i], (double)down->w1[i]};
        for (int k = 0; k < (bilinear ? 4 : 1); k++) {
            const double weight = bilinear ? y[k / 2] * x[k % 2] : 1.0;
            for (int64_t channel = 0; channel < c; channel++)
                sums[at[k] + channel] += weight * (double)diff[channel];
        }
    }
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const int64_t h = self->how.out[0], w = self->how.out[1], c = self->c, row = self->w * c;
    const int64_t wide = row + 2 * rim(self) * c, n = frame_elements(self);
    const tr_affine *maps = data[2];
    const float *diff_dst = data[0];
    float *diff_src = data[1];
    double *sums = scratch;
    const sampled on = arrange(self, (float *)(void *)(sums + n));
    for (int64_t i = 0; i < self->n; i++) {
        memset(sums, 0, (size_t)n * sizeof *sums);
        for (int64_t y = 0; y < h; y++, diff_dst += w * c) {
            place_row(self, &on, &maps[i], y);
            spread_row(&on, self->how.bilinear, w, c, diff_dst, sums);
        }
        for (int64_t y = 0; y < self->h; y++, diff_src += row)
            for (int64_t k = 0; k < row; k++)
                diff_src[k] = (float)sums[(y + rim(self)) * wide + rim(self) * c + k];
    }
}

/* ---- planning ---- */

static plan *new_plan(const tr_sampling *how, const int64_t dims[4])
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.how = *how, .n = dims[0], .h = dims[2], .w = dims[3], .c = dims[1]};
    return self;
}

/* Of both directions. `dims`: of the source. */
static tr_status add(tr_program *program, const tr_sampling *how, bool forward,
                     const int64_t dims[4], const tr_arg *args, tr_error *err)
{
    tr_native native = {.run = forward ? run_forward : run_backward, .plan = new_plan(how, dims)};
    const plan *self = native.plan;
    const tr_meaning meaning = {.kind = TR_KIND_SAMPLING,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .sampling = *how};
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const size_t frame = (size_t)frame_elements(self);
    native.scratch_bytes = (size_t)scratch_elements(self) * sizeof(float) +
                           (forward ? frame * sizeof(float) : frame * sizeof(double));
    return tr_program_add_native(program, &native, &meaning, args, 3, err);
}

tr_status tr_sample_forward(tr_program *program, const tr_sampling *how, tr_value src,
                            tr_value *dst, tr_value *maps, tr_error *err)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, src), d);
    if ((double)(d[2] + 2) * (double)(d[3] + 2) * (double)d[1] > (double)INT32_MAX)
        return tr_fail(err, TR_ERR_CONFIG,
                       "layer %s: images of %lld x %lld x %lld are too large for it",
                       program->layer, (long long)d[2], (long long)d[3], (long long)d[1]);
    TR_TRY(tr_as_plain_images(program, &src, err));
    *dst = tr_program_value(program, tr_plain_images(program, src, how->out[0], how->out[1]));
    *maps = tr_for_each_sample(program, src, sizeof(tr_affine));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, *dst}, {DNNL_ARG_WORKSPACE, *maps}};
    return add(program, how, true, d, args, err);
}

tr_status tr_sample_backward(tr_program *program, const tr_sampling *how, tr_value src,
                             tr_value maps, tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, src), d);
    TR_TRY(tr_as_plain_images(program, &diff_dst, err));
    *diff_src = tr_program_value(program, tr_plain_images(program, src, d[2], d[3]));
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, *diff_src}, {DNNL_ARG_WORKSPACE, maps}};
    return add(program, how, false, d, args, err);
}
