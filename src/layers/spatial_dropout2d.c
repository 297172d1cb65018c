/* spatial_dropout2d.c -- dropout of whole channels: all pixels of one are set to 0, or divided by
 * 1 - rate.
 *
 * Keras's SpatialDropout2D. As dropout.c otherwise.
 */
#include "dropping_layer.h"

static const tr_key keys[] = {
    TR_KEY_RATE("share of the channels that is set to 0 in training"),
};

static tr_status spatial_dropout2d_shape(tr_layer *layer, tr_error *err)
{
    if (layer->src.flat)
        return tr_fail(err, TR_ERR_CONFIG,
                       "needs an image (height, width, channels) but gets a flat vector of %lld; "
                       "use dropout",
                       (long long)layer->src.c);
    return tr_dropping_shape(layer, err);
}

TR_DROPPING_FUNCTIONS(spatial_dropout2d, TR_DROP_CHANNELS, ((tr_dropping_layer *)layer)->rate)

const tr_layer_ops tr_spatial_dropout2d_ops = {
    .type = "spatial_dropout2d",
    .keras_class = "SpatialDropout2D",
    .keras_untrained = true,
    .keras_rest = "{\"seed\":null,\"data_format\":\"channels_last\"}",
    .doc = "channels set to zero at random, in training",
    .bytes = sizeof(tr_dropping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = spatial_dropout2d_shape,
    .forward = spatial_dropout2d_forward,
    .backward = spatial_dropout2d_backward,
};
