/* pixels.c -- see pixels.h. */
#include "pixels.h"

#include <string.h>

#include "bfloat16.h"
#include "mem.h"
#include "simd.h"

bool tr_pixels_of(tr_layout layout, tr_pixels *pixels)
{
    tr_blocking b;
    if (!tr_md_blocking(tr_layout_md(layout), &b) || b.n_inner > 1 ||
        (b.n_inner == 1 && b.inner_dim[0] != 1))
        return false;
    const bool image = b.n_dims == 4, together = b.strides[1] == 1 || b.dims[1] == 1;
    *pixels = (tr_pixels){.n = b.dims[0],
                          .c = b.dims[1],
                          .h = image ? b.dims[2] : 1,
                          .w = image ? b.dims[3] : 1,
                          .run = b.n_inner == 1 ? b.inner_size[0]
                                 : together     ? b.dims[1]
                                                : 1,
                          .step_sample = b.strides[0],
                          .step_run = b.n_inner == 0 && together ? 0 : b.strides[1],
                          .type = tr_layout_type(layout)};
    pixels->step_pixel = !image ? 0 : pixels->w > 1 ? b.strides[3] : b.strides[2];
    pixels->n_runs = (pixels->c + pixels->run - 1) / pixels->run;
    pixels->n_memory = pixels->n * pixels->step_sample;
    const bool even = pixels->h == 1 || pixels->w == 1 || b.strides[2] == pixels->w * b.strides[3];
    const size_t item = pixels->type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    return even && (size_t)pixels->n_memory * item == tr_layout_bytes(layout);
}

tr_status tr_pixels_walkable(tr_program *program, tr_value *value, tr_pixels *pixels, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, *value);
    if (tr_pixels_of(layout, pixels))
        return TR_OK;
    const tr_layout plain = tr_layout_plain(program->dnn, layout);
    TR_TRY(tr_program_reorder(program, *value, plain, value, err));
    tr_pixels_of(plain, pixels);
    return TR_OK;
}

/* ---- sums ---- */

enum { TREE = 8, NARROW = 16 };

TR_SIMD_CLONES
static void add_float32(const float *restrict src, int64_t count, int64_t step, int64_t run,
                        double *restrict sums)
{
    int64_t p = 0;
    for (; p + TREE <= count; p += TREE) {
        const float *restrict a = src + p * step, *restrict b = a + step, *restrict c = b + step,
                              *restrict d = c + step, *restrict e = d + step,
                              *restrict f = e + step, *restrict g = f + step,
                              *restrict h = g + step;
        for (int64_t k = 0; k < run; k++)
            sums[k] += (double)(((a[k] + b[k]) + (c[k] + d[k])) + ((e[k] + f[k]) + (g[k] + h[k])));
    }
    for (; p < count; p++)
        for (int64_t k = 0; k < run; k++)
            sums[k] += (double)src[p * step + k];
}

TR_SIMD_CLONES
static void add_bfloat16(const uint16_t *restrict src, int64_t count, int64_t step, int64_t run,
                         double *restrict sums)
{
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++)
            sums[k] += (double)tr_from_bfloat16(src[p * step + k]);
}

static void add(const void *src, tr_precision type, int64_t count, int64_t step, int64_t run,
                double *sums)
{
    if (type == TR_FLOAT32)
        add_float32(src, count, step, run, sums);
    else
        add_bfloat16(src, count, step, run, sums);
}

/* Few channels fill no vector: there sixteen neighbouring pixels are summed as if they were one. */
void tr_pixels_add(const void *src, tr_precision type, int64_t count, int64_t step, int64_t run,
                   double *sums)
{
    int64_t done = 0;
    if (run < NARROW && step == run && count >= NARROW * TREE) {
        double wide[NARROW * NARROW] = {0};
        done = count / NARROW * NARROW;
        add(src, type, done / NARROW, NARROW * run, NARROW * run, wide);
        for (int64_t k = 0; k < NARROW * run; k++)
            sums[k % run] += wide[k];
    }
    add(tr_element(src, type, done * step), type, count - done, step, run, sums);
}

void tr_pixels_add_share(const void *src, tr_precision type, int64_t run, double share,
                         double *sums)
{
    const float *floats = src;
    const uint16_t *halves = src;
    for (int64_t k = 0; k < run; k++)
        sums[k] += share * (double)(type == TR_FLOAT32 ? floats[k] : tr_from_bfloat16(halves[k]));
}

void tr_pixels_store(const double *values, int64_t n, tr_precision type, void *dst)
{
    for (int64_t i = 0; i < n; i++)
        if (type == TR_FLOAT32)
            ((float *)dst)[i] = (float)values[i];
        else
            ((uint16_t *)dst)[i] = tr_to_bfloat16((float)values[i]);
}

/* ---- other than sums ---- */

TR_SIMD_CLONES
static void widen(const uint16_t *restrict halves, int64_t n, float *restrict values)
{
    for (int64_t i = 0; i < n; i++)
        values[i] = tr_from_bfloat16(halves[i]);
}

TR_SIMD_CLONES
static void narrow(const float *restrict values, int64_t n, uint16_t *restrict halves)
{
    for (int64_t i = 0; i < n; i++)
        halves[i] = tr_to_bfloat16(values[i]);
}

tr_pixel_block tr_pixels_read(const void *memory, const tr_pixels *at, int64_t begin, int64_t first,
                              int64_t count, float *room)
{
    const int64_t left = at->h * at->w - first, n = left < count ? left : count;
    const void *src = tr_element(memory, at->type, begin + first * at->step_pixel);
    if (at->type == TR_FLOAT32)
        return (tr_pixel_block){.values = src, .count = n, .step = at->step_pixel};
    const bool dense = at->step_pixel == at->run;
    for (int64_t p = 0; p < (dense ? 1 : n); p++)
        widen((const uint16_t *)src + p * at->step_pixel, dense ? n * at->run : at->run,
              room + p * at->run);
    return (tr_pixel_block){.values = room, .count = n, .step = at->run};
}

void tr_pixels_write(const float *values, int64_t n, tr_precision type, void *dst)
{
    if (type == TR_FLOAT32)
        memcpy(dst, values, (size_t)n * sizeof *values);
    else
        narrow(values, n, dst);
}

/* ---- the gradient of a bias, and of a factor ---- */

static void run_channel_sums(const void *plan, const tr_draw *draw, void *const *data,
                             void *scratch)
{
    (void)draw;
    const tr_pixels *at = plan;
    double *sums = scratch;
    memset(sums, 0, (size_t)(at->n_runs * at->run) * sizeof *sums);
    for (int64_t r = 0; r < at->n_runs; r++)
        for (int64_t i = 0; i < at->n; i++)
            tr_pixels_add(tr_element(data[0], at->type, i * at->step_sample + r * at->step_run),
                          at->type, at->h * at->w, at->step_pixel, at->run, sums + r * at->run);
    tr_pixels_store(sums, at->c, TR_FLOAT32, data[1]);
}

tr_status tr_channel_sums(tr_program *program, tr_value src, tr_value to, tr_error *err)
{
    tr_pixels *at = tr_alloc(1, sizeof *at);
    if (at == NULL)
        return tr_out_of_memory(err, program->layer);
    const tr_status status = tr_pixels_walkable(program, &src, at, err);
    if (status != TR_OK) {
        tr_free(at);
        return status;
    }
    if (at->h * at->w == 1 && at->n_runs == 1) { /* vectors: each sample is a pixel */
        at->h = at->n;
        at->step_pixel = at->step_sample;
        at->n = 1;
    }
    const tr_native native = {.run = run_channel_sums,
                              .plan = at,
                              .scratch_bytes = (size_t)(at->n_runs * at->run) * sizeof(double)};
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, src}, {DNNL_ARG_DIFF_BIAS, to}};
    const tr_meaning meaning = {.kind = TR_KIND_CHANNEL_SUMS, .direction = TR_DIR_BACKWARD_WEIGHTS};
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}

tr_status tr_channel_products(tr_program *program, tr_value src, tr_value diff_dst,
                              const tr_param *gamma, tr_error *err)
{
    const tr_value both[] = {src, diff_dst};
    tr_value product;
    TR_TRY(tr_merge_forward(program, TR_MERGE_PRODUCT, TR_NOTHING_FUSED, both, 2, &product, err));
    return tr_channel_sums(program, product, tr_program_gradient(program, gamma), err);
}
