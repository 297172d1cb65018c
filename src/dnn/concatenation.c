/* concatenation.c -- tensors one behind the other along the channels, and back, in plain C; see
 * primitives.h.
 *
 * Every layout that is used has a row of memory for each pixel (channels last), for each sample
 * (blocks of channels: a whole number of them in every source but the last, whose padding becomes
 * that of the result) or for each vector, and a row of the result is the sources' rows in turn. So
 * both directions are copies of rows. Sources that lie otherwise are brought into such a layout.
 */
#include <string.h>

#include "mem.h"
#include "pixels.h"

typedef struct plan {
    int64_t rows;
    size_t row;   /* bytes of the whole */
    size_t begin; /* backward: where the source's part begins */
    int n;
    size_t parts[TR_MAX_SOURCES];
} plan;

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    unsigned char *dst = data[self->n];
    for (int64_t i = 0; i < self->rows; i++)
        for (int k = 0; k < self->n; dst += self->parts[k++])
            memcpy(dst, (const unsigned char *)data[k] + (size_t)i * self->parts[k],
                   self->parts[k]);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const size_t part = self->parts[0];
    for (int64_t i = 0; i < self->rows; i++)
        memcpy((unsigned char *)data[1] + (size_t)i * part,
               (const unsigned char *)data[0] + (size_t)i * self->row + self->begin, part);
}

/* ---- planning ---- */

static int64_t channels(const tr_program *program, tr_value value)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, value), d);
    return d[1];
}

static bool is_blocked(const tr_pixels *at)
{
    return at->run > 1 && at->step_run != 0;
}

/* What all parts and the whole are like, but for their channels. */
static tr_layout common_layout(tr_program *program, const tr_value *srcs, int n)
{
    const tr_layout layout = tr_merged_layout(program, srcs, n);
    tr_pixels at;
    bool in_blocks = tr_pixels_of(layout, &at) && is_blocked(&at) &&
                     tr_layout_with_channels(program->dnn, layout, at.c) == layout;
    for (int k = 0; in_blocks && k < n - 1; k++)
        in_blocks = channels(program, srcs[k]) % at.run == 0;
    return in_blocks ? layout : tr_layout_plain(program->dnn, layout);
}

/* Layouts of the parts and of the whole. */
typedef struct ends {
    tr_layout parts[TR_MAX_SOURCES], whole;
    int64_t first[TR_MAX_SOURCES]; /* channel of the whole that a part begins with */
    int64_t rows;
} ends;

static tr_status find_ends(tr_program *program, const tr_value *srcs, int n, ends *out,
                           tr_error *err)
{
    const tr_layout like = common_layout(program, srcs, n);
    int64_t c = 0;
    tr_pixels at;
    for (int k = 0; like != NULL && k < n; k++) {
        out->first[k] = c;
        c += channels(program, srcs[k]);
        out->parts[k] = tr_layout_with_channels(program->dnn, like, channels(program, srcs[k]));
        if (out->parts[k] == NULL)
            return tr_out_of_memory(err, program->layer);
    }
    out->whole = like == NULL ? NULL : tr_layout_with_channels(program->dnn, like, c);
    if (out->whole == NULL)
        return tr_out_of_memory(err, program->layer);
    tr_pixels_of(out->whole, &at);
    out->rows = is_blocked(&at) ? at.n : at.n * at.h * at.w;
    return TR_OK;
}

static plan *new_plan(const ends *of, const tr_layout *parts, int n, size_t begin)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    const size_t rows = (size_t)of->rows;
    *self =
        (plan){.rows = of->rows, .row = tr_layout_bytes(of->whole) / rows, .begin = begin, .n = n};
    for (int k = 0; k < n; k++)
        self->parts[k] = tr_layout_bytes(parts[k]) / rows;
    return self;
}

tr_status tr_concatenate_forward(tr_program *program, const tr_value *srcs, int n, tr_value *dst,
                                 tr_error *err)
{
    ends of;
    tr_arg args[TR_MAX_ARGS];
    TR_TRY(find_ends(program, srcs, n, &of, err));
    for (int k = 0; k < n; k++) {
        args[k].role = DNNL_ARG_MULTIPLE_SRC + k;
        TR_TRY(tr_program_reorder(program, srcs[k], of.parts[k], &args[k].value, err));
    }
    const tr_value out = tr_program_value(program, of.whole);
    args[n] = (tr_arg){DNNL_ARG_DST, out};
    const tr_native native = {.run = run_forward, .plan = new_plan(&of, of.parts, n, 0)};
    const tr_meaning meaning = {.kind = TR_KIND_CONCATENATION, .direction = TR_DIR_FORWARD};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n + 1, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_concatenate_backward(tr_program *program, const tr_value *srcs, int n,
                                  const bool *wanted, tr_value diff_dst, tr_value *diff_srcs,
                                  tr_error *err)
{
    ends of;
    size_t begin = 0;
    TR_TRY(find_ends(program, srcs, n, &of, err));
    TR_TRY(tr_program_reorder(program, diff_dst, of.whole, &diff_dst, err));
    for (int k = 0; k < n; k++) {
        const size_t bytes = tr_layout_bytes(of.parts[k]) / (size_t)of.rows;
        if (wanted[k]) {
            diff_srcs[k] = tr_program_value(program, of.parts[k]);
            const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                                   {DNNL_ARG_DIFF_SRC, diff_srcs[k]}};
            const tr_native native = {.run = run_backward,
                                      .plan = new_plan(&of, &of.parts[k], 1, begin)};
            const tr_meaning meaning = {.kind = TR_KIND_CONCATENATION,
                                        .direction = TR_DIR_BACKWARD_DATA,
                                        .merging = {.part = of.first[k]}};
            TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
        }
        begin += bytes;
    }
    return TR_OK;
}
