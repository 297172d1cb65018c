/* softmax.c -- softmax over the channels and its gradient, in plain C; see primitives.h.
 *
 *     softmax      y = exp(x - max) / sum exp(x - max),        dx = y (dy - sum dy y)
 *     log_softmax  y = x - max - log(sum exp(x - max)),        dx = dy - exp(y) sum dy
 *
 * oneDNN 2.6 has nothing but reference kernels for it under AVX2, which take nearly all of a step,
 * and a wrong one for padded channels. On plain layouts a position's channels are neighbours: a
 * row. Sums are in double, in a fixed order. A row with a NaN or an infinity is all NaN, as
 * TensorFlow's.
 */
#include <math.h>
#include <string.h>

#include "elementary_math.h"
#include "mem.h"
#include "pixels.h"
#include "simd.h"

typedef struct plan {
    int64_t rows, c;
    bool log;
    tr_precision type;
} plan;

enum { TILE = 1024 }; /* elements: of several rows, or a part of one */

/* exp(x) for x <= 0 to 2 units of the last place; what float32 has no normal number for is 0, a NaN
 * stays one. x = n log 2 + r, exp(r) by a polynomial (Cephes's), 2^n by its bits; n is found by
 * adding a number whose last place is 1. */
static inline float exp_of_negative(float x)
{
    const float lowest = -87.0f, shift = 0x1.8p23f;
    const float at = x < lowest ? lowest : x;
    const float shifted = at * 1.44269504088896341f + shift, n = shifted - shift;
    const float r = (at - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits;
    float power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23; /* the bits of `shift` above n are shifted out */
    memcpy(&power, &bits, sizeof power);
    return x < lowest ? 0.0f : p * power;
}

/* ---- rows in float32; maxima and sums in LANES interleaved parts ---- */

enum { LANES = 8 };

/* Of a NaN and a number, the NaN. */
static inline float larger(float a, float b)
{
    return a >= b || a != a ? a : b;
}

static inline float row_max(const float *row, int64_t c)
{
    float lanes[LANES];
    int64_t k = 0;
    if (c < LANES) {
        float max = row[0];
        for (k = 1; k < c; k++)
            max = larger(max, row[k]);
        return max;
    }
    for (int j = 0; j < LANES; j++)
        lanes[j] = row[0];
    for (; k + LANES <= c; k += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] = larger(lanes[j], row[k + j]);
    for (int j = 0; k < c; k++, j++)
        lanes[j] = larger(lanes[j], row[k]);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++)
            lanes[j] = larger(lanes[j], lanes[j + width]);
    return lanes[0];
}

static inline double row_dot(const float *a, const float *b, int64_t c)
{
    double lanes[LANES] = {0};
    int64_t k = 0;
    for (; k + LANES <= c; k += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += (double)a[k + j] * (double)b[k + j];
    for (int j = 0; k < c; k++, j++)
        lanes[j] += (double)a[k] * (double)b[k];
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

static inline double row_sum(const float *row, int64_t c)
{
    double lanes[LANES] = {0};
    int64_t k = 0;
    if (c < LANES) {
        for (; k < c; k++)
            lanes[0] += (double)row[k];
        return lanes[0];
    }
    for (; k + LANES <= c; k += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += (double)row[k + j];
    for (int j = 0; k < c; k++, j++)
        lanes[j] += (double)row[k];
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

TR_SIMD_CLONES
static void forward_rows(float *values, int64_t rows, int64_t c)
{
    for (int64_t i = 0; i < rows; i++) {
        const float max = row_max(values + i * c, c);
        for (int64_t k = 0; k < c; k++)
            values[i * c + k] -= max;
    }
    for (int64_t k = 0; k < rows * c; k++)
        values[k] = exp_of_negative(values[k]);
    for (int64_t i = 0; i < rows; i++) {
        const float scale = (float)(1.0 / row_sum(values + i * c, c));
        for (int64_t k = 0; k < c; k++)
            values[i * c + k] *= scale;
    }
}

/* dx over dy. */
TR_SIMD_CLONES
static void backward_rows(const float *restrict y, float *restrict dy, int64_t rows, int64_t c)
{
    for (int64_t i = 0; i < rows; i++, y += c, dy += c) {
        const double sum = row_dot(y, dy, c);
        for (int64_t k = 0; k < c; k++)
            dy[k] = y[k] * (float)((double)dy[k] - sum);
    }
}

/* `room`: c floats. The logarithm that a training depends on is ours (base/elementary_math.h). */
static void log_forward_rows(float *values, int64_t rows, int64_t c, float *room)
{
    for (int64_t i = 0; i < rows; i++, values += c) {
        const float max = row_max(values, c);
        for (int64_t k = 0; k < c; k++) {
            values[k] -= max;
            room[k] = exp_of_negative(values[k]);
        }
        const float log_sum = (float)tr_log(row_sum(room, c));
        for (int64_t k = 0; k < c; k++)
            values[k] -= log_sum;
    }
}

/* dx over dy, likewise. */
static void log_backward_rows(const float *restrict y, float *restrict dy, int64_t rows, int64_t c)
{
    for (int64_t i = 0; i < rows; i++, y += c, dy += c) {
        const double sum = row_sum(dy, c);
        for (int64_t k = 0; k < c; k++)
            dy[k] = (float)((double)dy[k] - (double)exp_of_negative(y[k]) * sum);
    }
}

/* ---- running: tile after tile of rows ---- */

static int64_t tile_rows(const plan *self)
{
    return self->c >= TILE ? 1 : TILE / self->c;
}

/* Reads n numbers into float32. */
static void read_tile(const plan *self, const void *memory, int64_t at, int64_t n, float *out)
{
    const tr_pixels numbers = {.h = n, .w = 1, .run = 1, .step_pixel = 1, .type = self->type};
    const tr_pixel_block block = tr_pixels_read(memory, &numbers, at, 0, n, out);
    if (block.values != out)
        memcpy(out, block.values, (size_t)n * sizeof *out);
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float *values = scratch;
    const int64_t tile = tile_rows(self), c = self->c;
    for (int64_t i = 0; i < self->rows; i += tile) {
        const int64_t rows = self->rows - i < tile ? self->rows - i : tile;
        read_tile(self, data[0], i * c, rows * c, values);
        if (self->log)
            log_forward_rows(values, rows, c, values + tile * c);
        else
            forward_rows(values, rows, c);
        tr_pixels_write(values, rows * c, self->type, tr_element(data[1], self->type, i * c));
    }
}

/* data: dst, diff_dst, diff_src */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const int64_t tile = tile_rows(self), c = self->c;
    float *y = scratch, *diff = y + tile * c;
    for (int64_t i = 0; i < self->rows; i += tile) {
        const int64_t rows = self->rows - i < tile ? self->rows - i : tile;
        read_tile(self, data[0], i * c, rows * c, y);
        read_tile(self, data[1], i * c, rows * c, diff);
        if (self->log)
            log_backward_rows(y, diff, rows, c);
        else
            backward_rows(y, diff, rows, c);
        tr_pixels_write(diff, rows * c, self->type, tr_element(data[2], self->type, i * c));
    }
}

/* ---- planning ---- */

static tr_native native_of(tr_activation activation, tr_layout layout, bool forward)
{
    int64_t d[4] = {1, 1, 1, 1};
    const bool image = tr_layout_dims(layout, d) == 4;
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return (tr_native){0};
    *self = (plan){.rows = d[0] * (image ? d[2] * d[3] : 1),
                   .c = d[1],
                   .log = activation.name == TR_LOG_SOFTMAX,
                   .type = tr_layout_type(layout)};
    return (tr_native){.run = forward ? run_forward : run_backward,
                       .plan = self,
                       .scratch_bytes = (size_t)(2 * tile_rows(self) * self->c) * sizeof(float)};
}

tr_status tr_softmax_forward(tr_program *program, tr_activation activation, tr_value src,
                             tr_value *dst, tr_error *err)
{
    const tr_layout layout = tr_layout_plain(program->dnn, tr_program_layout(program, src));
    TR_TRY(tr_program_reorder(program, src, layout, &src, err));
    const tr_value out = tr_program_value(program, layout);
    const tr_native native = native_of(activation, layout, true);
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_SOFTMAX, .direction = TR_DIR_FORWARD, .activation = activation};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_softmax_backward(tr_program *program, tr_activation activation, tr_value dst,
                              tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, dst);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    const tr_value out = tr_program_value(program, layout);
    const tr_native native = native_of(activation, layout, false);
    const tr_arg args[] = {
        {DNNL_ARG_DST, dst}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_SOFTMAX, .direction = TR_DIR_BACKWARD_DATA, .activation = activation};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
