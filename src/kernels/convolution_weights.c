/* convolution_weights.c -- direct convolution, backward weights and bias.
 *
 * Pixels of diff_dst are summed in parts: the rectangle of tr_direct_largest(), which for images of
 * up to PIXELS pixels is several whole images, for others some rows of one, or a piece of a row.
 * diff_kernel[kh,kw,ic,oc] = ((0 + sum of part 0) + sum of part 1) ..., where the sum of a part is
 * the chain: 0; then, image by image, row by row, column by column:
 * sum = fma(src[n,ih,iw,ic], diff_dst[n,oh,ow,oc], sum). A column outside of src is 0 and counts. A
 * row outside is left out where kw * ic > SHORT_RUN; else it is 0 and counts, too.
 *
 * diff_bias[oc] likewise; its sum of a part is (s0 + s1) + (s2 + s3), where s_i is the sum over
 * columns i, i + 4 ... of the part, row by row.
 *
 * A block is some taps times vectors of channels, whose sums stay in registers over a part. Where
 * the run of a row is short, it has taps of several rows of the kernel.
 */
#include "direct.h"

enum { PIXELS = 128, SHORT_RUN = 5, WORTH_A_COPY = 32 };
enum { MAX_TAPS = 14, MAX_ROW_VECTORS = TR_REGISTERS == 32 ? 2 : 1 };

/* ---- a block ---- */

/* Where a block finds its pixels, and where its sums go. Of diff_dst it sees `vectors` vectors a
 * pixel. */
typedef struct places {
    const float *src, *diff;
    int64_t src_image, src_row, src_pixel, src_step; /* src_step: a row of diff further */
    int64_t diff_image, diff_row, diff_pixel;
    int64_t images, rows, columns;
    float *sum;                     /* of the first tap and channel */
    int64_t taps_apart, rows_apart; /* sums of the next tap, of the next row of the kernel */
    bool first;                     /* sums of other parts are 0, and not yet there */
} places;

/* The taps of `rows` rows of the kernel, `taps` of each; `last` channels of the last vector. */
TR_INLINE void block(const int rows, const int taps, const int vectors, const places *at,
                     int64_t last)
{
    const int64_t src_row = at->src_row, src_pixel = at->src_pixel, diff_pixel = at->diff_pixel;
    vec sum[MAX_TAPS][TR_DIRECT_VECTORS];
    TR_UNROLL
    for (int k = 0; k < rows * taps; k++) {
        TR_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[k][v] = v_set(0.0f);
    }
    for (int64_t image = 0; image < at->images; image++)
        for (int64_t row = 0; row < at->rows; row++) {
            const float *src = at->src + image * at->src_image + row * at->src_step;
            const float *diff = at->diff + image * at->diff_image + row * at->diff_row;
            for (int64_t i = 0; i < at->columns; i++, src += src_pixel, diff += diff_pixel) {
                vec d[TR_DIRECT_VECTORS];
                TR_UNROLL
                for (int v = 0; v < vectors; v++)
                    d[v] = v_load(diff + v * VL);
                TR_UNROLL
                for (int k = 0; k < rows * taps; k++) {
                    const vec x = v_set(src[k / taps * src_row + k % taps]);
                    TR_UNROLL
                    for (int v = 0; v < vectors; v++)
                        sum[k][v] = v_fma(x, d[v], sum[k][v]);
                }
            }
        }
    TR_UNROLL
    for (int k = 0; k < rows * taps; k++) {
        float *to = at->sum + k / taps * at->rows_apart + k % taps * at->taps_apart;
        TR_UNROLL
        for (int v = 0; v < vectors; v++, to += VL) {
            const int64_t n = v < vectors - 1 ? VL : last;
            const vec others = at->first ? v_set(0.0f) : n == VL ? v_load(to) : v_load_n(to, n);
            if (n == VL)
                v_store(to, v_add(others, sum[k][v]));
            else
                v_store_n(to, v_add(others, sum[k][v]), n);
        }
    }
}

/* ---- all of them ---- */

typedef void block_function(const places *at, int64_t last);

#define BLOCK(rows, taps, vectors)                                                                 \
    static void block_##rows##_##taps##_##vectors(const places *at, int64_t last)                  \
    {                                                                                              \
        block(rows, taps, vectors, at, last);                                                      \
    }
#define NAMES(rows, taps, vectors) block_##rows##_##taps##_##vectors,
#define UP_TO_3(DO, vectors) DO(1, 1, vectors) DO(1, 2, vectors) DO(1, 3, vectors)
#define UP_TO_4(DO, vectors) UP_TO_3(DO, vectors) DO(1, 4, vectors)
#define UP_TO_6(DO, vectors) UP_TO_4(DO, vectors) DO(1, 5, vectors) DO(1, 6, vectors)
#define UP_TO_8(DO, vectors) UP_TO_6(DO, vectors) DO(1, 7, vectors) DO(1, 8, vectors)
#define UP_TO_12(DO, vectors)                                                                      \
    UP_TO_8(DO, vectors)                                                                           \
    DO(1, 9, vectors) DO(1, 10, vectors) DO(1, 11, vectors) DO(1, 12, vectors)
#define UP_TO_14(DO, vectors) UP_TO_12(DO, vectors) DO(1, 13, vectors) DO(1, 14, vectors)

/* As tr_direct_most has it; of several rows for 3 x 3 and 5 x 5 kernels of a single channel. */
#if TR_REGISTERS == 32
UP_TO_14(BLOCK, 1)
UP_TO_14(BLOCK, 2)
UP_TO_8(BLOCK, 3)
UP_TO_6(BLOCK, 4)
BLOCK(3, 3, 1)
BLOCK(3, 3, 2)
BLOCK(2, 5, 1)
BLOCK(2, 5, 2)
static block_function *const of_one_row[][TR_DIRECT_MOST] = {
    {0}, {UP_TO_14(NAMES, 1)}, {UP_TO_14(NAMES, 2)}, {UP_TO_8(NAMES, 3)}, {UP_TO_6(NAMES, 4)}};
static block_function *const of_two_rows[] = {NAMES(2, 5, 1) NAMES(2, 5, 2)};
static block_function *const of_three_rows[] = {NAMES(3, 3, 1) NAMES(3, 3, 2)};
#else
UP_TO_12(BLOCK, 1)
UP_TO_6(BLOCK, 2)
UP_TO_4(BLOCK, 3)
UP_TO_3(BLOCK, 4)
BLOCK(3, 3, 1)
BLOCK(2, 5, 1)
static block_function *const of_one_row[][TR_DIRECT_MOST] = {
    {0}, {UP_TO_12(NAMES, 1)}, {UP_TO_6(NAMES, 2)}, {UP_TO_4(NAMES, 3)}, {UP_TO_3(NAMES, 4)}};
static block_function *const of_two_rows[] = {NAMES(2, 5, 1)};
static block_function *const of_three_rows[] = {NAMES(3, 3, 1)};
#endif

/* Rows of the kernel in a block: several where one has too few sums to keep a core busy. */
static int rows_of_block(int64_t run, int vectors)
{
    if (run * vectors >= 8 || (run != 3 && run != 5))
        return 1;
    return run == 3 ? 3 : 2;
}

static block_function *block_of(int rows, int64_t taps, int vectors)
{
    if (rows == 3)
        return of_three_rows[vectors - 1];
    return rows == 2 ? of_two_rows[vectors - 1] : of_one_row[vectors][taps - 1];
}

/* ---- a part ---- */

/* The rows of src that a part may read, from column part.column * sw - left on. */
typedef struct source {
    const float *at;
    int64_t row, end; /* of the image; behind the last */
    int64_t image_pitch, row_pitch;
} source;

static bool is_short(const tr_window_sizes *s)
{
    return s->kw * s->ic <= SHORT_RUN;
}

/* Is all there that is read? */
static bool in_place(const tr_window_sizes *s)
{
    return s->left == 0 && (s->ow - 1) * s->sw + s->kw <= s->iw &&
           (!is_short(s) || (s->top == 0 && (s->oh - 1) * s->sh + s->kh <= s->ih));
}

static source source_of(const tr_window_sizes *s, const tr_direct_part *part, const float *src,
                        float *scratch)
{
    const float *image = src + part->image * s->ih * s->iw * s->ic;
    const int64_t column = part->column * s->sw - s->left;
    if (in_place(s))
        return (source){image + column * s->ic, 0, s->ih, s->ih * s->iw * s->ic, s->iw * s->ic};
    int64_t row = part->row * s->sh - s->top, end = row + (part->rows - 1) * s->sh + s->kh;
    const int64_t columns = (part->columns - 1) * s->sw + s->kw;
    if (!is_short(s)) {
        row = row > 0 ? row : 0;
        end = end < s->ih ? end : s->ih;
        end = end > row ? end : row;
    }
    tr_direct_copy(image, part->images, s->ih, s->iw, s->ic, row, end - row, column, columns,
                   scratch);
    return (source){scratch, row, end, (end - row) * columns * s->ic, columns * s->ic};
}

/* The channels of a block, of a part of diff_dst: in place, or copied together. Copies are there
 * for the channels that fill no vector, and for a first level cache, which pixels that are many
 * channels apart do not fill. */
static void set_diff(places *at, const tr_window_sizes *s, const float *diff, int vectors,
                     int64_t last, float *copy)
{
    const int64_t width = vectors * VL;
    at->diff = diff;
    at->diff_pixel = s->oc;
    at->diff_row = s->ow * s->oc;
    at->diff_image = s->oh * at->diff_row;
    if (last == VL && (s->oc == width || s->kh * s->kw * s->ic < WORTH_A_COPY))
        return;
    float *to = copy;
    for (int64_t image = 0; image < at->images; image++)
        for (int64_t row = 0; row < at->rows; row++) {
            const float *from = diff + image * at->diff_image + row * at->diff_row;
            for (int64_t i = 0; i < at->columns; i++, from += s->oc, to += width) {
                for (int v = 0; v < vectors - 1; v++)
                    v_store(to + v * VL, v_load(from + v * VL));
                v_store(to + width - VL, v_load_n(from + width - VL, last));
            }
        }
    at->diff = copy;
    at->diff_pixel = width;
    at->diff_row = at->columns * width;
    at->diff_image = at->rows * at->diff_row;
}

/* Adds the sums over a part to those of `rows` rows of the kernel from row kh on. `whole` is for
 * all rows of the part; `first`: of src, that its first row and row 0 of the kernel want. */
static void add_rows(const places *whole, const tr_window_sizes *s, const source *from,
                     int64_t first, int64_t kh, int rows, int vectors, int64_t last)
{
    const int64_t run = s->kw * s->ic, most = rows > 1 ? run : tr_direct_most[vectors],
                  n = (run + most - 1) / most;
    /* rows of the part whose row of src is there */
    const int64_t at_first = first + kh - from->row, left = from->end - from->row - at_first;
    const int64_t begin = at_first < 0 ? (-at_first + s->sh - 1) / s->sh : 0,
                  end = left > 0 ? (left + s->sh - 1) / s->sh : 0;
    places at = *whole;
    at.rows = (end < whole->rows ? end : whole->rows) - begin;
    if (at.rows <= 0) {
        if (!at.first)
            return;
        at.rows = 0;
    }
    at.src = from->at + (at_first + begin * s->sh) * from->row_pitch;
    at.diff += begin * at.diff_row;
    at.sum += kh * run * s->oc;
    for (int64_t i = 0; i < n; i++) {
        const int64_t taps = run / n + (i < run % n);
        block_of(rows, taps, vectors)(&at, last);
        at.src += taps;
        at.sum += taps * s->oc;
    }
}

/* Adds the sums over a part. */
static void add_part(const tr_window_sizes *s, const tr_direct_part *part, const source *from,
                     const float *diff_dst, float *diff_kernel, float *copy)
{
    const int64_t run = s->kw * s->ic, all = (s->oc + VL - 1) / VL;
    int most = TR_OF_SET(tr_direct_vectors)(run, s->oc, PIXELS);
    const int most_rows = rows_of_block(run, most);
    if (most_rows > 1 && most > MAX_ROW_VECTORS)
        most = MAX_ROW_VECTORS;
    places at = {
        .src_image = from->image_pitch,
        .src_row = from->row_pitch,
        .src_pixel = s->sw * s->ic,
        .src_step = s->sh * from->row_pitch,
        .images = part->images,
        .rows = part->rows,
        .columns = part->columns,
        .taps_apart = s->oc,
        .rows_apart = run * s->oc,
        .first = part->image + part->row + part->column == 0,
    };
    const float *diff =
        diff_dst + ((part->image * s->oh + part->row) * s->ow + part->column) * s->oc;
    for (int64_t vector = 0; vector < all; vector += most) {
        const int vectors = all - vector < most ? (int)(all - vector) : most;
        const int64_t left = s->oc - (vector + vectors - 1) * VL, last = left < VL ? left : VL;
        set_diff(&at, s, diff + vector * VL, vectors, last, copy);
        at.sum = diff_kernel + vector * VL;
        for (int64_t kh = 0; kh < s->kh;) {
            const int rows = kh + most_rows <= s->kh ? most_rows : 1;
            add_rows(&at, s, from, part->row * s->sh - s->top, kh, rows, vectors, last);
            kh += rows;
        }
    }
}

/* ---- bias ---- */

/* Adds the sums over a part of the first `last` channels of a vector. */
static void add_channels(const tr_window_sizes *s, const tr_direct_part *part, const float *diff,
                         int64_t last, float *diff_bias)
{
    vec sum[4] = {v_set(0.0f), v_set(0.0f), v_set(0.0f), v_set(0.0f)};
    for (int64_t image = 0; image < part->images; image++)
        for (int64_t row = 0; row < part->rows; row++) {
            const float *d = diff + (image * s->oh + row) * s->ow * s->oc;
            int64_t i = 0;
            for (; i + 4 <= part->columns; i += 4, d += 4 * s->oc)
                TR_UNROLL for (int j = 0; j < 4; j++) sum[j] =
                    v_add(sum[j], v_load_n(d + j * s->oc, last));
            TR_UNROLL for (int j = 0; j < 3; j++) if (i + j < part->columns) sum[j] =
                v_add(sum[j], v_load_n(d + j * s->oc, last));
        }
    const vec all = v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3]));
    v_store_n(diff_bias, v_add(v_load_n(diff_bias, last), all), last);
}

void TR_OF_SET(tr_direct_add_bias)(const tr_window_sizes *s, const tr_direct_part *part,
                                   const float *diff_dst, float *diff_bias)
{
    const float *diff =
        diff_dst + ((part->image * s->oh + part->row) * s->ow + part->column) * s->oc;
    for (int64_t o = 0; o < s->oc; o += VL)
        add_channels(s, part, diff + o, s->oc - o < VL ? s->oc - o : VL, diff_bias + o);
}

/* ---- results ---- */

/* Floats of the copies of a part of src, 0 where it is read in place, and of diff_dst. */
static int64_t src_copy(const tr_window_sizes *s, const tr_direct_part *part)
{
    const int64_t rows = (part->rows - 1) * s->sh + s->kh,
                  columns = (part->columns - 1) * s->sw + s->kw;
    return in_place(s) ? 0 : part->images * rows * columns * s->ic;
}

static int64_t diff_copy(const tr_direct_part *part)
{
    return part->images * part->rows * part->columns * TR_DIRECT_VECTORS * VL;
}

size_t TR_OF_SET(tr_direct_weights_scratch)(const tr_window_sizes *s)
{
    const tr_direct_part part = tr_direct_largest(s->n, s->oh, s->ow, PIXELS);
    return (size_t)(src_copy(s, &part) + diff_copy(&part)) * sizeof(float);
}

void TR_OF_SET(tr_direct_weights)(const tr_window_sizes *s, const float *src, const float *diff_dst,
                                  float *diff_kernel, float *diff_bias, void *scratch)
{
    const tr_direct_part largest = tr_direct_largest(s->n, s->oh, s->ow, PIXELS);
    float *for_diff = scratch, *for_src = for_diff + diff_copy(&largest);
    if (diff_bias != NULL)
        memset(diff_bias, 0, (size_t)s->oc * sizeof *diff_bias);
    for (tr_direct_part part = largest; part.image < s->n;
         part = tr_direct_next(part, largest, s->n, s->oh, s->ow)) {
        const source from = source_of(s, &part, src, for_src);
        add_part(s, &part, &from, diff_dst, diff_kernel, for_diff);
        if (diff_bias != NULL)
            TR_OF_SET(tr_direct_add_bias)(s, &part, diff_dst, diff_bias);
    }
}
