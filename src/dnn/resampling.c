/* resampling.c -- an image made larger by whole factors, and back, in plain C; see primitives.h.
 *
 *     to[y,x] = sum over i, j of weight(y,i) weight(x,j) from[i,j]
 *
 * Forward and backward are the same sum: the gradient of a small image's pixel takes part of each
 * pixel of the large one that it went into. So both are a table of weights per axis, and one loop:
 * row after row, column after column, in double. Between channels-last images.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "pixels.h"
#include "simd.h"

/* Along one axis: to[o] takes from[first], ... with so many weights. */
typedef struct taps {
    int64_t first, n;
    double *weights;
} taps;

typedef struct plan {
    int64_t images, in[2], out[2], c;
    tr_precision type;
    taps *axes[2]; /* [out] each; they and their weights lie behind the plan */
} plan;

/* ---- weights ---- */

/* What pixel `small` of an axis with n pixels gives to pixel `large` of the one that is `size`
 * times as long. */
static double weight(const tr_resampling *how, int axis, int64_t n, int64_t small, int64_t large)
{
    const int64_t size = how->size[axis];
    if (!how->bilinear)
        return large / size == small ? 1.0 : 0.0;
    double place = ((double)large + 0.5) / (double)size - 0.5;
    place = fmin(fmax(place, 0.0), (double)(n - 1));
    return fmax(0.0, 1.0 - fabs(place - (double)small));
}

/* At most so many pixels of the source go into one of the result. */
static int64_t most_taps(const tr_resampling *how, int axis, bool forward)
{
    return forward ? 2 : 2 * how->size[axis] + 2;
}

static void make_taps(const tr_resampling *how, int axis, bool forward, int64_t in, int64_t o,
                      taps *to)
{
    const int64_t size = how->size[axis], n = forward ? in : in / size;
    int64_t first = forward ? (o - size / 2) / size - 1 : (o - 1) * size, end;
    first = first < 0 ? 0 : first;
    end = forward ? first + 4 : (o + 2) * size;
    end = end > in ? in : end;
    to->n = 0;
    for (int64_t i = first; i < end; i++) {
        const double w = weight(how, axis, n, forward ? i : o, forward ? o : i);
        if (w == 0.0)
            continue; /* of those that count, none lies between */
        if (to->n == 0)
            to->first = i;
        to->weights[to->n++] = w;
    }
}

static plan *new_plan(const tr_resampling *how, bool forward, const int64_t dims[4],
                      const int64_t out[2], tr_precision type)
{
    const int64_t h = most_taps(how, 0, forward), w = most_taps(how, 1, forward);
    plan *self = tr_alloc(1, sizeof *self + (size_t)(out[0] + out[1]) * sizeof(taps) +
                                 (size_t)(out[0] * h + out[1] * w) * sizeof(double));
    if (self == NULL)
        return NULL;
    *self = (plan){.images = dims[0],
                   .in = {dims[2], dims[3]},
                   .out = {out[0], out[1]},
                   .c = dims[1],
                   .type = type};
    taps *rows = (taps *)(void *)(self + 1);
    double *weights = (double *)(void *)(rows + out[0] + out[1]);
    for (int axis = 0; axis < 2; axis++) {
        self->axes[axis] = rows;
        for (int64_t o = 0; o < out[axis]; o++, rows++) {
            rows->weights = weights;
            weights += axis == 0 ? h : w;
            make_taps(how, axis, forward, self->in[axis], o, rows);
        }
    }
    return self;
}

/* ---- running ---- */

TR_SIMD_CLONES
static void add_share(const float *restrict values, double share, int64_t n, double *restrict sums)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] += share * (double)values[i];
}

/* One pixel of the result: its sums. */
static void add_up(const plan *self, const void *image, const taps *y, const taps *x, double *sums)
{
    const int64_t c = self->c;
    memset(sums, 0, (size_t)c * sizeof *sums);
    for (int64_t i = 0; i < y->n; i++)
        for (int64_t j = 0; j < x->n; j++) {
            const double share = y->weights[i] * x->weights[j];
            const int64_t at = ((y->first + i) * self->in[1] + x->first + j) * c;
            if (self->type == TR_FLOAT32)
                add_share((const float *)image + at, share, c, sums);
            else
                tr_pixels_add_share(tr_element(image, self->type, at), self->type, c, share, sums);
        }
}

static bool is_copy(const taps *y, const taps *x)
{
    return y->n == 1 && x->n == 1 && y->weights[0] * x->weights[0] == 1.0;
}

static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const int64_t c = self->c, in = self->in[0] * self->in[1] * c;
    const size_t item = self->type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    unsigned char *to = data[1];
    for (int64_t i = 0; i < self->images; i++) {
        const void *image = tr_element(data[0], self->type, i * in);
        for (int64_t y = 0; y < self->out[0]; y++)
            for (int64_t x = 0; x < self->out[1]; x++, to += (size_t)c * item) {
                const taps *rows = &self->axes[0][y], *columns = &self->axes[1][x];
                const int64_t at = (rows->first * self->in[1] + columns->first) * c;
                if (is_copy(rows, columns)) {
                    memcpy(to, tr_element(image, self->type, at), (size_t)c * item);
                    continue;
                }
                add_up(self, image, rows, columns, scratch);
                tr_pixels_store(scratch, c, self->type, to);
            }
    }
}

/* ---- planning ---- */

static tr_status resample(tr_program *program, const tr_resampling *how, bool forward,
                          tr_value from, tr_value *to, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, from);
    const int64_t *size = how->size;
    const tr_precision type = tr_layout_type(own);
    int64_t d[4];
    tr_layout_dims(own, d);
    TR_TRY(
        tr_program_reorder(program, from, tr_layout_channels_last(program->dnn, own), &from, err));
    const int64_t out[2] = {forward ? d[2] * size[0] : d[2] / size[0],
                            forward ? d[3] * size[1] : d[3] / size[1]};
    const tr_layout any =
        tr_layout_any(program->dnn, type, 4, (int64_t[]){d[0], d[1], out[0], out[1]});
    const tr_value result =
        tr_program_value(program, any == NULL ? NULL : tr_layout_channels_last(program->dnn, any));
    const tr_native native = {.run = run,
                              .plan = new_plan(how, forward, d, out, type),
                              .scratch_bytes = (size_t)d[1] * sizeof(double)};
    const tr_arg args[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, from},
                           {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, result}};
    const tr_meaning meaning = {.kind = TR_KIND_RESAMPLING,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .resampling = *how};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *to = result;
    return TR_OK;
}

tr_status tr_resample_forward(tr_program *program, const tr_resampling *how, tr_value src,
                              tr_value *dst, tr_error *err)
{
    return resample(program, how, true, src, dst, err);
}

tr_status tr_resample_backward(tr_program *program, const tr_resampling *how, tr_value diff_dst,
                               tr_value *diff_src, tr_error *err)
{
    return resample(program, how, false, diff_dst, diff_src, err);
}
