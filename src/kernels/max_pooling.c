/* max_pooling.c -- the largest of each window, and its gradient.
 *
 * Forward begins with the least number there is, at place 0 of the window, and goes over the places
 * within the image in row order: one that is greater wins, so that of equal ones the first does. A
 * NaN is never greater: it is passed over, and a window that has nothing above the least number
 * gives that. So do oneDNN's kernels. Winners are places of the window, in bytes where 256 of them
 * are enough.
 *
 * Backward takes an element of the source and adds over the windows that it lies in, in row order:
 * their gradient where it won, 0 elsewhere.
 */
#include <float.h>

#include "set.h"
#include "vector.h"

typedef enum winner_type { NO_WINNERS, BYTES, WORDS } winner_type;

enum { MOST_BYTES = 16 }; /* of a vector's winners: its tail may be read and written in full */

static winner_type type_of(const tr_window_sizes *s)
{
    return s->kh * s->kw <= 256 ? BYTES : WORDS;
}

static size_t winners_size(const tr_window_sizes *s)
{
    const size_t count = (size_t)(s->n * s->oh * s->ow * s->ic);
    return type_of(s) == BYTES ? count + MOST_BYTES : count * sizeof(float);
}

/* 2 x 2 windows, all within the image: the common case, for which kernels have code of its own. */
static bool is_two(const tr_window_sizes *s)
{
    return s->kh == 2 && s->kw == 2 && s->top == 0 && s->left == 0 &&
           (s->oh - 1) * s->sh + 2 <= s->ih && (s->ow - 1) * s->sw + 2 <= s->iw;
}

/* ---- vectors of up to VL channels ---- */

TR_INLINE vec load(const float *p, int64_t n)
{
    return n < VL ? v_load_n(p, n) : v_load(p);
}

TR_INLINE void store(float *p, vec a, int64_t n)
{
    if (n < VL)
        v_store_n(p, a, n);
    else
        v_store(p, a);
}

/* The winners of channels at..., which are stored in order, so that a tail of bytes may write
 * behind its end. */
TR_INLINE void store_winners(winner_type type, void *winners, int64_t at, veci places, int64_t n)
{
    if (type == BYTES)
        vi_store_bytes((uint8_t *)winners + at, places);
    else if (type == WORDS)
        store((float *)winners + at, v_of_bits(places), n);
}

TR_INLINE veci load_winners(winner_type type, const void *winners, int64_t at, int64_t n)
{
    return type == BYTES ? vi_load_bytes((const uint8_t *)winners + at)
                         : v_bits(load((const float *)winners + at, n));
}

/* ---- forward ---- */

/* Some places of a kernel, or windows of an image, along one axis: from, from + 1 ... to - 1. */
typedef struct span {
    int64_t from, to;
} span;

/* Of a window that begins at `start`, the places within an image of that size. */
TR_INLINE span places_inside(int64_t start, int64_t kernel, int64_t size)
{
    const int64_t from = start < 0 ? -start : 0;
    return (span){from, size - start < kernel ? size - start : kernel};
}

/* A row of windows; `first` is where the first one begins in the image. The sizes of the kernel are
 * constants where it pays, `inside` says that they count in full. */
TR_INLINE void forward_row(const tr_window_sizes *s, winner_type type, bool inside, int64_t kh,
                           int64_t kw, const float *image, int64_t y, float *dst, void *winners,
                           int64_t at)
{
    const int64_t c = s->ic, row = s->iw * c, top = y * s->sh - s->top;
    const span rows = inside ? (span){0, kh} : places_inside(top, kh, s->ih);
    for (int64_t x = 0; x < s->ow; x++, at += c) {
        const int64_t left = x * s->sw - s->left;
        const span columns = inside ? (span){0, kw} : places_inside(left, kw, s->iw);
        for (int64_t i = 0; i < c; i += VL) {
            const int64_t n = c - i;
            vec most = v_set(-FLT_MAX);
            veci place = vi_set(0);
            for (int64_t r = rows.from; r < rows.to; r++)
                for (int64_t q = columns.from; q < columns.to; q++) {
                    const vec value = load(image + (top + r) * row + (left + q) * c + i, n);
                    if (type != NO_WINNERS)
                        place = vi_select(v_gt(value, most), vi_set((int32_t)(r * kw + q)), place);
                    most = v_max(value, most);
                }
            store(dst + at + i, most, n);
            store_winners(type, winners, at + i, place, n);
        }
    }
}

TR_INLINE void forward_all(const tr_window_sizes *s, winner_type type, bool inside, int64_t kh,
                           int64_t kw, const float *src, float *dst, void *winners)
{
    for (int64_t row = 0; row < s->n * s->oh; row++)
        forward_row(s, type, inside, kh, kw, src + row / s->oh * s->ih * s->iw * s->ic, row % s->oh,
                    dst, winners, row * s->ow * s->ic);
}

static void forward(const tr_window_sizes *s, const float *src, float *dst, void *winners)
{
    if (is_two(s) && winners != NULL)
        forward_all(s, BYTES, true, 2, 2, src, dst, winners);
    else if (is_two(s))
        forward_all(s, NO_WINNERS, true, 2, 2, src, dst, winners);
    else if (winners == NULL)
        forward_all(s, NO_WINNERS, false, s->kh, s->kw, src, dst, winners);
    else if (type_of(s) == BYTES)
        forward_all(s, BYTES, false, s->kh, s->kw, src, dst, winners);
    else
        forward_all(s, WORDS, false, s->kh, s->kw, src, dst, winners);
}

/* ---- backward ---- */

/* The windows that reach position `at` of an axis, whose first begins at -before. */
TR_INLINE span windows_over(int64_t at, int64_t before, int64_t kernel, int64_t stride,
                            int64_t windows)
{
    const int64_t end = at + before, start = end - kernel + 1;
    const int64_t from = start > 0 ? (start + stride - 1) / stride : 0, to = end / stride + 1;
    return (span){from, to < windows ? to : windows};
}

/* What a window gives to one of its places: written by the first one, added by the others. */
TR_INLINE void give(winner_type type, bool first, int64_t c, int64_t place, const float *diff_dst,
                    const void *winners, int64_t at, float *diff_src)
{
    const veci here = vi_set((int32_t)place);
    for (int64_t i = 0; i < c; i += VL) {
        const int64_t n = c - i;
        const vmask won = vi_eq(load_winners(type, winners, at + i, n), here);
        const vec diff = v_select(won, load(diff_dst + at + i, n), v_set(0.0f));
        store(diff_src + i, first ? diff : v_add(load(diff_src + i, n), diff), n);
    }
}

/* A row of the source's gradient from all windows over it. */
TR_INLINE void backward_row(const tr_window_sizes *s, winner_type type, int64_t h,
                            const float *diff_dst, const void *winners, int64_t image,
                            float *diff_src)
{
    const int64_t c = s->ic;
    const span rows = windows_over(h, s->top, s->kh, s->sh, s->oh);
    for (int64_t w = 0; w < s->iw; w++, diff_src += c) {
        const span columns = windows_over(w, s->left, s->kw, s->sw, s->ow);
        bool first = true;
        for (int64_t y = rows.from; y < rows.to; y++)
            for (int64_t x = columns.from; x < columns.to; x++) {
                const int64_t at = image + (y * s->ow + x) * c;
                const int64_t place = (h + s->top - y * s->sh) * s->kw + w + s->left - x * s->sw;
                if (first)
                    give(type, true, c, place, diff_dst, winners, at, diff_src);
                else
                    give(type, false, c, place, diff_dst, winners, at, diff_src);
                first = false;
            }
        if (first) /* no window */
            memset(diff_src, 0, (size_t)c * sizeof *diff_src);
    }
}

/* The same where 2 x 2 windows lie side by side: by windows, as each owns its four elements. */
static void backward_two_rows(const tr_window_sizes *s, const float *diff_dst,
                              const uint8_t *winners, float *diff_src)
{
    const int64_t c = s->ic, row = s->iw * c, behind = row - 2 * s->ow * c;
    const vec zero = v_set(0.0f);
    for (int64_t x = 0; x < s->ow; x++, diff_dst += c, winners += c)
        for (int64_t i = 0; i < c; i += VL) {
            const int64_t n = c - i;
            float *to = diff_src + 2 * x * c + i;
            const vec diff = load(diff_dst + i, n);
            const veci place = vi_load_bytes(winners + i);
            store(to, v_select(vi_eq(place, vi_set(0)), diff, zero), n);
            store(to + c, v_select(vi_eq(place, vi_set(1)), diff, zero), n);
            store(to + row, v_select(vi_eq(place, vi_set(2)), diff, zero), n);
            store(to + row + c, v_select(vi_eq(place, vi_set(3)), diff, zero), n);
        }
    memset(diff_src + row - behind, 0, (size_t)behind * sizeof *diff_src);
    memset(diff_src + 2 * row - behind, 0, (size_t)behind * sizeof *diff_src);
}

static void backward_side_by_side(const tr_window_sizes *s, const float *diff_dst,
                                  const uint8_t *winners, float *diff_src)
{
    const int64_t row = s->iw * s->ic, small_row = s->ow * s->ic, behind = s->ih - 2 * s->oh;
    for (int64_t image = 0; image < s->n; image++) {
        for (int64_t y = 0; y < s->oh; y++, diff_dst += small_row, winners += small_row) {
            backward_two_rows(s, diff_dst, winners, diff_src);
            diff_src += 2 * row;
        }
        memset(diff_src, 0, (size_t)(behind * row) * sizeof *diff_src);
        diff_src += behind * row;
    }
}

static void backward(const tr_window_sizes *s, const float *diff_dst, const void *winners,
                     float *diff_src)
{
    const winner_type type = type_of(s);
    if (is_two(s) && s->sh == 2 && s->sw == 2) {
        backward_side_by_side(s, diff_dst, winners, diff_src);
        return;
    }
    for (int64_t row = 0; row < s->n * s->ih; row++, diff_src += s->iw * s->ic) {
        const int64_t image = row / s->ih * s->oh * s->ow * s->ic;
        if (type == BYTES)
            backward_row(s, BYTES, row % s->ih, diff_dst, winners, image, diff_src);
        else
            backward_row(s, WORDS, row % s->ih, diff_dst, winners, image, diff_src);
    }
}

const tr_max_pool_kernels TR_OF_SET(tr_max_pool) = {
    .winners = winners_size, .forward = forward, .backward = backward};
