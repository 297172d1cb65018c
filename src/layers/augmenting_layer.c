/* augmenting_layer.c -- see augmenting_layer.h. */
#include "augmenting_layer.h"

#include <math.h>

tr_status tr_augmenting_shape(tr_layer *layer, tr_error *err)
{
    layer->dst = layer->src;
    return layer->src.flat
               ? tr_fail(err, TR_ERR_CONFIG,
                         "%s needs an image, and this is a vector; put it before the flatten",
                         layer->ops->type)
               : TR_OK;
}

tr_status tr_colour_shape(tr_layer *layer, tr_error *err)
{
    TR_TRY(tr_augmenting_shape(layer, err));
    return layer->src.c == 3
               ? TR_OK
               : tr_fail(err, TR_ERR_CONFIG,
                         "%s needs three channels, red, green and blue, and here are %lld",
                         layer->ops->type, (long long)layer->src.c);
}

tr_status tr_factor_range(const tr_reals *given, const char *key, double least, tr_interval *range,
                          tr_error *err)
{
    if (given->n > 2)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s has %d numbers; give one, or the two ends of a range", key, given->n);
    for (int k = 0; k < given->n; k++)
        if (given->values[k] < least || given->values[k] > 1.0)
            return tr_fail(err, TR_ERR_CONFIG, "%s = %.10g: must be from %g to 1", key,
                           given->values[k], least);
    const double first = given->values[0];
    const double second = given->n == 2 ? given->values[1] : least == 0.0 ? 0.0 : -first;
    *range = (tr_interval){fmin(first, second), fmax(first, second)};
    return TR_OK;
}

tr_status tr_value_range(const tr_reals *given, tr_interval *range, tr_error *err)
{
    if (given->n != 2 || given->values[0] >= given->values[1])
        return tr_fail(err, TR_ERR_CONFIG,
                       "value_range must be two numbers, the lowest and the highest of a pixel, "
                       "such as 0, 1");
    *range = (tr_interval){given->values[0], given->values[1]};
    return TR_OK;
}

float tr_between(const tr_interval *range, float chance)
{
    const float low = (float)range->low, high = (float)range->high;
    return chance * (high - low) + low;
}
