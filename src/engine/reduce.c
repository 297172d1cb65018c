/* reduce.c -- the fixed-tree sum; see reduce.h. */
#include "reduce.h"

#include <string.h>

#include "simd.h"

static int64_t largest_power_below(int64_t n)
{
    int64_t p = 1;
    while (p * 2 < n)
        p *= 2;
    return p;
}

/* The tree of eight leaves in registers: one pass over memory for three levels. */
TR_SIMD_CLONES
static void sum_eight(float *restrict out, const float *restrict leaves, size_t stride, size_t n)
{
    const float *restrict a = leaves, *restrict b = a + stride, *restrict c = b + stride,
                          *restrict d = c + stride, *restrict e = d + stride,
                          *restrict f = e + stride, *restrict g = f + stride,
                          *restrict h = g + stride;
    for (size_t i = 0; i < n; i++)
        out[i] = ((a[i] + b[i]) + (c[i] + d[i])) + ((e[i] + f[i]) + (g[i] + h[i]));
}

TR_SIMD_CLONES
static void sum_two(float *restrict out, const float *restrict a, const float *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

TR_SIMD_CLONES
void tr_reduce_add(float *restrict out, const float *restrict right, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += right[i];
}

void tr_reduce_leaves(float *out, const float *leaves, size_t stride, int64_t n_leaves, size_t n)
{
    if (n_leaves == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = leaves[i];
    } else if (n_leaves == 2) {
        sum_two(out, leaves, leaves + stride, n);
    } else if (n_leaves == 8) {
        sum_eight(out, leaves, stride, n);
    } else {
        const int64_t left = largest_power_below(n_leaves);
        _Alignas(64) float right[TR_REDUCE_CHUNK];
        tr_reduce_leaves(out, leaves, stride, left, n);
        tr_reduce_leaves(right, leaves + (size_t)left * stride, stride, n_leaves - left, n);
        tr_reduce_add(out, right, n);
    }
}

/* Each level of the tree halves the leaves, so that 64 rooms are enough. */
void tr_reduce_doubles(double *out, const double *leaves, size_t stride, int64_t n_leaves, size_t n,
                       double *room)
{
    if (n_leaves == 1) {
        memcpy(out, leaves, n * sizeof *out);
        return;
    }
    const int64_t left = largest_power_below(n_leaves);
    tr_reduce_doubles(out, leaves, stride, left, n, room);
    tr_reduce_doubles(room, leaves + (size_t)left * stride, stride, n_leaves - left, n, room + n);
    for (size_t i = 0; i < n; i++)
        out[i] += room[i];
}
