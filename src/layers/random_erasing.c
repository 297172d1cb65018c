/* random_erasing.c -- dst = src with a rectangle of noise, or of fill_value, in training.
 *
 * Keras's RandomErasing. Height and width are the roots of shares drawn from `scale`, each for
 * itself. Zhong and others, "Random erasing data augmentation", 2017.
 */
#include <math.h>

#include "augmenting_layer.h"

typedef struct random_erasing {
    tr_layer base;
    tr_reals factor, scale, fill_value, value_range; /* as the keys say, */
    tr_interval probability, share, limits;          /* and what they mean */
} random_erasing;

static const tr_key keys[] = {
    {.name = "factor",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(random_erasing, factor),
     .fallback = "1",
     .doc = "probability; f: drawn from 0 to f, or two ends"},
    {.name = "scale",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(random_erasing, scale),
     .fallback = "0.02, 0.33",
     .doc = "squares of the shares of height and of width; likewise"},
    {.name = "fill_value",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(random_erasing, fill_value),
     .optional = true,
     .doc =
         "instead: one number, or one for each of three channels; default: normal numbers, times "
         "the upper end of value_range"},
    TR_KEY_VALUE_RANGE(random_erasing),
};

static tr_status random_erasing_shape(tr_layer *layer, tr_error *err)
{
    random_erasing *self = (random_erasing *)layer;
    const int n_fills = self->fill_value.n;
    TR_TRY(tr_factor_range(&self->factor, "factor", 0.0, &self->probability, err));
    TR_TRY(tr_factor_range(&self->scale, "scale", 0.0, &self->share, err));
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    if (n_fills > 1 && (n_fills != 3 || layer->src.c != 3))
        return tr_fail(err, TR_ERR_CONFIG,
                       "fill_value has %d numbers for %lld channels; give one, or three for three",
                       n_fills, (long long)layer->src.c);
    return tr_augmenting_shape(layer, err);
}

/* Of n pixels a share, from a place of it on. */
static void part(int64_t n, float share, float place, float *from, float *to)
{
    const float length = share * (float)n;
    *from = place * ((float)n - length);
    *to = *from + length;
}

/* chances: shares of width and height, places of both, probability, whether. */
static tr_rectangle random_erasing_rectangle(const void *layer, const float chances[TR_N_CHANCES])
{
    const random_erasing *self = layer;
    tr_rectangle hole = {0};
    if (chances[5] >= tr_between(&self->probability, chances[4]))
        return hole;
    part(self->base.src.w, sqrtf(tr_between(&self->share, chances[0])), chances[2], &hole.x0,
         &hole.x1);
    part(self->base.src.h, sqrtf(tr_between(&self->share, chances[1])), chances[3], &hole.y0,
         &hole.y1);
    return hole;
}

static tr_erasing erasing_of(const tr_layer *layer)
{
    const random_erasing *self = (const random_erasing *)layer;
    return (tr_erasing){.n_fills = self->fill_value.n,
                        .fill = self->fill_value.values,
                        .deviation = self->limits.high,
                        .low = self->limits.low,
                        .high = self->limits.high,
                        .layer = (uint32_t)layer->number,
                        .rectangle = random_erasing_rectangle,
                        .settings = layer};
}

static tr_status random_erasing_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                        tr_value *dst, tr_error *err)
{
    const tr_erasing how = erasing_of(layer);
    *dst = tape->src;
    if (!tr_program_training(program))
        return TR_OK;
    return tr_erase_forward(program, &how, tape->src, dst, &tape->workspace, err);
}

static tr_status random_erasing_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                         tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_erasing how = erasing_of(layer);
    if (diff_src == NULL)
        return TR_OK;
    return tr_erase_backward(program, &how, tape->workspace, diff_dst, diff_src, err);
}

const tr_layer_ops tr_random_erasing_ops = {
    .type = "random_erasing",
    .keras_class = "RandomErasing",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "rectangles of images erased at random, in training",
    .augments = true,
    .bytes = sizeof(random_erasing),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_erasing_shape,
    .forward = random_erasing_forward,
    .backward = random_erasing_backward,
};
