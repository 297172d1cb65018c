/* unpack.c -- positions to places; see unpack.h. */
#include "unpack.h"

#include <string.h>

#include "program_internal.h"

int64_t tr_layout_elements(tr_layout layout)
{
    int64_t dims[4], n = 1;
    const int n_dims = tr_layout_dims(layout, dims);
    for (int d = 0; d < n_dims; d++)
        n *= dims[d];
    return n;
}

/* Element of memory at a position; descriptors.h says how. */
static int64_t place(const tr_blocking *blocking, const int64_t *position)
{
    int64_t outer[DNNL_MAX_NDIMS], at = blocking->offset, dense = 1;
    for (int d = 0; d < blocking->n_dims; d++)
        outer[d] = position[d];
    for (int i = blocking->n_inner - 1; i >= 0; i--) {
        int64_t *of = &outer[blocking->inner_dim[i]];
        at += *of % blocking->inner_size[i] * dense;
        *of /= blocking->inner_size[i];
        dense *= blocking->inner_size[i];
    }
    for (int d = 0; d < blocking->n_dims; d++)
        at += outer[d] * blocking->strides[d];
    return at;
}

static double element(tr_precision type, const void *memory, int64_t at)
{
    float value;
    if (type == TR_FLOAT32) {
        memcpy(&value, (const float *)memory + at, sizeof value);
    } else { /* a bfloat16 is the upper half of a float32 */
        uint16_t half;
        memcpy(&half, (const uint16_t *)memory + at, sizeof half);
        const uint32_t bits = (uint32_t)half << 16;
        memcpy(&value, &bits, sizeof value);
    }
    return (double)value;
}

bool tr_layout_unpack(tr_layout layout, const void *memory, double *values, int64_t *n_dirty)
{
    tr_blocking blocking;
    if (!tr_md_blocking(tr_layout_md(layout), &blocking))
        return false;
    const tr_precision type = tr_layout_type(layout);
    int64_t position[DNNL_MAX_NDIMS] = {0}, next = 0;
    *n_dirty = 0;
    for (;;) {
        bool inside = true;
        for (int d = 0; d < blocking.n_dims; d++)
            inside = inside && position[d] < blocking.dims[d];
        const double value = element(type, memory, place(&blocking, position));
        if (inside)
            values[next++] = value;
        else
            *n_dirty += value != 0.0;
        int d = blocking.n_dims - 1; /* the next position: an odometer */
        while (d >= 0 && ++position[d] == blocking.padded[d])
            position[d--] = 0;
        if (d < 0)
            return true;
    }
}

double tr_bfloat16_of(double value)
{
    const float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u) /* infinity and NaN have nothing to round */
        bits += 0x7fffu + (bits >> 16 & 1u);
    const uint16_t half = (uint16_t)(bits >> 16);
    return element(TR_BFLOAT16, &half, 0);
}
