/* picture_input.c -- see picture_input.h. */
#include "picture_input.h"

#include <string.h>

static tr_status choose_fit(tr_picture_input *out, const tr_picture_making *making,
                            const char *wanted, tr_error *err)
{
    const char *fit = wanted != NULL ? wanted : making->h > 0 ? making->fit : "crop";
    out->fit_assumed = wanted == NULL && making->h == 0;
    if (tr_fit_parse(&out->rules.fit, fit))
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG, "--fit %s: allowed: crop, pad, stretch", fit);
}

tr_status tr_picture_input_choose(tr_picture_input *out, const tr_model *model, const char *fit,
                                  tr_error *err)
{
    const tr_config *config = tr_model_config(model);
    const tr_picture_making *making = &tr_model_legend(model)->pictures;
    const int64_t *hwc = config->input_shape;
    *out = (tr_picture_input){.bytes = (size_t)(hwc[0] * hwc[1] * hwc[2])};
    TR_TRY(choose_fit(out, making, fit, err));
    if (!config->input_flat) {
        out->rules.h = hwc[0];
        out->rules.w = hwc[1];
        out->rules.channels = (int)hwc[2];
        if (hwc[2] != 1 && hwc[2] != 3)
            return tr_fail(err, TR_ERR_DATA,
                           "the network takes images of %lld channels; a picture has 1 (grey) or 3 "
                           "(red, green, blue): give an array with --input",
                           (long long)hwc[2]);
    } else if (making->h > 0 && making->h * making->w * making->channels == hwc[2]) {
        out->rules.h = making->h;
        out->rules.w = making->w;
        out->rules.channels = (int)making->channels;
    } else if (fit != NULL) {
        return tr_fail(err, TR_ERR_CONFIG,
                       "--fit: the network takes vectors, and its checkpoint does not say of what "
                       "size the pictures were; leave --fit out and give pictures of that size");
    }
    return TR_OK;
}

tr_status tr_picture_input_read_vector(uint8_t *pixels, const tr_picture_input *input,
                                       const char *path, bool *transparent, tr_error *err)
{
    const int64_t length = (int64_t)input->bytes;
    tr_image image;
    tr_picture_rules rules = {.channels = 1};
    TR_TRY(tr_picture_read(&image, path, &rules, err));
    if (3 * image.h * image.w == length) {
        tr_image_release(&image);
        rules.channels = 3;
        TR_TRY(tr_picture_read(&image, path, &rules, err));
    }
    const int64_t h = image.h, w = image.w, n = h * w * image.c;
    *transparent = image.transparent;
    if (n == length)
        memcpy(pixels, image.pixels, input->bytes);
    tr_image_release(&image);
    return n == length
               ? TR_OK
               : tr_fail(err, TR_ERR_DATA,
                         "%s: is %lld x %lld pixels (height x width), the network takes vectors of "
                         "%lld: neither its grey pixels nor their three colours are as many",
                         path, (long long)h, (long long)w, (long long)length);
}
