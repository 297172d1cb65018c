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
 * Blocks of some rows and columns are in registers for a piece of their chains at a time, between
 * which these lie in memory: this shows in no bit.
 */
#ifndef TR_INNER_BLOCKS_H
#define TR_INNER_BLOCKS_H

#include "vector.h"

enum { CHAIN = 256, CHAINS = 16, STRETCH = CHAINS * CHAIN };

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- by columns ---- */

enum {
    COLUMN_VECTORS = 3,
    COLUMN_ROWS = TR_REGISTERS == 32 ? 8 : 4,
    FEW_ROWS = 64,         /* whose results stay in the cache */
    MANY_WEIGHTS = 1 << 20 /* more than the caches of a core hold */
};

/* A matrix whose elements lie `row` and `column` apart. */
typedef struct matrix {
    const float *at;
    int64_t row, column;
} matrix;

/* A piece of the chains of a strip: `count` of them long, and whether these begin with it. */
typedef struct piece {
    matrix a;
    const float *b;
    float *c;
    int64_t columns, count; /* of b and c, rows of which lie so far apart */
    bool begins;
} piece;

TR_INLINE vec load_first(bool all, const float *p, int64_t n)
{
    return all ? v_load(p) : v_load_n(p, n);
}

/* R rows and V vectors of columns, from row r0 and column j0 on; the last vector may be a TAIL. */
TR_INLINE void column_block(const int R, const int V, const bool TAIL, const piece *p, int64_t r0,
                            int64_t j0)
{
    const int64_t step = p->a.column, columns = p->columns, n = (columns - j0) - (V - 1) * VL;
    const float *a = p->a.at + r0 * p->a.row, *b = p->b + j0;
    float *c = p->c + r0 * columns + j0;
    vec sum[8][COLUMN_VECTORS];
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int v = 0; v < V; v++)
            sum[r][v] = p->begins ? v_set(0.0f)
                                  : load_first(!TAIL || v < V - 1, c + r * columns + v * VL, n);
    }
    if (p->begins) { /* the next rows are only written: their lines are on the way meanwhile */
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            TR_UNROLL
            for (int v = 0; v < V; v += 2)
                v_fetch_to_write(c + (R + r) * columns + v * VL);
        }
    }
    for (int64_t k = 0; k < p->count; k++, a += step, b += columns) {
        vec row[COLUMN_VECTORS];
        TR_UNROLL
        for (int v = 0; v < V; v++)
            row[v] = load_first(!TAIL || v < V - 1, b + v * VL, n);
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec factor = v_set(a[r * p->a.row]);
            TR_UNROLL
            for (int v = 0; v < V; v++)
                sum[r][v] = v_fma(factor, row[v], sum[r][v]);
        }
    }
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int v = 0; v < V; v++)
            if (!TAIL || v < V - 1)
                v_store(c + r * columns + v * VL, sum[r][v]);
            else
                v_store_n(c + r * columns + v * VL, sum[r][v], n);
    }
}

/* Rows from r to end, R at a time as long as there are so many. */
typedef void column_function(const piece *p, int64_t r, int64_t end, int64_t j);

#define COLUMN_BLOCK(R, V, name, TAIL)                                                             \
    static __attribute__((noinline)) void columns_##R##_##V##name(const piece *p, int64_t r,       \
                                                                  int64_t end, int64_t j)          \
    {                                                                                              \
        for (; r + R <= end; r += R)                                                               \
            column_block(R, V, TAIL, p, r, j);                                                     \
    }
#define COLUMN_BLOCKS(R)                                                                           \
    COLUMN_BLOCK(R, 1, , false)                                                                    \
    COLUMN_BLOCK(R, 2, , false)                                                                    \
    COLUMN_BLOCK(R, 3, , false)                                                                    \
    COLUMN_BLOCK(R, 1, _tail, true)                                                                \
    COLUMN_BLOCK(R, 2, _tail, true)                                                                \
    COLUMN_BLOCK(R, 3, _tail, true)
#define COLUMN_ROW(R)                                                                              \
    {                                                                                              \
        {NULL, columns_##R##_1, columns_##R##_2, columns_##R##_3},                                 \
        {                                                                                          \
            NULL, columns_##R##_1_tail, columns_##R##_2_tail, columns_##R##_3_tail                 \
        }                                                                                          \
    }
COLUMN_BLOCKS(1)
COLUMN_BLOCKS(2)
COLUMN_BLOCKS(4)
COLUMN_BLOCKS(8)

/* [rows][with a tail][vectors] */
static column_function *const column_blocks[9][2][COLUMN_VECTORS + 1] = {
    [1] = COLUMN_ROW(1), [2] = COLUMN_ROW(2), [4] = COLUMN_ROW(4), [8] = COLUMN_ROW(8)};

/* Rows of the next block; those of one vector are the highest, as each needs several sums at once
 * to keep the unit busy. */
static inline int64_t next_rows(int64_t rows, int64_t vectors)
{
    const int64_t most = least(rows, vectors > 1 ? COLUMN_ROWS : 8);
    return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

/* Vectors of the next one; of four, not one is left alone. */
static inline int64_t next_vectors(int64_t columns)
{
    const int64_t vectors = (columns + VL - 1) / VL;
    return vectors == COLUMN_VECTORS + 1 ? 2 : least(vectors, COLUMN_VECTORS);
}

static inline void run_piece(const piece *p, int64_t rows)
{
    for (int64_t j = 0, vectors; j < p->columns; j += vectors * VL) {
        vectors = next_vectors(p->columns - j);
        const bool tail = j + vectors * VL > p->columns;
        for (int64_t r = 0, n; r < rows; r += n) {
            const int64_t at_once = next_rows(rows - r, vectors);
            n = (rows - r) / at_once * at_once;
            column_blocks[at_once][tail][vectors](p, r, rows, j);
        }
    }
}

/* Rows whose results are written in turn: a few of long ones. */
static inline int64_t strip_rows(int64_t rows, int64_t columns)
{
    return rows <= FEW_ROWS || columns <= FEW_ROWS ? least(rows, FEW_ROWS) : 4;
}

/* Floats: the sums of a strip's next chains. */
static inline int64_t columns_scratch(int64_t rows, int64_t columns, int64_t depth)
{
    return depth <= CHAIN ? 0 : strip_rows(rows, columns) * columns;
}

static inline void add_to(float *c, const float *more, int64_t count)
{
    int64_t i = 0;
    for (; i + VL <= count; i += VL)
        v_store(c + i, v_add(v_load(c + i), v_load(more + i)));
    if (i < count)
        v_store_n(c + i, v_add(v_load_n(c + i, count - i), v_load_n(more + i, count - i)),
                  count - i);
}

/* c[rows, columns] = a[rows, depth] b[depth, columns], b and c dense. Where nearly all time goes
 * into reading b, that is done in the order of memory, a short piece of all chains at a time. */
static inline void product_by_columns(int64_t rows, int64_t columns, int64_t depth, matrix a,
                                      const float *b, float *c, float *scratch)
{
    const int64_t strip = strip_rows(rows, columns);
    const bool reads = rows < 4 || (rows <= FEW_ROWS && depth * columns > MANY_WEIGHTS);
    const int64_t length = reads ? 16 : CHAIN;
    for (int64_t r = 0; r < rows; r += strip) {
        const int64_t n = least(strip, rows - r);
        for (int64_t from = 0; from < depth; from += CHAIN) {
            const int64_t end = least(from + CHAIN, depth);
            float *to = from == 0 ? c + r * columns : scratch;
            for (int64_t k = from; k < end; k += length)
                run_piece(&(piece){.a = {a.at + r * a.row + k * a.column, a.row, a.column},
                                   .b = b + k * columns,
                                   .c = to,
                                   .columns = columns,
                                   .count = least(length, end - k),
                                   .begins = k == from},
                          n);
            if (from > 0)
                add_to(c + r * columns, scratch, n * columns);
        }
    }
}

/* ---- by dots ---- */

enum {
    DOT_COLUMNS = 5,
    DOT_ROWS = TR_REGISTERS == 32 ? 4 : 2,
    DOT_STRIP = 16, /* rows whose chains lie in memory at once */
    DOT_PIECE = 512 /* numbers of the rows and columns of a block that stay in the cache */
};

/* The chains of a row with a column. */
typedef float chains[CHAINS];

/* Of R rows with C columns `count` numbers, to lanes first ... first + VL - 1 of their chains. */
TR_INLINE void dot_lanes(const int R, const int C, int first, int64_t count, const float *a,
                         const float *b, int64_t depth, chains (*lanes)[DOT_COLUMNS])
{
    vec sum[4][DOT_COLUMNS];
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int j = 0; j < C; j++)
            sum[r][j] = v_load(lanes[r][j] + first);
    }
    int64_t k = first;
    for (; k - first + CHAINS <= count; k += CHAINS) {
        vec column[DOT_COLUMNS];
        TR_UNROLL
        for (int j = 0; j < C; j++)
            column[j] = v_load(b + j * depth + k);
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec row = v_load(a + r * depth + k);
            TR_UNROLL
            for (int j = 0; j < C; j++)
                sum[r][j] = v_fma(row, column[j], sum[r][j]);
        }
    }
    if (k - first < count) {
        const int64_t n = k < count ? least(count - k, VL) : 0;
        TR_UNROLL
        for (int r = 0; r < R; r++) {
            const vec row = v_load_n(a + r * depth + k, n);
            TR_UNROLL
            for (int j = 0; j < C; j++)
                sum[r][j] = v_fma(row, v_load_n(b + j * depth + k, n), sum[r][j]);
        }
    }
    TR_UNROLL
    for (int r = 0; r < R; r++) {
        TR_UNROLL
        for (int j = 0; j < C; j++)
            v_store(lanes[r][j] + first, sum[r][j]);
    }
}

typedef void dot_function(int64_t count, const float *a, const float *b, int64_t depth,
                          chains (*lanes)[DOT_COLUMNS]);

#define DOT_BLOCK(R, C)                                                                            \
    static __attribute__((noinline)) void dots_##R##_##C(                                          \
        int64_t count, const float *a, const float *b, int64_t depth, chains(*lanes)[DOT_COLUMNS]) \
    {                                                                                              \
        for (int first = 0; first < CHAINS; first += VL)                                           \
            dot_lanes(R, C, first, count, a, b, depth, lanes);                                     \
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

/* One stretch of up to DOT_STRIP rows with up to DOT_COLUMNS columns; added to what the earlier
 * ones gave. */
static inline void dot_strip(int64_t rows, int64_t columns, int64_t count, const float *a,
                             const float *b, int64_t depth, float *c, int64_t c_row, bool first)
{
    chains lanes[DOT_STRIP][DOT_COLUMNS];
    memset(lanes, 0, (size_t)rows * sizeof *lanes);
    for (int64_t k = 0; k < count; k += DOT_PIECE)
        for (int64_t r = 0, n; r < rows; r += n) {
            n = least(rows - r, DOT_ROWS);
            n = n == 3 ? 2 : n;
            dot_blocks[n][columns](least(DOT_PIECE, count - k), a + r * depth + k, b + k, depth,
                                   lanes + r);
        }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < columns; j++) {
            const float sum = v_sum_of_16(lanes[r][j]);
            c[r * c_row + j] = first ? sum : c[r * c_row + j] + sum;
        }
}

/* c[rows, columns] = a[rows, depth] b[columns, depth]', all of them dense */
static inline void product_by_dots(int64_t rows, int64_t columns, int64_t depth, const float *a,
                                   const float *b, float *c)
{
    for (int64_t j = 0; j < columns; j += DOT_COLUMNS)
        for (int64_t r = 0; r < rows; r += DOT_STRIP)
            for (int64_t k = 0; k < depth; k += STRETCH)
                dot_strip(least(DOT_STRIP, rows - r), least(DOT_COLUMNS, columns - j),
                          least(STRETCH, depth - k), a + r * depth + k, b + j * depth + k, depth,
                          c + r * columns + j, columns, k == 0);
}

#endif
