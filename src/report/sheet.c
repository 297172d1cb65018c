/* sheet.c -- see sheet.h. */
#include "sheet.h"

#include <string.h>

#include "mem.h"
#include "picture.h"

enum { GAP = 2 }; /* pixels between two pictures, white */

/* Where the next picture goes. */
typedef struct sheet {
    tr_image *image;
    int64_t top, left;
} sheet;

static void paste(const sheet *to, const tr_image *picture)
{
    const int64_t c = to->image->c;
    for (int64_t y = 0; y < picture->h; y++) {
        uint8_t *dst = to->image->pixels + ((to->top + y) * to->image->w + to->left) * c;
        const uint8_t *src = picture->pixels + y * picture->w * picture->c;
        for (int64_t i = 0; i < picture->w * c; i++) /* grey among colours is all three of them */
            dst[i] = picture->c == c ? src[i] : src[i / c];
    }
}

/* `n` images side by side, from where the sheet stands on. */
static tr_status paste_row(sheet *to, const float *values, int64_t n, const int64_t shape[3],
                           const double range[2], tr_error *err)
{
    for (int64_t i = 0; i < n; i++) {
        tr_image picture = {0};
        TR_TRY(tr_picture_from_values(&picture, values + i * shape[0] * shape[1] * shape[2],
                                      shape[0], shape[1], shape[2], range[0], range[1], err));
        paste(to, &picture);
        tr_image_release(&picture);
        to->left += shape[1] + GAP;
    }
    return TR_OK;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static tr_status draw(tr_image *out, const tr_augmented *of, tr_error *err)
{
    const int64_t in = of->shape[0] * of->shape[1] * of->shape[2];
    const int64_t changed = of->changed[0] * of->changed[1] * of->changed[2];
    const int64_t row = larger(of->shape[0], of->changed[0]) + GAP;
    double before[2], behind[2];
    tr_picture_range(of->images, of->n * in, &before[0], &before[1]);
    tr_picture_range(of->versions, of->n * of->epochs * changed, &behind[0], &behind[1]);
    for (int64_t i = 0; i < of->n; i++) {
        sheet at = {.image = out, .top = GAP + i * row, .left = GAP};
        TR_TRY(paste_row(&at, of->images + i * in, 1, of->shape, before, err));
        TR_TRY(paste_row(&at, of->versions + i * of->epochs * changed, of->epochs, of->changed,
                         behind, err));
    }
    return TR_OK;
}

tr_status tr_sheet_draw(tr_image *out, const tr_augmented *augmented, tr_error *err)
{
    const tr_augmented *of = augmented;
    *out = (tr_image){.h = GAP + of->n * (larger(of->shape[0], of->changed[0]) + GAP),
                      .w = 2 * GAP + of->shape[1] + of->epochs * (of->changed[1] + GAP),
                      .c = of->shape[2] == 3 || of->changed[2] == 3 ? 3 : 1};
    out->pixels = tr_shared_alloc((size_t)(out->h * out->w), (size_t)out->c);
    if (out->pixels == NULL)
        return tr_out_of_memory(err, NULL);
    memset(out->pixels, 255, (size_t)(out->h * out->w * out->c));
    const tr_status status = draw(out, of, err);
    if (status != TR_OK)
        tr_image_release(out);
    return status;
}
