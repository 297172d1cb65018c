/* repeating.c -- see repeating.h. Sums are in double (pixels.h): their order depends on the sizes
 * alone.
 */
#include "repeating.h"

#include <string.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"

/* n h w c; of a vector n 1 1 c. */
static void keras_dims(tr_layout layout, int64_t to[4])
{
    int64_t d[4];
    const bool image = tr_layout_dims(layout, d) == 4;
    to[0] = d[0];
    to[1] = image ? d[2] : 1;
    to[2] = image ? d[3] : 1;
    to[3] = d[1];
}

tr_repetition tr_repetition_of(tr_layout part, tr_layout whole)
{
    tr_repetition by = {.repeats = false};
    int64_t own[4], step = 1;
    keras_dims(part, own);
    keras_dims(whole, by.whole);
    for (int i = 3; i >= 0; i--) {
        by.repeats = by.repeats || own[i] != by.whole[i];
        by.steps[i] = own[i] == by.whole[i] ? step : 0;
        step *= own[i];
    }
    return by;
}

/* Where the small tensor has what the large one has from its pixel `pixel` on. */
static int64_t place_of(const tr_repetition *by, int64_t pixel)
{
    const int64_t *d = by->whole, *steps = by->steps;
    return pixel / (d[1] * d[2]) * steps[0] + pixel / d[2] % d[1] * steps[1] +
           pixel % d[2] * steps[2];
}

const float *tr_repetition_read(const tr_repetition *by, const void *part, tr_precision type,
                                int64_t at, int64_t n, float *room)
{
    const int64_t channels = by->whole[3], step = by->steps[3];
    const float *floats = part;
    const uint16_t *halves = part;
    int64_t c = at % channels, pixel = at / channels;
    for (int64_t done = 0; done < n; pixel++, c = 0) {
        const int64_t from = place_of(by, pixel) + c * step, left = n - done;
        const int64_t run = channels - c < left ? channels - c : left;
        for (int64_t i = 0; i < run; i++)
            room[done + i] = type == TR_FLOAT32 ? floats[from + i * step]
                                                : tr_from_bfloat16(halves[from + i * step]);
        done += run;
    }
    return room;
}

/* ---- sums over what was repeated ---- */

typedef struct plan {
    tr_repetition by;
    int64_t part; /* numbers of one sample of the small tensor */
    tr_precision type;
} plan;

/* One sample into sums[part]. */
static void add_sample(const plan *self, const void *whole, int64_t i, double *sums)
{
    const int64_t *d = self->by.whole, *steps = self->by.steps;
    const int64_t pixels = d[1] * d[2], c = d[3];
    const void *sample = tr_element(whole, self->type, i * pixels * c);
    memset(sums, 0, (size_t)self->part * sizeof *sums);
    if (steps[1] == 0 && steps[2] == 0 && steps[3] != 0) {
        tr_pixels_add(sample, self->type, pixels, c, c, sums);
        return;
    }
    for (int64_t p = 0; p < pixels; p++) {
        double *to = sums + p / d[2] * steps[1] + p % d[2] * steps[2];
        const void *values = tr_element(sample, self->type, p * c);
        tr_pixels_add(values, self->type, steps[3] == 0 ? c : 1, steps[3] == 0 ? 1 : c,
                      steps[3] == 0 ? 1 : c, to);
    }
}

static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    for (int64_t i = 0; i < self->by.whole[0]; i++) {
        add_sample(self, data[0], i, scratch);
        tr_pixels_store(scratch, self->part, self->type,
                        tr_element(data[1], self->type, i * self->part));
    }
}

/* ---- planning ---- */

bool tr_layouts_are_alike(tr_layout a, tr_layout b)
{
    int64_t x[4], y[4];
    keras_dims(a, x);
    keras_dims(b, y);
    return memcmp(x, y, sizeof x) == 0;
}

tr_layout tr_repeated_layout(const tr_program *program, const tr_value *values, int n,
                             tr_precision type)
{
    int64_t whole[4] = {1, 1, 1, 1};
    int n_dims = 2;
    for (int k = 0; k < n; k++) {
        int64_t d[4];
        n_dims = tr_layout_dims(tr_program_layout(program, values[k]), d);
        for (int i = 0; i < n_dims; i++)
            whole[i] = d[i] > whole[i] ? d[i] : whole[i];
    }
    const tr_layout any = tr_layout_any(program->dnn, type, n_dims, whole);
    return any == NULL ? NULL : tr_layout_plain(program->dnn, any);
}

tr_status tr_add_repeated(tr_program *program, tr_value src, tr_value *diff, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, src),
                    given = tr_program_layout(program, *diff);
    if (tr_layouts_are_alike(own, given))
        return TR_OK;
    const tr_precision type = tr_layout_type(given);
    const tr_layout whole = tr_layout_plain(program->dnn, given);
    const tr_layout part = tr_repeated_layout(program, &src, 1, type);
    tr_value from;
    TR_TRY(tr_program_reorder(program, *diff, whole, &from, err));
    const tr_value to = tr_program_value(program, part);
    plan *self = to == TR_NO_VALUE ? NULL : tr_alloc(1, sizeof *self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    int64_t dims[4];
    keras_dims(part, dims);
    *self = (plan){
        .by = tr_repetition_of(part, whole), .part = dims[1] * dims[2] * dims[3], .type = type};
    const tr_native native = {
        .run = run, .plan = self, .scratch_bytes = (size_t)self->part * sizeof(double)};
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_DIFF_SRC, to}};
    const tr_meaning meaning = {.kind = TR_KIND_REPEATED_SUMS, .direction = TR_DIR_BACKWARD_DATA};
    *diff = to;
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}
