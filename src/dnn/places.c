/* places.c -- see places.h. */
#include "places.h"

/* What a position along dimension d adds: its outer part by the stride, and its part within each
 * inner block of that dimension, of which the last lies densest. */
static int64_t share(const tr_blocking *blocking, int d, int64_t position)
{
    int64_t at = 0, dense = 1;
    for (int i = blocking->n_inner - 1; i >= 0; i--) {
        if (blocking->inner_dim[i] == d) {
            at += position % blocking->inner_size[i] * dense;
            position /= blocking->inner_size[i];
        }
        dense *= blocking->inner_size[i];
    }
    return at + position * blocking->strides[d];
}

/* The kernel of a grouped convolution: g o i h w, of which o counts over all groups here. */
enum { GROUPED = 5 };

size_t tr_places_room(tr_layout layout)
{
    tr_blocking blocking;
    size_t n = 4;
    if (!tr_md_blocking(tr_layout_md(layout), &blocking) || blocking.n_dims > GROUPED)
        return 0;
    const bool grouped = blocking.n_dims == GROUPED;
    for (int d = grouped ? 2 : 0; d < blocking.n_dims; d++)
        n += (size_t)blocking.padded[d];
    return grouped ? n + (size_t)(blocking.padded[0] * blocking.padded[1]) : n;
}

/* Entries for groups times channels, of which those that are padding come last. */
static int64_t *place_groups(const tr_blocking *b, tr_places *places, int64_t *room)
{
    const int64_t n_real = b->dims[0] * b->dims[1], n = b->padded[0] * b->padded[1];
    int64_t real = 0, padding = n_real;
    places->dims[0] = n_real;
    places->padded[0] = n;
    places->of[0] = room;
    for (int64_t g = 0; g < b->padded[0]; g++)
        for (int64_t o = 0; o < b->padded[1]; o++)
            room[g < b->dims[0] && o < b->dims[1] ? real++ : padding++] =
                share(b, 0, g) + share(b, 1, o) + b->offset;
    places->is_padded = n != n_real;
    return room + n;
}

tr_places tr_places_find(tr_layout layout, int64_t *room)
{
    tr_blocking blocking;
    tr_md_blocking(tr_layout_md(layout), &blocking);
    const bool grouped = blocking.n_dims == GROUPED;
    tr_places places = {.first = grouped ? 0 : 4 - blocking.n_dims, .type = tr_layout_type(layout)};
    if (grouped)
        room = place_groups(&blocking, &places, room);
    for (int slot = grouped ? 1 : 0; slot < 4; slot++) {
        const int d = grouped ? slot + 1 : slot - places.first;
        places.dims[slot] = d < 0 ? 1 : blocking.dims[d];
        places.padded[slot] = d < 0 ? 1 : blocking.padded[d];
        places.is_padded = places.is_padded || places.padded[slot] != places.dims[slot];
        places.of[slot] = room;
        for (int64_t i = 0; i < places.padded[slot]; i++)
            *room++ = (d < 0 ? 0 : share(&blocking, d, i)) + (slot == 0 ? blocking.offset : 0);
    }
    return places;
}

/* Visits each place of padding: clears it, or, where `clear` is NULL, counts what is not 0. */
static int64_t each_padding(const tr_places *p, const void *memory, void *clear)
{
    int64_t n_dirty = 0;
    for (int64_t a = 0; a < p->padded[0]; a++)
        for (int64_t b = 0; b < p->padded[1]; b++)
            for (int64_t c = 0; c < p->padded[2]; c++) {
                const bool row = a < p->dims[0] && b < p->dims[1] && c < p->dims[2];
                const int64_t at = p->of[0][a] + p->of[1][b] + p->of[2][c];
                for (int64_t d = row ? p->dims[3] : 0; d < p->padded[3]; d++)
                    if (clear != NULL)
                        tr_place_write(p->type, clear, at + p->of[3][d], 0.0f);
                    else
                        n_dirty += !(tr_place_read(p->type, memory, at + p->of[3][d]) == 0.0f);
            }
    return n_dirty;
}

void tr_places_clear_padding(const tr_places *places, void *memory)
{
    if (places->is_padded)
        each_padding(places, NULL, memory);
}

int64_t tr_places_count_dirty(const tr_places *places, const void *memory)
{
    return places->is_padded ? each_padding(places, memory, NULL) : 0;
}
