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

enum { PIXELS = 128, SHORT_RUN = 5 };
enum { MAX_ROWS = 3, MAX_ROW_VECTORS = TR_REGISTERS == 32 ? 2 : 1 };

/* ---- a block ---- */

/* Where a block finds its pixels, and where its sums go. */
typedef struct places {
    const float *src, *diff;
    int64_t src_image, src_row, src_pixel, src_step; /* src_step: a row of diff further */
    int64_t diff_image, diff_row, diff_pixel;
    int64_t images, rows, columns;
    float
        *sum; /* of a tap and channel; the next tap's is `channels` further, the next row's run_ */
    int64_t channels, row_sums;
} places;

/* The taps of `rows` rows of the kernel, `taps` of each; `last` channels of the last vector. */
TR_INLINE void block(const int rows, const int taps, const int vectors, const bool whole,
                     const places *at, int64_t last)
{
    const int64_t src_row = at->src_row, src_pixel = at->src_pixel, diff_pixel = at->diff_pixel;
    vec sum[MAX_ROWS][TR_DIRECT_MOST][TR_DIRECT_VECTORS];
    TR_UNROLL for (int r = 0; r < rows; r++) TR_UNROLL for (int t = 0; t < taps; t++)
        TR_UNROLL for (int v = 0; v < vectors; v++) sum[r][t][v] = v_set(0.0f);
    for (int64_t image = 0; image < at->images; image++)
        for (int64_t row = 0; row < at->rows; row++) {
            const float *src = at->src + image * at->src_image + row * at->src_step;
            const float *diff = at->diff + image * at->diff_image + row * at->diff_row;
            for (int64_t i = 0; i < at->columns; i++, src += src_pixel, diff += diff_pixel) {
                vec d[TR_DIRECT_VECTORS];
                TR_UNROLL for (int v = 0; v < vectors; v++) d[v] =
                    whole || v < vectors - 1 ? v_load(diff + v * VL)
                                             : v_load_n(diff + v * VL, last);
                TR_UNROLL for (int r = 0; r < rows; r++) TR_UNROLL for (int t = 0; t < taps; t++)
                {
                    const vec x = v_set(src[r * src_row + t]);
                    TR_UNROLL for (int v = 0; v < vectors; v++) sum[r][t][v] =
                        v_fma(x, d[v], sum[r][t][v]);
                }
            }
        }
    TR_UNROLL for (int r = 0; r < rows; r++) TR_UNROLL for (int t = 0; t < taps; t++)
        TR_UNROLL for (int v = 0; v < vectors; v++)
    {
        float *to = at->sum + r * at->row_sums + t * at->channels + v * VL;
        if (whole || v < vectors - 1)
            v_store(to, v_add(v_load(to), sum[r][t][v]));
        else
            v_store_n(to, v_add(v_load_n(to, last), sum[r][t][v]), last);
    }
}

/* ---- all of them ---- */

typedef void block_function(const places *at, int64_t last);

#define BLOCK_(rows, taps, vectors, name, whole)                                                   \
    static void block_##rows##_##taps##_##vectors##_##name(const places *at, int64_t last)         \
    {                                                                                              \
        block(rows, taps, vectors, whole, at, last);                                               \
    }
#define BLOCK(rows, taps, vectors)                                                                 \
    BLOCK_(rows, taps, vectors, whole, true)                                                       \
    BLOCK_(rows, taps, vectors, part, false)
#define NAMES(rows, taps, vectors)                                                                 \
    {block_##rows##_##taps##_##vectors##_part, block_##rows##_##taps##_##vectors##_whole},
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
static block_function *const of_one_row[][TR_DIRECT_MOST][2] = {
    {{0}}, {UP_TO_14(NAMES, 1)}, {UP_TO_14(NAMES, 2)}, {UP_TO_8(NAMES, 3)}, {UP_TO_6(NAMES, 4)}};
static block_function *const of_two_rows[][2] = {NAMES(2, 5, 1) NAMES(2, 5, 2)};
static block_function *const of_three_rows[][2] = {NAMES(3, 3, 1) NAMES(3, 3, 2)};
#else
UP_TO_12(BLOCK, 1)
UP_TO_6(BLOCK, 2)
UP_TO_4(BLOCK, 3)
UP_TO_3(BLOCK, 4)
BLOCK(3, 3, 1)
BLOCK(2, 5, 1)
static block_function *const of_one_row[][TR_DIRECT_MOST][2] = {
    {{0}}, {UP_TO_12(NAMES, 1)}, {UP_TO_6(NAMES, 2)}, {UP_TO_4(NAMES, 3)}, {UP_TO_3(NAMES, 4)}};
static block_function *const of_two_rows[][2] = {NAMES(2, 5, 1)};
static block_function *const of_three_rows[][2] = {NAMES(3, 3, 1)};
#endif

/* Rows of the kernel in a block: several where one has too few sums to keep a core busy. */
static int rows_of_block(int64_t run, int vectors)
{
    if (run * vectors >= 8 || (run != 3 && run != 5))
        return 1;
    return run == 3 ? 3 : 2;
}

static block_function *block_of(int rows, int64_t taps, int vectors, bool whole)
{
    if (rows == 1)
        return of_one_row[vectors][taps - 1][whole];
    return (rows == 3 ? of_three_rows : of_two_rows)[vectors - 1][whole];
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

/* Adds the sums over a part to those of `rows` rows of the kernel from row kh on. */
static void add_rows(const tr_window_sizes *s, const tr_direct_part *part, const source *from,
                     int64_t kh, int rows, const float *diff_dst, float *diff_kernel)
{
    const int64_t run = s->kw * s->ic, all = (s->oc + VL - 1) / VL;
    const int64_t first = part->row * s->sh - s->top + kh - from->row, end = from->end - from->row;
    /* rows of the part whose row of src is there */
    const int64_t begin = first < 0 ? (-first + s->sh - 1) / s->sh : 0;
    int64_t count = end > first ? (end - first + s->sh - 1) / s->sh : 0;
    count = (count < part->rows ? count : part->rows) - begin;
    places at = {
        .src_image = from->image_pitch,
        .src_row = from->row_pitch,
        .src_pixel = s->sw * s->ic,
        .src_step = s->sh * from->row_pitch,
        .diff_image = s->oh * s->ow * s->oc,
        .diff_row = s->ow * s->oc,
        .diff_pixel = s->oc,
        .images = part->images,
        .rows = count,
        .columns = part->columns,
        .channels = s->oc,
        .row_sums = run * s->oc,
    };
    const float *src = from->at + (first + begin * s->sh) * from->row_pitch;
    const float *diff =
        diff_dst + part->column * s->oc + (part->image * s->oh + part->row + begin) * s->ow * s->oc;
    int most = TR_OF_SET(tr_direct_vectors)(run, s->oc);
    if (rows > 1 && most > MAX_ROW_VECTORS)
        most = MAX_ROW_VECTORS;
    for (int64_t vector = 0; count > 0 && vector < all; vector += most) {
        const int vectors = all - vector < most ? (int)(all - vector) : most;
        const int64_t left = s->oc - vector * VL, last = left - (vectors - 1) * VL;
        const int64_t n =
            rows > 1 ? 1 : (run + tr_direct_most[vectors] - 1) / tr_direct_most[vectors];
        for (int64_t i = 0, tap = 0; i < n; i++) {
            const int64_t taps = run / n + (i < run % n);
            at.src = src + tap;
            at.diff = diff + vector * VL;
            at.sum = diff_kernel + (kh * run + tap) * s->oc + vector * VL;
            block_of(rows, taps, vectors, last >= VL)(&at, last < VL ? last : VL);
            tap += taps;
        }
    }
}

/* ---- bias ---- */

/* Adds the sums over a part of the first `last` channels of a vector. */
static void add_bias(const tr_window_sizes *s, const tr_direct_part *part, const float *diff,
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

/* ---- results ---- */

size_t TR_OF_SET(tr_direct_weights_scratch)(const tr_window_sizes *s)
{
    const tr_direct_part part = tr_direct_largest(s->n, s->oh, s->ow, PIXELS);
    const int64_t rows = (part.rows - 1) * s->sh + s->kh,
                  columns = (part.columns - 1) * s->sw + s->kw;
    return in_place(s) ? 0 : (size_t)(part.images * rows * columns * s->ic) * sizeof(float);
}

void TR_OF_SET(tr_direct_weights)(const tr_window_sizes *s, const float *src, const float *diff_dst,
                                  float *diff_kernel, float *diff_bias, void *scratch)
{
    const tr_direct_part largest = tr_direct_largest(s->n, s->oh, s->ow, PIXELS);
    const int64_t run = s->kw * s->ic;
    const int most_rows = rows_of_block(run, TR_OF_SET(tr_direct_vectors)(run, s->oc));
    memset(diff_kernel, 0, (size_t)(s->kh * run * s->oc) * sizeof *diff_kernel);
    if (diff_bias != NULL)
        memset(diff_bias, 0, (size_t)s->oc * sizeof *diff_bias);
    for (tr_direct_part part = largest; part.image < s->n;
         part = tr_direct_next(part, largest, s->n, s->oh, s->ow)) {
        const source from = source_of(s, &part, src, scratch);
        for (int64_t kh = 0; kh < s->kh;) {
            const int rows = kh + most_rows <= s->kh ? most_rows : 1;
            add_rows(s, &part, &from, kh, rows, diff_dst, diff_kernel);
            kh += rows;
        }
        const float *diff =
            diff_dst + ((part.image * s->oh + part.row) * s->ow + part.column) * s->oc;
        for (int64_t o = 0; diff_bias != NULL && o < s->oc; o += VL)
            add_bias(s, &part, diff + o, s->oc - o < VL ? s->oc - o : VL, diff_bias + o);
    }
}
