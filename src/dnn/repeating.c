/* repeating.c -- see repeating.h. Sums are in double (pixels.h): their order depends on the sizes
 * and the layout alone.
 */
#include "repeating.h"

#include <string.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"

static void memory_axes(tr_layout layout, int64_t axes[TR_MEMORY_AXES])
{
    tr_pixels at;
    tr_pixels_of(layout, &at);
    memcpy(axes, (int64_t[]){at.n, at.n_runs, at.h, at.w, at.run}, TR_MEMORY_AXES * sizeof *axes);
}

tr_repetition tr_repetition_of(tr_layout part, tr_layout whole)
{
    tr_repetition by = {.repeats = false};
    int64_t own[TR_MEMORY_AXES], step = 1;
    memory_axes(part, own);
    memory_axes(whole, by.whole);
    for (int i = TR_MEMORY_AXES - 1; i >= 0; i--) {
        by.repeats = by.repeats || own[i] != by.whole[i];
        by.steps[i] = own[i] == by.whole[i] ? step : 0;
        step *= own[i];
        by.part = i == 0 ? by.part : step;
    }
    return by;
}

/* Where the small tensor has what the large one has from its run number `run` on. */
static int64_t place_of(const tr_repetition *by, int64_t run)
{
    int64_t at = 0;
    for (int i = TR_MEMORY_AXES - 2; i >= 0; run /= by->whole[i--])
        at += run % by->whole[i] * by->steps[i];
    return at;
}

static void read_run(const void *part, tr_precision type, int64_t from, int64_t step, int64_t n,
                     float *to)
{
    const float *floats = (const float *)part + from;
    const uint16_t *halves = (const uint16_t *)part + from;
    if (type == TR_FLOAT32 && step == 1)
        memcpy(to, floats, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = type == TR_FLOAT32 ? floats[i * step] : tr_from_bfloat16(halves[i * step]);
}

const float *tr_repetition_read(const tr_repetition *by, const void *part, tr_precision type,
                                int64_t at, int64_t n, float *room)
{
    const int64_t length = by->whole[TR_MEMORY_AXES - 1], step = by->steps[TR_MEMORY_AXES - 1];
    int64_t c = at % length, run = at / length;
    for (int64_t done = 0; done < n; run++, c = 0) {
        const int64_t left = n - done, count = length - c < left ? length - c : left;
        read_run(part, type, place_of(by, run) + c * step, step, count, room + done);
        done += count;
    }
    return room;
}

/* ---- sums over what was repeated ---- */

typedef struct plan {
    tr_repetition by;
    tr_precision type;
} plan;

/* One run of channels of one sample into sums[part]. */
static void add_run(const plan *self, const void *run, int64_t r, double *sums)
{
    const int64_t *d = self->by.whole, *steps = self->by.steps, n = d[4];
    double *to = sums + r * steps[1];
    if (steps[2] == 0 && steps[3] == 0 && steps[4] != 0) {
        tr_pixels_add(run, self->type, d[2] * d[3], n, n, to);
        return;
    }
    for (int64_t p = 0; p < d[2] * d[3]; p++) {
        const bool one = steps[4] == 0; /* all channels into one */
        tr_pixels_add(tr_element(run, self->type, p * n), self->type, one ? n : 1, one ? 1 : n,
                      one ? 1 : n, to + p / d[3] * steps[2] + p % d[3] * steps[3]);
    }
}

static void run_sums(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const int64_t *d = self->by.whole, run = d[2] * d[3] * d[4];
    for (int64_t i = 0; i < d[0]; i++) {
        memset(scratch, 0, (size_t)self->by.part * sizeof(double));
        for (int64_t r = 0; r < d[1]; r++)
            add_run(self, tr_element(data[0], self->type, (i * d[1] + r) * run), r, scratch);
        tr_pixels_store(scratch, self->by.part, self->type,
                        tr_element(data[1], self->type, i * self->by.part));
    }
}

/* ---- planning ---- */

/* The layout of a value that lies in Keras's order, or in blocks where those are wanted. */
static tr_layout suitable(const tr_program *program, tr_layout like, bool in_blocks,
                          tr_precision type, const int64_t dims[4])
{
    tr_pixels at;
    const int n_dims = tr_layout_dims(like, (int64_t[4]){0});
    const bool blocked = in_blocks && tr_pixels_of(like, &at) && at.step_run != 0 && at.run > 1;
    if (blocked && tr_layout_type(like) == type)
        return tr_layout_resized(program->dnn, like, dims);
    const tr_layout any = tr_layout_any(program->dnn, type, n_dims, dims);
    return any == NULL ? NULL : tr_layout_plain(program->dnn, any);
}

bool tr_repeated_whole(const tr_program *program, const tr_value *values, int n, tr_precision type,
                       tr_layout *whole)
{
    int64_t dims[4] = {1, 1, 1, 1}, d[TR_MAX_SOURCES + 1][4];
    bool repeats = false, in_blocks = true;
    int largest = 0;
    for (int k = 0; k < n; k++) {
        memcpy(d[k], (int64_t[4]){1, 1, 1, 1}, sizeof d[k]);
        tr_layout_dims(tr_program_layout(program, values[k]), d[k]);
        for (int i = 0; i < 4; i++)
            dims[i] = d[k][i] > dims[i] ? d[k][i] : dims[i];
    }
    for (int k = n - 1; k >= 0; k--) {
        const bool full = memcmp(d[k], dims, sizeof dims) == 0;
        repeats = repeats || !full;
        in_blocks = in_blocks && d[k][1] == dims[1];
        largest = full ? k : largest;
    }
    if (repeats)
        *whole =
            suitable(program, tr_program_layout(program, values[largest]), in_blocks, type, dims);
    return repeats;
}

tr_layout tr_repeated_part(const tr_program *program, tr_value value, tr_layout whole)
{
    int64_t dims[4];
    tr_layout_dims(tr_program_layout(program, value), dims);
    return whole == NULL ? NULL : tr_layout_resized(program->dnn, whole, dims);
}

tr_status tr_add_repeated(tr_program *program, tr_value src, tr_value *diff, tr_error *err)
{
    const tr_precision type = tr_layout_type(tr_program_layout(program, *diff));
    tr_layout whole;
    tr_value from;
    if (!tr_repeated_whole(program, (const tr_value[]){*diff, src}, 2, type, &whole))
        return TR_OK;
    TR_TRY(tr_program_reorder(program, *diff, whole, &from, err));
    const tr_layout part = tr_repeated_part(program, src, whole);
    const tr_value to = tr_program_value(program, part);
    plan *self = to == TR_NO_VALUE ? NULL : tr_alloc(1, sizeof *self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    *self = (plan){.by = tr_repetition_of(part, whole), .type = type};
    const tr_native native = {
        .run = run_sums, .plan = self, .scratch_bytes = (size_t)self->by.part * sizeof(double)};
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_DIFF_SRC, to}};
    const tr_meaning meaning = {.kind = TR_KIND_REPEATED_SUMS, .direction = TR_DIR_BACKWARD_DATA};
    *diff = to;
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}
