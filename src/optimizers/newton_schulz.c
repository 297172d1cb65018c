/* newton_schulz.c -- see newton_schulz.h.
 *
 * Every product is made of 16 x 16 tiles of L'R, for which blocks of L and R are copied side by
 * side: Y'Y and A A = A'A (only one half, the other is the same), and Y B, whose L is Y transposed.
 * A tile's 16 columns are one vector of the compiler's, in as many registers as the machine has it
 * in; there is no fused multiply-add, so that all machines agree.
 */
#include "newton_schulz.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "elementwise.h"
#include "simd.h"

enum {
    TILE = 16,
    DEPTH = 128, /* terms of a block */
    STRIDE = 8,
    STRIPE = 64 /* rows of Y in a part */
};

/* The rows of Y are the longer side of X. */
typedef struct form {
    size_t n, m; /* of Y */
    size_t stripes, tiles;
    float *y[2];     /* [n, m] */
    float *a, *b;    /* [m, m] */
    double *squares; /* [stripes] */
} form;

static form form_of(const tr_newton_schulz *self, void *room)
{
    const bool wide = self->columns > self->rows;
    form of = {.n = wide ? self->columns : self->rows, .m = wide ? self->rows : self->columns};
    of.stripes = (of.n + STRIPE - 1) / STRIPE;
    of.tiles = (of.m + TILE - 1) / TILE;
    of.squares = room;
    of.y[0] = (float *)(of.squares + of.stripes);
    of.y[1] = of.y[0] + of.n * of.m;
    of.a = of.y[1] + of.n * of.m;
    of.b = of.a + of.m * of.m;
    return of;
}

size_t tr_newton_schulz_room(const tr_newton_schulz *self)
{
    const form of = form_of(self, NULL);
    return of.stripes * sizeof(double) + 2 * (of.n + of.m) * of.m * sizeof(float);
}

/* ---- tiles ---- */

/* Element (k, i) of an operand is at[k * down + i * across]; there are `width` <= 16 columns. */
typedef struct operand {
    const float *at;
    size_t down, across, width;
} operand;

/* t [16, 16] = l' r over `depth` terms, a multiple of STRIDE; r [depth, 16]. Four rows of t take
 * STRIDE terms at a time, so that loads and stores of t do not hold up the sums. */
TR_SIMD_CLONES
static void multiply_blocks(float *restrict t, const operand *l, const float *restrict r,
                            size_t depth)
{
    const size_t down = l->down, across = l->across;
    memset(t, 0, TILE * TILE * sizeof *t);
    for (size_t i = 0; i < TILE; i += 4)
        for (size_t k = 0; k < depth; k += STRIDE) {
            float *restrict row = t + i * TILE;
            const float *a = l->at + k * down + i * across, *b = r + k * TILE;
            for (size_t j = 0; j < TILE; j++) {
                float s0 = row[j], s1 = row[TILE + j];
                float s2 = row[2 * TILE + j], s3 = row[3 * TILE + j];
                for (size_t d = 0; d < STRIDE; d++) {
                    s0 += a[d * down] * b[d * TILE + j];
                    s1 += a[d * down + across] * b[d * TILE + j];
                    s2 += a[d * down + 2 * across] * b[d * TILE + j];
                    s3 += a[d * down + 3 * across] * b[d * TILE + j];
                }
                row[j] = s0;
                row[TILE + j] = s1;
                row[2 * TILE + j] = s2;
                row[3 * TILE + j] = s3;
            }
        }
}

/* Rows first .. first + depth - 1 of an operand as [depth, 16], zeros behind what it has. */
static void copy_block(float block[DEPTH * TILE], const operand *from, size_t first, size_t depth)
{
    const float *at = from->at + first * from->down;
    if (from->width == TILE && from->across == 1) {
        for (size_t k = 0; k < depth; k++)
            memcpy(block + k * TILE, at + k * from->down, TILE * sizeof *block);
        memset(block + depth * TILE, 0, (DEPTH - depth) * TILE * sizeof *block);
        return;
    }
    memset(block, 0, DEPTH * TILE * sizeof *block);
    for (size_t i = 0; i < from->width; i++)
        for (size_t k = 0; k < depth; k++)
            block[k * TILE + i] = at[k * from->down + i * from->across];
}

/* c = l' r over `terms`. */
static void product(float c[TILE * TILE], const operand *l, const operand *r, size_t terms)
{
    _Alignas(64) float left[DEPTH * TILE], right[DEPTH * TILE], block[TILE * TILE];
    memset(c, 0, TILE * TILE * sizeof *c);
    for (size_t first = 0; first < terms; first += DEPTH) {
        const size_t depth = terms - first < DEPTH ? terms - first : DEPTH;
        operand here = {l->at + first * l->down, l->down, l->across, TILE};
        copy_block(right, r, first, depth);
        if (l->width < TILE || depth % STRIDE != 0) {
            copy_block(left, l, first, depth);
            here = (operand){left, TILE, 1, TILE};
        }
        multiply_blocks(block, &here, right, (depth + STRIDE - 1) / STRIDE * STRIDE);
        for (size_t i = 0; i < TILE * TILE; i++)
            c[i] += block[i];
    }
}

static size_t tile_width(const form *of, size_t tile)
{
    const size_t left = of->m - tile * TILE;
    return left < TILE ? left : TILE;
}

/* ---- passes ---- */

/* Part p is tile (row, column), row <= column, of the upper half of a matrix [m, m]. */
static void find_tile(const form *of, size_t part, size_t *row, size_t *column)
{
    *row = 0;
    for (size_t n = of->tiles; part >= n; n--, ++*row)
        part -= n;
    *column = *row + part;
}

/* to = along of + across of'of, a tile and its mirror image. */
static void gram_tile(const form *of, const float *from, size_t terms, float along, float across,
                      float *to, size_t part)
{
    _Alignas(64) float c[TILE * TILE];
    size_t row, column;
    find_tile(of, part, &row, &column);
    const operand l = {from + row * TILE, of->m, 1, tile_width(of, row)};
    const operand r = {from + column * TILE, of->m, 1, tile_width(of, column)};
    product(c, &l, &r, terms);
    for (size_t i = 0; i < l.width; i++)
        for (size_t k = 0; k < r.width; k++) {
            const size_t at = (row * TILE + i) * of->m + column * TILE + k;
            float value = across * c[i * TILE + k];
            if (along != 0.0f) /* of A itself */
                value = along * from[at] + value;
            to[at] = value;
            to[(column * TILE + k) * of->m + row * TILE + i] = value;
        }
}

/* to = a from + from B, some rows. */
static void multiply(const form *of, const float *from, float a, float *to, size_t first, size_t n)
{
    _Alignas(64) float c[TILE * TILE];
    for (size_t i = 0; i < n; i += TILE) {
        const size_t at = (first + i) * of->m;
        const operand l = {from + at, 1, of->m, n - i < TILE ? n - i : TILE};
        for (size_t tile = 0; tile < of->tiles; tile++) {
            const operand r = {of->b + tile * TILE, of->m, 1, tile_width(of, tile)};
            product(c, &l, &r, of->m);
            for (size_t k = 0; k < l.width * r.width; k++) {
                const size_t row = k / r.width, column = k % r.width;
                const size_t place = at + row * of->m + tile * TILE + column;
                to[place] = a * from[place] + c[row * TILE + column];
            }
        }
    }
}

static size_t stripe_length(const form *of, size_t part)
{
    const size_t left = of->n - part * STRIPE;
    return left < STRIPE ? left : STRIPE;
}

tr_stripe tr_newton_schulz_stripe(const tr_newton_schulz *self, size_t part)
{
    const form of = form_of(self, NULL);
    const size_t n = stripe_length(&of, part);
    if (self->columns > self->rows)
        return (tr_stripe){part * STRIPE, self->rows, n, self->columns};
    return (tr_stripe){part * STRIPE * of.m, 1, n * of.m, n * of.m};
}

/* Between a stripe of X and its rows of Y. */
static void put(const form *of, const tr_stripe *at, const float *x, float *y)
{
    if (at->count == 1)
        memcpy(y, x + at->first, at->length * sizeof *y);
    for (size_t i = 0; at->count > 1 && i < at->count; i++)
        for (size_t k = 0; k < at->length; k++)
            y[k * of->m + i] = x[at->first + i * at->stride + k];
}

static void take(const form *of, const tr_stripe *at, const float *y, float factor, float *x)
{
    for (size_t i = 0; i < at->count; i++)
        for (size_t k = 0; k < at->length; k++)
            x[at->first + i * at->stride + k] = factor * (at->count == 1 ? y[k] : y[k * of->m + i]);
}

static void divide_by_norm(const form *of, float *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < of->stripes; i++)
        sum += of->squares[i];
    const float norm = (float)sqrt(sum) + 1e-7f;
    for (size_t i = 0; i < n; i++)
        y[i] = y[i] / norm;
}

/* PUT, DIVIDE, steps times (GRAM, SQUARE, MULTIPLY), TAKE. */
enum { PUT, DIVIDE, FIRST_STEP };
enum { GRAM, SQUARE, MULTIPLY, PASSES_OF_STEP };

int tr_newton_schulz_passes(const tr_newton_schulz *self)
{
    return FIRST_STEP + PASSES_OF_STEP * self->steps + 1;
}

static bool is_of_tiles(const tr_newton_schulz *self, int pass)
{
    return pass >= FIRST_STEP && pass + 1 < tr_newton_schulz_passes(self) &&
           (pass - FIRST_STEP) % PASSES_OF_STEP != MULTIPLY;
}

size_t tr_newton_schulz_parts(const tr_newton_schulz *self, int pass)
{
    const form of = form_of(self, NULL);
    return is_of_tiles(self, pass) ? of.tiles * (of.tiles + 1) / 2 : of.stripes;
}

void tr_newton_schulz_run(const tr_newton_schulz *self, float *x, float factor, void *room,
                          int pass, size_t part)
{
    const form of = form_of(self, room);
    const int step = (pass - FIRST_STEP) / PASSES_OF_STEP; /* its Y is y[step % 2] */
    const size_t first = part * STRIPE;
    if (pass >= FIRST_STEP && step < self->steps) {
        float *y = of.y[step % 2];
        switch ((pass - FIRST_STEP) % PASSES_OF_STEP) {
        case GRAM:
            gram_tile(&of, y, of.n, 0.0f, 1.0f, of.a, part);
            return;
        case SQUARE:
            gram_tile(&of, of.a, of.m, (float)self->b, (float)self->c, of.b, part);
            return;
        default:
            multiply(&of, y, (float)self->a, of.y[(step + 1) % 2], first, stripe_length(&of, part));
            return;
        }
    }
    const tr_stripe at = tr_newton_schulz_stripe(self, part);
    float *y = of.y[pass < FIRST_STEP ? 0 : self->steps % 2] + first * of.m;
    if (pass == PUT) {
        put(&of, &at, x, y);
        of.squares[part] = tr_sum_of_squares(y, stripe_length(&of, part) * of.m);
    } else if (pass == DIVIDE) {
        divide_by_norm(&of, y, stripe_length(&of, part) * of.m);
    } else {
        take(&of, &at, y, factor, x);
    }
}
