/* unpack.c -- positions to places and back; see unpack.h. */
#include "unpack.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "places.h"

int64_t tr_layout_elements(tr_layout layout)
{
    int64_t dims[4], n = 1;
    const int n_dims = tr_layout_dims(layout, dims);
    for (int d = 0; d < n_dims; d++)
        n *= dims[d];
    return n;
}

/* The caller frees *room. */
static tr_status find(tr_layout layout, tr_places *places, int64_t **room, tr_error *err)
{
    const size_t n = tr_places_room(layout);
    if (n == 0)
        return tr_fail(err, TR_ERR_INTERNAL, "a layout is opaque and cannot be read");
    *room = tr_alloc(n, sizeof **room);
    if (*room == NULL)
        return tr_out_of_memory(err, NULL);
    *places = tr_places_find(layout, *room);
    return TR_OK;
}

/* A row of the last dimension, of which `together` neighbours have a result, `step` apart. */
static void add_row(const tr_places *p, const void *memory, int64_t at, const double *factors,
                    int64_t together, double *values, double *sizes, int64_t step)
{
    for (int64_t d = 0, to = 0; d < p->dims[3]; to += step)
        for (int64_t k = 0; k < together; k++, d++) {
            const double term =
                factors[k] * (double)tr_place_read(p->type, memory, at + p->of[3][d]);
            values[to] += term;
            if (sizes != NULL)
                sizes[to] += fabs(term);
        }
}

/* `slot`: among the four, of which `together` neighbours are summed; -1: all dimensions stay. */
static void contract(const tr_places *p, const void *memory, int slot, int64_t together,
                     const double *factors, double *values, double *sizes)
{
    int64_t step[4], n = 1, by[4] = {1, 1, 1, 1}; /* step in the result, of `by` positions */
    if (slot >= 0)
        by[slot] = together;
    for (int k = 3; k >= 0; k--) {
        step[k] = n;
        n *= p->dims[k] / by[k];
    }
    memset(values, 0, (size_t)n * sizeof *values);
    if (sizes != NULL)
        memset(sizes, 0, (size_t)n * sizeof *sizes);
    for (int64_t a = 0; a < p->dims[0]; a++)
        for (int64_t b = 0; b < p->dims[1]; b++)
            for (int64_t c = 0; c < p->dims[2]; c++) {
                const int64_t to = a / by[0] * step[0] + b / by[1] * step[1] + c / by[2] * step[2];
                const int64_t k = slot == 0 ? a : slot == 1 ? b : slot == 2 ? c : 0;
                add_row(p, memory, p->of[0][a] + p->of[1][b] + p->of[2][c],
                        slot < 0 ? factors : factors + k % together, by[3], values + to,
                        sizes == NULL ? NULL : sizes + to, step[3]);
            }
}

tr_status tr_layout_unpack(tr_layout layout, const void *memory, double *values, int64_t *n_dirty,
                           tr_error *err)
{
    static const double one = 1.0;
    tr_places places = {0};
    int64_t *room = NULL;
    TR_TRY(find(layout, &places, &room, err));
    contract(&places, memory, -1, 1, &one, values, NULL);
    *n_dirty = tr_places_count_dirty(&places, memory);
    tr_free(room);
    return TR_OK;
}

tr_status tr_layout_contract(tr_layout layout, const void *memory, int dim, int64_t together,
                             const double *factors, double *values, double *sizes, int64_t *n_dirty,
                             tr_error *err)
{
    tr_places places = {0};
    int64_t *room = NULL;
    TR_TRY(find(layout, &places, &room, err));
    contract(&places, memory, places.first + dim, together, factors, values, sizes);
    *n_dirty = tr_places_count_dirty(&places, memory);
    tr_free(room);
    return TR_OK;
}

tr_status tr_layout_scale(tr_layout layout, void *memory, int dim, const double *factors,
                          tr_error *err)
{
    tr_places p = {0};
    int64_t *room = NULL, i[4];
    TR_TRY(find(layout, &p, &room, err));
    for (i[0] = 0; i[0] < p.dims[0]; i[0]++)
        for (i[1] = 0; i[1] < p.dims[1]; i[1]++)
            for (i[2] = 0; i[2] < p.dims[2]; i[2]++)
                for (i[3] = 0; i[3] < p.dims[3]; i[3]++) {
                    const int64_t at =
                        p.of[0][i[0]] + p.of[1][i[1]] + p.of[2][i[2]] + p.of[3][i[3]];
                    const double value = (double)tr_place_read(p.type, memory, at);
                    tr_place_write(p.type, memory, at, (float)(value * factors[i[p.first + dim]]));
                }
    tr_free(room);
    return TR_OK;
}

tr_status tr_layout_fill(tr_layout layout, void *memory, float (*next)(void *state), void *state,
                         tr_error *err)
{
    tr_places places = {0};
    int64_t *room = NULL;
    TR_TRY(find(layout, &places, &room, err));
    const tr_places *p = &places;
    for (int64_t a = 0; a < p->dims[0]; a++)
        for (int64_t b = 0; b < p->dims[1]; b++)
            for (int64_t c = 0; c < p->dims[2]; c++) {
                const int64_t at = p->of[0][a] + p->of[1][b] + p->of[2][c];
                for (int64_t d = 0; d < p->dims[3]; d++)
                    tr_place_write(p->type, memory, at + p->of[3][d], next(state));
            }
    tr_places_clear_padding(&places, memory);
    tr_free(room);
    return TR_OK;
}

double tr_bfloat16_of(double value)
{
    uint16_t half;
    tr_place_write(TR_BFLOAT16, &half, 0, (float)value);
    return (double)tr_place_read(TR_BFLOAT16, &half, 0);
}
