/* copy.c -- a tensor from one layout into another in plain C: for what crosses the border of the
 * flat vectors (dnn.h), and as an operation in place of a reorder of oneDNN's that was found wrong.
 */
#include <string.h>

#include "mem.h"
#include "places.h"

/* One block, as the program releases a native operation's plan with one tr_free(). */
typedef struct plan {
    tr_places from, to;
    int64_t room[]; /* of both */
} plan;

static plan *plan_new(tr_layout from, tr_layout to)
{
    const size_t n_from = tr_places_room(from), n_to = tr_places_room(to);
    plan *self = tr_alloc(1, sizeof *self + (n_from + n_to) * sizeof(int64_t));
    if (self == NULL)
        return NULL;
    self->from = tr_places_find(from, self->room);
    self->to = tr_places_find(to, self->room + n_from);
    return self;
}

static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const tr_places *from = &self->from, *to = &self->to;
    tr_places_clear_padding(to, data[1]);
    for (int64_t a = 0; a < from->dims[0]; a++)
        for (int64_t b = 0; b < from->dims[1]; b++)
            for (int64_t c = 0; c < from->dims[2]; c++) {
                const int64_t src = from->of[0][a] + from->of[1][b] + from->of[2][c];
                const int64_t dst = to->of[0][a] + to->of[1][b] + to->of[2][c];
                for (int64_t d = 0; d < from->dims[3]; d++)
                    tr_place_write(to->type, data[1], dst + to->of[3][d],
                                   tr_place_read(from->type, data[0], src + from->of[3][d]));
            }
}

static tr_status check(tr_layout from, tr_layout to, tr_error *err)
{
    if (tr_places_room(from) == 0 || tr_places_room(to) == 0)
        return tr_fail(err, TR_ERR_INTERNAL, "a layout is opaque and cannot be copied");
    return TR_OK;
}

tr_status tr_layout_copy(tr_layout from, const float *src, tr_layout to, float *dst, tr_error *err)
{
    TR_TRY(check(from, to, err));
    plan *self = plan_new(from, to);
    if (self == NULL)
        return tr_out_of_memory(err, NULL);
    run(self, NULL, (void *const[]){(void *)(uintptr_t)src, dst}, NULL); /* src is only read */
    tr_free(self);
    return TR_OK;
}

tr_status tr_program_add_copy(tr_program *program, const tr_meaning *meaning, const tr_arg *args,
                              tr_error *err)
{
    const tr_layout from = tr_program_layout(program, args[0].value);
    const tr_layout to = tr_program_layout(program, args[1].value);
    TR_TRY(check(from, to, err));
    const tr_native native = {.run = run, .plan = plan_new(from, to)};
    return tr_program_add_native(program, &native, meaning, args, 2, err);
}
