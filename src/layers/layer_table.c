/* layer_table.c -- the list of layers. A new layer is one file beside this one and one row here.
 *
 * An explicit table, because registration from constructors is dropped by static linking.
 */
#include <string.h>

#include "layer.h"

extern const tr_layer_ops tr_prelu_ops, tr_spatial_dropout2d_ops, tr_alpha_dropout_ops,
    tr_gaussian_dropout_ops, tr_gaussian_noise_ops, tr_re_lu_ops, tr_leaky_re_lu_ops, tr_elu_ops,
    tr_softmax_ops, tr_activation_ops, tr_add_ops, tr_average_ops, tr_average_pooling2d_ops,
    tr_batch_normalization_ops, tr_concatenate_ops, tr_conv2d_ops, tr_conv2d_transpose_ops,
    tr_cropping2d_ops, tr_dense_ops, tr_depthwise_conv2d_ops, tr_dropout_ops, tr_flatten_ops,
    tr_given_normalization_ops, tr_global_average_pooling2d_ops, tr_global_max_pooling2d_ops,
    tr_group_normalization_ops, tr_layer_normalization_ops, tr_layer_scale_ops,
    tr_max_pooling2d_ops, tr_maximum_ops, tr_multiply_ops, tr_permute_ops, tr_rescaling_ops,
    tr_random_flip_ops, tr_random_translation_ops, tr_random_rotation_ops, tr_random_zoom_ops,
    tr_random_crop_ops, tr_random_shear_ops, tr_random_contrast_ops, tr_random_brightness_ops,
    tr_random_color_degeneration_ops, tr_random_grayscale_ops, tr_random_sharpness_ops,
    tr_random_invert_ops, tr_random_erasing_ops, tr_center_crop_ops, tr_resizing_ops,
    tr_reshape_ops, tr_separable_conv2d_ops, tr_up_sampling2d_ops, tr_zero_padding2d_ops;

/* In the order of `trainer help layers`. */
const tr_layer_ops *const tr_layer_table[] = {
    &tr_conv2d_ops,
    &tr_depthwise_conv2d_ops,
    &tr_separable_conv2d_ops,
    &tr_conv2d_transpose_ops,
    &tr_max_pooling2d_ops,
    &tr_average_pooling2d_ops,
    &tr_global_average_pooling2d_ops,
    &tr_global_max_pooling2d_ops,
    &tr_zero_padding2d_ops,
    &tr_cropping2d_ops,
    &tr_center_crop_ops,
    &tr_up_sampling2d_ops,
    &tr_resizing_ops,
    &tr_flatten_ops,
    &tr_reshape_ops,
    &tr_permute_ops,
    &tr_rescaling_ops,
    &tr_given_normalization_ops,
    &tr_random_flip_ops,
    &tr_random_translation_ops,
    &tr_random_rotation_ops,
    &tr_random_zoom_ops,
    &tr_random_crop_ops,
    &tr_random_shear_ops,
    &tr_random_contrast_ops,
    &tr_random_brightness_ops,
    &tr_random_color_degeneration_ops,
    &tr_random_grayscale_ops,
    &tr_random_sharpness_ops,
    &tr_random_invert_ops,
    &tr_random_erasing_ops,
    &tr_dense_ops,
    &tr_dropout_ops,
    &tr_spatial_dropout2d_ops,
    &tr_alpha_dropout_ops,
    &tr_gaussian_dropout_ops,
    &tr_gaussian_noise_ops,
    &tr_batch_normalization_ops,
    &tr_layer_normalization_ops,
    &tr_group_normalization_ops,
    &tr_layer_scale_ops,
    &tr_activation_ops,
    &tr_re_lu_ops,
    &tr_leaky_re_lu_ops,
    &tr_prelu_ops,
    &tr_elu_ops,
    &tr_softmax_ops,
    &tr_add_ops,
    &tr_concatenate_ops,
    &tr_multiply_ops,
    &tr_average_ops,
    &tr_maximum_ops,
    NULL,
};

enum { N_LAYERS = sizeof tr_layer_table / sizeof *tr_layer_table };

const tr_layer_ops *tr_layer_find(const char *type)
{
    for (size_t i = 0; tr_layer_table[i] != NULL; i++)
        if (strcmp(tr_layer_table[i]->type, type) == 0)
            return tr_layer_table[i];
    return NULL;
}

void tr_layer_types(const char *types[TR_MAX_LAYER_TYPES])
{
    _Static_assert((int)N_LAYERS <= (int)TR_MAX_LAYER_TYPES, "raise TR_MAX_LAYER_TYPES");
    for (size_t i = 0; i < N_LAYERS; i++)
        types[i] = tr_layer_table[i] == NULL ? NULL : tr_layer_table[i]->type;
}
