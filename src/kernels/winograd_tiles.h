/* winograd_tiles.h -- an image in tiles of 4 x 4 results, and blocks of such tiles.
 *
 * A convolution's results are cut into tiles from the top left corner; where two rows (columns) or
 * fewer are left, the tile is of few rows (columns). Tiles are counted image by image, in rows. A
 * block of them is transformed and multiplied together: a matrix for each of 6 x 6 points, a row
 * for each tile. Tiles of few rows or columns do not have all points; within a block they are
 * sorted by kind so that the tiles that have a point are neighbours:
 *
 *     few columns | all | few rows | few of both
 */
#ifndef TR_WINOGRAD_TILES_H
#define TR_WINOGRAD_TILES_H

#include "set.h"
#include "winograd_transforms.h"

enum { MAX_TILES = 48, MAX_STRIP = 4 };

typedef struct tile {
    int64_t image, y, x; /* of its first result */
    bool few_rows, few_columns;
    int row; /* in the matrices */
} tile;

typedef struct tile_block {
    tile tiles[MAX_TILES]; /* as they are counted */
    int n;
    int n_few_columns, n_all, n_few_rows;
} tile_block;

/* Where the results of a tile are: offset of the first, strides, and how many there are. */
typedef struct tile_place {
    int64_t first, row, column;
    int rows, columns;
    bool whole; /* as many as its kind has */
} tile_place;

/* A matrix for each point: rows are tiles, columns are channels, rounded up to whole vectors. */
typedef struct point_matrices {
    float *at;
    int64_t row, point; /* strides */
} point_matrices;

TR_INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

TR_INLINE int64_t whole_vectors(int64_t channels)
{
    return (channels + VL - 1) / VL * VL;
}

TR_INLINE int64_t count_tiles(const tr_window_sizes *s)
{
    return s->n * ((s->oh + TILE - 1) / TILE) * ((s->ow + TILE - 1) / TILE);
}

TR_INLINE tile_place place_of(const tr_window_sizes *s, const tile *t)
{
    const int rows = (int)least(t->few_rows ? FEW : TILE, s->oh - t->y);
    const int columns = (int)least(t->few_columns ? FEW : TILE, s->ow - t->x);
    return (tile_place){.first = ((t->image * s->oh + t->y) * s->ow + t->x) * s->oc,
                        .row = s->ow * s->oc,
                        .column = s->oc,
                        .rows = rows,
                        .columns = columns,
                        .whole = rows == (t->few_rows ? FEW : TILE) &&
                                 columns == (t->few_columns ? FEW : TILE)};
}

/* Strides that do not put the rows, or the points, of a matrix into the same few lines of a
 * cache. */
TR_INLINE point_matrices matrices_at(float *at, int64_t rows, int64_t channels)
{
    const int64_t row = whole_vectors(channels) + (channels % 256 == 0 ? 16 : 0);
    return (point_matrices){at, row, (rows * row + 15) / 16 * 16 + 80};
}

TR_INLINE int64_t matrices_floats(int64_t rows, int64_t channels)
{
    return ALL_POINTS * matrices_at(NULL, rows, channels).point;
}

static inline void block_of_tiles(tile_block *block, const tr_window_sizes *s, int64_t first,
                                  int64_t n)
{
    const int64_t rows = (s->oh + TILE - 1) / TILE, columns = (s->ow + TILE - 1) / TILE;
    int64_t x = first % columns, y = first / columns % rows, image = first / columns / rows;
    int count[2][2] = {{0}};
    for (int i = 0; i < n; i++) {
        tile *t = &block->tiles[i];
        *t = (tile){.image = image, .y = y * TILE, .x = x * TILE};
        t->few_rows = s->oh - t->y <= FEW;
        t->few_columns = s->ow - t->x <= FEW;
        t->row = count[t->few_rows][t->few_columns]++;
        if (++x == columns) {
            x = 0;
            if (++y == rows) {
                y = 0;
                image++;
            }
        }
    }
    block->n = (int)n;
    block->n_few_columns = count[0][1];
    block->n_all = count[0][0];
    block->n_few_rows = count[1][0];
    const int before[2][2] = {{count[0][1], 0}, {count[0][1] + count[0][0], (int)n - count[1][1]}};
    for (int i = 0; i < n; i++)
        block->tiles[i].row += before[block->tiles[i].few_rows][block->tiles[i].few_columns];
}

/* The rows of the matrix of a point: from the first of the tiles that have it. */
TR_INLINE int rows_of_point(const tile_block *block, int i, int j, int *from)
{
    *from = outer_point(j) ? block->n_few_columns : 0;
    const int all = block->n_few_columns + block->n_all;
    const int end = outer_point(i) ? all : outer_point(j) ? all + block->n_few_rows : block->n;
    return end - *from;
}

/* The columns of a strip of neighbouring tiles, transformed: the tiles share them. Before and
 * behind the source they are 0. */
typedef struct strip_columns {
    vec at[MAX_STRIP * TILE + TAPS - 1][POINTS];
} strip_columns;

/* A strip of the source: its lines, from the first column inside. */
typedef struct strip_source {
    const float *lines[POINTS];
    int columns, before, inside;
} strip_source;

TR_INLINE void transform_columns(const bool few_rows, const bool whole, const strip_source *from,
                                 int64_t ic, int64_t c, strip_columns *to)
{
    const int n_lines = line_sources(few_rows);
    for (int x = 0; x < from->columns; x++)
        if (x < from->before || x >= from->before + from->inside)
            for (int i = 0; i < POINTS; i++)
                to->at[x][i] = v_set(0.0f);
    for (int x = 0; x < from->inside; x++) {
        const int64_t at = x * ic + c;
        vec d[POINTS];
        TR_UNROLL
        for (int i = 0; i < n_lines; i++)
            d[i] = whole ? v_load(from->lines[i] + at) : v_load_n(from->lines[i] + at, ic - c);
        line_of_source(few_rows, d, to->at[from->before + x]);
    }
}

TR_INLINE void transform_rows(const bool few_rows, const bool few_columns, vec (*columns)[POINTS],
                              float *out, int64_t point)
{
    const int n_columns = line_sources(few_columns);
    for (int i = 0; i < POINTS; i++) {
        if (few_rows && outer_point(i))
            continue;
        vec d[POINTS], at[POINTS];
        TR_UNROLL
        for (int j = 0; j < n_columns; j++)
            d[j] = columns[j][i];
        line_of_source(few_columns, d, at);
        TR_UNROLL
        for (int j = 0; j < POINTS; j++)
            if (!few_columns || !outer_point(j))
                v_store(out + (i * POINTS + j) * point, at[j]);
    }
}

TR_INLINE void transform_strip(const bool few_rows, const tile *strip, int n,
                               const strip_source *from, int64_t ic, const point_matrices *to)
{
    strip_columns columns;
    for (int64_t c = 0; c < ic; c += VL) {
        if (ic - c >= VL)
            transform_columns(few_rows, true, from, ic, c, &columns);
        else
            transform_columns(few_rows, false, from, ic, c, &columns);
        for (int t = 0; t < n; t++) {
            float *out = to->at + strip[t].row * to->row + c;
            if (strip[t].few_columns)
                transform_rows(few_rows, true, columns.at + t * TILE, out, to->point);
            else
                transform_rows(few_rows, false, columns.at + t * TILE, out, to->point);
        }
    }
}

/* Apart, as compilers lose themselves in functions of a thousand vectors. */
static __attribute__((noinline)) void transform_few_rows(const tile *strip, int n,
                                                         const strip_source *from, int64_t ic,
                                                         const point_matrices *to)
{
    transform_strip(true, strip, n, from, ic, to);
}

static __attribute__((noinline)) void transform_all_rows(const tile *strip, int n,
                                                         const strip_source *from, int64_t ic,
                                                         const point_matrices *to)
{
    transform_strip(false, strip, n, from, ic, to);
}

/* How many floats of zeros transform_source wants, for lines outside of the source. */
TR_INLINE int64_t zero_line(const tr_window_sizes *s)
{
    return (MAX_STRIP * TILE + TAPS - 1) * s->ic;
}

/* The tiles' source at the points, to be multiplied. */
static void transform_source(const tr_window_sizes *s, const tile_block *block, const float *src,
                             const float *zeros, const point_matrices *to)
{
    for (int first = 0, n; first < block->n; first += n) {
        const tile *strip = &block->tiles[first];
        for (n = 1; n < MAX_STRIP && first + n < block->n && strip[n].x > strip[n - 1].x; n++)
            ;
        strip_source from;
        from.columns = (n - 1) * TILE + line_sources(strip[n - 1].few_columns);
        const int64_t x = strip->x - s->left, start = x < 0 ? least(-x, from.columns) : 0;
        const int64_t end = least(from.columns, s->iw - x);
        from.before = (int)start;
        from.inside = (int)(end > start ? end - start : 0);
        for (int i = 0; i < line_sources(strip->few_rows); i++) {
            const int64_t y = strip->y - s->top + i;
            const bool inside = y >= 0 && y < s->ih && from.inside > 0;
            from.lines[i] =
                inside ? src + ((strip->image * s->ih + y) * s->iw + x + start) * s->ic : zeros;
        }
        if (strip->few_rows)
            transform_few_rows(strip, n, &from, s->ic, to);
        else
            transform_all_rows(strip, n, &from, s->ic, to);
    }
}

/* winograd_weights.c */
size_t TR_OF_SET(tr_winograd_weights_scratch)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_winograd_weights)(const tr_window_sizes *sizes, const float *src,
                                    const float *diff_dst, float *diff_kernel, float *diff_bias,
                                    void *scratch);

#endif
