/* places.h -- where a position of a tensor lies in memory, from the definition of its layout.
 *
 * A blocked layout places each dimension for itself (descriptors.h), so that the place of a
 * position is a sum of one table entry per dimension. For src/dnn only: what must not trust
 * oneDNN's own copies reads, fills and copies tensors by it.
 */
#ifndef TR_PLACES_H
#define TR_PLACES_H

#include "bfloat16.h"
#include "program_internal.h"

/* Dimensions a tensor does not have come first and are 1, so that loops are always four deep. */
typedef struct tr_places {
    int64_t dims[4], padded[4];
    const int64_t *of[4]; /* of[d][position]: elements of memory, [padded[d]] */
    int first;            /* the tensor's own dimension 0 among the four */
    bool is_padded;
    tr_precision type;
} tr_places;

/* Numbers that tr_places_find() wants room for; 0: the layout is opaque. */
size_t tr_places_room(tr_layout layout);
tr_places tr_places_find(tr_layout layout, int64_t *room);

static inline float tr_place_read(tr_precision type, const void *memory, int64_t at)
{
    return type == TR_FLOAT32 ? ((const float *)memory)[at]
                              : tr_from_bfloat16(((const uint16_t *)memory)[at]);
}

/* A bfloat16 becomes the nearest, ties to even. */
static inline void tr_place_write(tr_precision type, void *memory, int64_t at, float value)
{
    if (type == TR_FLOAT32)
        ((float *)memory)[at] = value;
    else
        ((uint16_t *)memory)[at] = tr_to_bfloat16(value);
}

/* Sets every element of memory that is padding to 0, or counts those that are not 0. */
void tr_places_clear_padding(const tr_places *places, void *memory);
int64_t tr_places_count_dirty(const tr_places *places, const void *memory);

#endif
