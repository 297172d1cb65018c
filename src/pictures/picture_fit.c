/* picture_fit.c -- see picture_fit.h. The arithmetic is PIL's, in double and in its order, so that
 * the same pixels are taken.
 */
#include "picture_fit.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const char *const tr_fit_names[TR_FITS] = {"crop", "pad", "stretch"};

bool tr_fit_parse(tr_fit *out, const char *name)
{
    for (int i = 0; i < TR_FITS; i++)
        if (strcmp(name, tr_fit_names[i]) == 0) {
            *out = (tr_fit)i;
            return true;
        }
    return false;
}

static tr_place crop(const tr_picture_rules *rules, double h, double w)
{
    const double ratio = w / h, wanted = (double)rules->w / (double)rules->h;
    const double cut_w = ratio > wanted ? wanted * h : w, cut_h = ratio < wanted ? w / wanted : h;
    const double left = (w - cut_w) * 0.5, top = (h - cut_h) * 0.5;
    return (tr_place){.y0 = (float)top,
                      .x0 = (float)left,
                      .y1 = (float)(top + cut_h),
                      .x1 = (float)(left + cut_w),
                      .h = rules->h,
                      .w = rules->w};
}

/* Python's round(), halves to even, as rint() does; a thin line stays one. */
static int64_t rounded(double side)
{
    return side < 1 ? 1 : (int64_t)rint(side);
}

static tr_place pad(const tr_picture_rules *rules, double h, double w)
{
    const double ratio = w / h, wanted = (double)rules->w / (double)rules->h;
    tr_place place = {.y1 = (float)h, .x1 = (float)w, .h = rules->h, .w = rules->w};
    if (ratio > wanted)
        place.h = rounded(h / w * (double)rules->w);
    else if (ratio < wanted)
        place.w = rounded(w / h * (double)rules->h);
    place.top = (int64_t)rint((double)(rules->h - place.h) * 0.5);
    place.left = (int64_t)rint((double)(rules->w - place.w) * 0.5);
    return place;
}

tr_place tr_place_picture(const tr_picture_rules *rules, int64_t h, int64_t w)
{
    if (rules->h == 0)
        return (tr_place){.y1 = (float)h, .x1 = (float)w, .h = h, .w = w};
    switch (rules->fit) {
    case TR_FIT_CROP:
        return crop(rules, (double)h, (double)w);
    case TR_FIT_PAD:
        return pad(rules, (double)h, (double)w);
    default:
        return (tr_place){.y1 = (float)h, .x1 = (float)w, .h = rules->h, .w = rules->w};
    }
}
