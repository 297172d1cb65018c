/* winograd_product.h -- small matrix products, of the kind that Winograd's algorithm is made of.
 *
 * c[r, o] (+)= a[r, 0] b[0, o] + a[r, 1] b[1, o] + ..., one running multiply-add from 0 over the
 * terms in order, whose sum is stored or added. A block of the result stays in registers.
 */
#ifndef TR_WINOGRAD_PRODUCT_H
#define TR_WINOGRAD_PRODUCT_H

#include "vector.h"

/* The block in registers: rows x vectors <= SUMS. The wide set stands in for AVX-512. */
#if TR_REGISTERS == 32 || defined(TR_FOR_WIDE)
enum { SUMS = 24, MAX_VECTORS = 4 };
#else
enum { SUMS = 12, MAX_VECTORS = 2 };
#endif
enum { MAX_ROWS = 12, PANEL = MAX_VECTORS * VL };

typedef struct product {
    int64_t terms;
    const float *a; /* [row, term], or, transposed, [term, row] */
    int64_t a_stride;
    const float *b; /* [term, column] */
    int64_t b_stride;
    float *c; /* [row, column] */
    int64_t c_stride;
    bool add;
} product;

/* `rows` rows of a panel. */
TR_INLINE void product_block(const int rows, const int vectors, const bool transposed,
                             const product *p, const float *a, float *c)
{
    vec sums[MAX_ROWS][MAX_VECTORS];
    const float *b = p->b;
    TR_UNROLL
    for (int r = 0; r < rows; r++) {
        TR_UNROLL
        for (int v = 0; v < vectors; v++)
            sums[r][v] = v_set(0.0f);
    }
    for (int64_t k = 0; k < p->terms; k++) {
        vec factors[MAX_VECTORS];
        TR_UNROLL
        for (int v = 0; v < vectors; v++)
            factors[v] = v_load(b + v * VL);
        TR_UNROLL
        for (int r = 0; r < rows; r++) {
            const vec factor = v_set(transposed ? a[r] : a[r * p->a_stride]);
            TR_UNROLL
            for (int v = 0; v < vectors; v++)
                sums[r][v] = v_fma(factor, factors[v], sums[r][v]);
        }
        b += p->b_stride;
        a += transposed ? p->a_stride : 1;
    }
    if (p->add) {
        TR_UNROLL
        for (int r = 0; r < rows; r++) {
            TR_UNROLL
            for (int v = 0; v < vectors; v++)
                sums[r][v] = v_add(v_load(c + r * p->c_stride + v * VL), sums[r][v]);
        }
    }
    TR_UNROLL
    for (int r = 0; r < rows; r++) {
        TR_UNROLL
        for (int v = 0; v < vectors; v++)
            v_store(c + r * p->c_stride + v * VL, sums[r][v]);
    }
}

/* `blocks` blocks of `rows` rows, of a number that the compiler is to know. */
TR_INLINE void product_blocks(int rows, const int vectors, const bool transposed, const product *p,
                              int64_t first, int blocks)
{
    const float *a = p->a + first * (transposed ? 1 : p->a_stride);
    float *c = p->c + first * p->c_stride;
#define TR_ROWS(R)                                                                                 \
    case R:                                                                                        \
        for (int i = 0; R * vectors <= SUMS && i < blocks; i++)                                    \
            product_block(R, vectors, transposed, p, a + i * R * (transposed ? 1 : p->a_stride),   \
                          c + i * R * p->c_stride);                                                \
        return;
    switch (rows) {
        TR_ROWS(1)
        TR_ROWS(2)
        TR_ROWS(3)
        TR_ROWS(4)
        TR_ROWS(5)
        TR_ROWS(6)
        TR_ROWS(7)
        TR_ROWS(8)
        TR_ROWS(9)
        TR_ROWS(10)
        TR_ROWS(11)
        TR_ROWS(12)
    default:
        return;
    }
#undef TR_ROWS
}

/* All rows, in blocks that are as equal as can be. */
TR_INLINE void product_rows(int rows, const int vectors, const bool transposed, const product *p)
{
    const int most = SUMS / vectors < MAX_ROWS ? SUMS / vectors : MAX_ROWS;
    const int blocks = (rows + most - 1) / most;
    if (blocks == 0)
        return;
    const int n = rows / blocks, larger = rows % blocks;
    if (larger > 0)
        product_blocks(n + 1, vectors, transposed, p, 0, larger);
    product_blocks(n, vectors, transposed, p, (int64_t)larger * (n + 1), blocks - larger);
}

/* A product one panel of up to MAX_VECTORS vectors wide. */
TR_INLINE void product_panel(int rows, int vectors, const bool transposed, product p)
{
    if (vectors == 1)
        product_rows(rows, 1, transposed, &p);
    else if (vectors == 2)
        product_rows(rows, 2, transposed, &p);
    else if (MAX_VECTORS > 2 && vectors == 3)
        product_rows(rows, 3, transposed, &p);
    else if (MAX_VECTORS > 2)
        product_rows(rows, 4, transposed, &p);
}

#endif
