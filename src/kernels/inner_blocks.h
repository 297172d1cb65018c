/* inner_blocks.h -- products of matrices, in two ways, for inner.c.
 *
 *     by columns   c[r, j] = sum_k a(r, k) b[k, j]    vectors lie along j: chains of CHAIN
 *                  multiply-adds from 0, in order; their sums are added in order
 *     by dots      c[r, j] = sum_k a[r, k] b[j, k]    vectors lie along k: in each stretch of
 *                  STRETCH numbers 16 chains, by k mod 16, whose sums are added as a tree (i and
 *                  i + 8, then i and i + 4 ...), and what the stretches give in order
 *
 * So no chain is longer than 256, and an error grows with the number of chains. In the last 16
 * numbers of a dot product, what is missing counts as zeros.
 *
 * A block of R rows and some columns is in registers at a time, which shows in no bit.
 */
#ifndef TR_INNER_BLOCKS_H
#define TR_INNER_BLOCKS_H

#include "vector.h"

enum { CHAIN = 256, CHAINS = 16, STRETCH = 16 * 256 };

/* Of 32 vector registers 24 hold a block, of 16 12; scalars have 16. */
#if defined(TR_FOR_AVX512) || defined(TR_FOR_WIDE) || defined(TR_FOR_NEON)
enum { MANY_ROWS = 8, DOT_ROWS = 4 };
#else
enum { MANY_ROWS = 4, DOT_ROWS = 2 };
#endif
enum { MOST_VECTORS = 3, DOT_COLUMNS = 5 };

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A matrix whose elements lie `row` and `column` apart. */
typedef struct matrix {
    const float *at;
    int64_t row, column;
} matrix;

/* ---- by columns ---- */

/* One chain of R rows and V vectors of columns, or the first n columns where TAIL; added to what is
 * there unless it is the first. */
TR_INLINE void column_block(const int R, const int V, const bool TAIL, int64_t n, int64_t count,
                            matrix a, const float *b, int64_t b_row, float *c, int64_t c_row,
                            bool first)
{
    vec sum[8][MOST_VECTORS];
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int v = 0; v < V; v++)
            sum[r][v] = v_set(0.0f);
    }
    for (int64_t k = 0; k < count; k++, b += b_row) {
        vec row[MOST_VECTORS];
        TR_UNROLL
        for (int v = 0; v < V; v++)
            row[v] = TAIL ? v_load_n(b, n) : v_load(b + v * VL);
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec factor = v_set(a.at[r * a.row + k * a.column]);
            TR_UNROLL
            for (int v = 0; v < V; v++)
                sum[r][v] = v_fma(factor, row[v], sum[r][v]);
        }
    }
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int v = 0; v < V; v++) {
            float *to = c + r * c_row + v * VL;
            const vec before = first ? v_set(0.0f) : TAIL ? v_load_n(to, n) : v_load(to);
            const vec all = first ? sum[r][v] : v_add(before, sum[r][v]);
            if (TAIL)
                v_store_n(to, all, n);
            else
                v_store(to, all);
        }
    }
}

typedef void column_function(int64_t n, int64_t count, matrix a, const float *b, int64_t b_row,
                             float *c, int64_t c_row, bool first);

#define COLUMN_BLOCK(R, V, name, TAIL)                                                             \
    static __attribute__((noinline)) void columns_##R##_##name(                                    \
        int64_t n, int64_t count, matrix a, const float *b, int64_t b_row, float *c,               \
        int64_t c_row, bool first)                                                                 \
    {                                                                                              \
        column_block(R, V, TAIL, n, count, a, b, b_row, c, c_row, first);                          \
    }
#define COLUMN_BLOCKS(R)                                                                           \
    COLUMN_BLOCK(R, 1, tail, true)                                                                 \
    COLUMN_BLOCK(R, 1, 1, false)                                                                   \
    COLUMN_BLOCK(R, 2, 2, false)                                                                   \
    COLUMN_BLOCK(R, 3, 3, false)
COLUMN_BLOCKS(1)
COLUMN_BLOCKS(2)
COLUMN_BLOCKS(4)
COLUMN_BLOCKS(8)

/* [rows][vectors]; no vectors: the tail */
static column_function *const column_blocks[9][MOST_VECTORS + 1] = {
    [1] = {columns_1_tail, columns_1_1, columns_1_2, columns_1_3},
    [2] = {columns_2_tail, columns_2_1, columns_2_2, columns_2_3},
    [4] = {columns_4_tail, columns_4_1, columns_4_2, columns_4_3},
    [8] = {columns_8_tail, columns_8_1, columns_8_2, columns_8_3},
};

/* Rows of the next block; those of one vector are the highest, as each needs several sums at once
 * to keep the unit busy. */
static inline int64_t next_rows(int64_t rows, int64_t vectors)
{
    const int64_t most = least(rows, vectors > 1 ? MANY_ROWS : 8);
    return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

static inline int64_t next_vectors(int64_t columns)
{
    const int64_t vectors = columns / VL;
    return vectors == MOST_VECTORS + 1 ? 2 : least(vectors, MOST_VECTORS); /* no single one left */
}

/* One chain of some rows and all columns. */
static inline void column_strip(int64_t rows, int64_t columns, int64_t count, matrix a,
                                const float *b, int64_t b_row, float *c, int64_t c_row, bool first)
{
    for (int64_t j = 0, vectors; j<columns; j += vectors> 0 ? vectors * VL : columns) {
        vectors = next_vectors(columns - j);
        for (int64_t r = 0, n; r < rows; r += n) {
            n = next_rows(rows - r, vectors);
            const matrix from = {a.at + r * a.row, a.row, a.column};
            column_blocks[n][vectors](columns - j, count, from, b + j, b_row, c + r * c_row + j,
                                      c_row, first);
        }
    }
}

/* c[rows, columns] = a[rows, depth] b[depth, columns], b and c dense */
static inline void product_by_columns(int64_t rows, int64_t columns, int64_t depth, matrix a,
                                      const float *b, float *c)
{
    const int64_t strip = rows <= 64 ? rows : 8; /* few: b is read once; many: c written in order */
    for (int64_t k = 0; k < depth; k += CHAIN)
        for (int64_t r = 0; r < rows; r += strip) {
            const matrix from = {a.at + r * a.row + k * a.column, a.row, a.column};
            column_strip(least(strip, rows - r), columns, least(CHAIN, depth - k), from,
                         b + k * columns, columns, c + r * columns, columns, k == 0);
        }
}

/* ---- by dots ---- */

/* Lanes first ... first + VL - 1 of the chains over one stretch, of R rows with C columns. */
TR_INLINE void dot_lanes(const int R, const int C, int first, int64_t count, const float *a,
                         int64_t a_row, const float *b, int64_t b_row,
                         float lanes[4][DOT_COLUMNS][CHAINS])
{
    vec sum[4][DOT_COLUMNS];
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int j = 0; j < C; j++)
            sum[r][j] = v_set(0.0f);
    }
    int64_t k = first;
    for (; k - first + CHAINS <= count; k += CHAINS) {
        vec column[DOT_COLUMNS];
        TR_UNROLL
        for (int j = 0; j < C; j++)
            column[j] = v_load(b + j * b_row + k);
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec row = v_load(a + r * a_row + k);
            TR_UNROLL
            for (int j = 0; j < C; j++)
                sum[r][j] = v_fma(row, column[j], sum[r][j]);
        }
    }
    if (k - first < count) {
        const int64_t n = k < count ? least(count - k, VL) : 0;
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec row = v_load_n(a + r * a_row + k, n);
            TR_UNROLL
            for (int j = 0; j < C; j++)
                sum[r][j] = v_fma(row, v_load_n(b + j * b_row + k, n), sum[r][j]);
        }
    }
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int j = 0; j < C; j++)
            v_store(lanes[r][j] + first, sum[r][j]);
    }
}

/* R rows with C columns, from end to end. */
TR_INLINE void dot_block(const int R, const int C, int64_t depth, const float *a, const float *b,
                         float *c, int64_t c_row)
{
    for (int64_t k = 0; k < depth; k += STRETCH) {
        float lanes[4][DOT_COLUMNS][CHAINS];
        for (int first = 0; first < CHAINS; first += VL)
            dot_lanes(R, C, first, least(STRETCH, depth - k), a + k, depth, b + k, depth, lanes);
        for (int r = 0; r < R; r++)
            for (int j = 0; j < C; j++) {
                float *sum = lanes[r][j];
                for (int half = CHAINS / 2; half > 0; half /= 2)
                    for (int i = 0; i < half; i++)
                        sum[i] += sum[i + half];
                c[r * c_row + j] = k == 0 ? sum[0] : c[r * c_row + j] + sum[0];
            }
    }
}

typedef void dot_function(int64_t depth, const float *a, const float *b, float *c, int64_t c_row);

#define DOT_BLOCK(R, C)                                                                            \
    static __attribute__((noinline)) void dots_##R##_##C(int64_t depth, const float *a,            \
                                                         const float *b, float *c, int64_t c_row)  \
    {                                                                                              \
        dot_block(R, C, depth, a, b, c, c_row);                                                    \
    }
#define DOT_BLOCKS(R)                                                                              \
    DOT_BLOCK(R, 1)                                                                                \
    DOT_BLOCK(R, 2)                                                                                \
    DOT_BLOCK(R, 3)                                                                                \
    DOT_BLOCK(R, 4)                                                                                \
    DOT_BLOCK(R, 5)
DOT_BLOCKS(1)
DOT_BLOCKS(2)
DOT_BLOCKS(4)

static dot_function *const dot_blocks[5][DOT_COLUMNS + 1] = {
    [1] = {NULL, dots_1_1, dots_1_2, dots_1_3, dots_1_4, dots_1_5},
    [2] = {NULL, dots_2_1, dots_2_2, dots_2_3, dots_2_4, dots_2_5},
    [4] = {NULL, dots_4_1, dots_4_2, dots_4_3, dots_4_4, dots_4_5},
};

/* c[rows, columns] = a[rows, depth] b[columns, depth]', all of them dense */
static inline void product_by_dots(int64_t rows, int64_t columns, int64_t depth, const float *a,
                                   const float *b, float *c)
{
    for (int64_t j = 0, m; j < columns; j += m) {
        m = least(DOT_COLUMNS, columns - j);
        for (int64_t r = 0, n; r < rows; r += n) {
            n = least(DOT_ROWS, rows - r);
            n = n == 3 ? 2 : n;
            dot_blocks[n][m](depth, a + r * depth, b + j * depth, c + r * columns + j, columns);
        }
    }
}

#endif
