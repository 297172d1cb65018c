"""What real Keras answers for layers that change an image's shape, or shift and scale its channels.

    python tests/golden/layers_shapes.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_shapes.h5

Layout and drawing: keras_layers.py. Shapes are odd: one pixel, one channel, a batch of one, channel
counts that fill no vector.
"""

import keras
import numpy as np
from keras.src.applications.convnext import LayerScale as Convnext
from keras_layers import Case, write

L = keras.layers
RELU = "[layer.relu]\ntype = activation\nactivation = relu\n"
STATISTICS = {
    "variance": lambda rng, shape: rng.uniform(0.1, 4, shape),
    "count": lambda rng, shape: np.array(7),
}


class LayerScale(Convnext):
    """With a name for what Keras calls `variable`."""

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(self.projection_dim,), initializer="zeros", name="gamma")


class Dilated(L.Conv2DTranspose):
    """TensorFlow has no dilated one on a CPU: the same with zeros in the kernel."""

    def call(self, x):
        kernel = self.kernel
        for axis, rate in enumerate(self.dilation_rate):
            shape = [*kernel.shape]
            zeros = keras.ops.zeros_like(kernel)
            kernel = keras.ops.stack([kernel] + [zeros] * (rate - 1), axis + 1)
            kernel = keras.ops.reshape(kernel, shape[:axis] + [rate * shape[axis]] + shape[axis + 1 :])
            kernel = keras.ops.take(kernel, range(rate * shape[axis] - rate + 1), axis)
        return self.activation(keras.ops.conv_transpose(x, kernel, 1, self.padding) + self.bias)


CASES = {
    "cropping2d_all_sides": Case(2, (5, 7, 3), L.Cropping2D, cropping=((1, 1), (1, 1))),
    "cropping2d_four_sides": Case(3, (9, 8, 17), L.Cropping2D, cropping=((1, 3), (0, 2))),
    "cropping2d_to_one_pixel": Case(1, (4, 3, 1), L.Cropping2D, cropping=((3, 0), (0, 2))),
    "cropping2d_nothing": Case(2, (2, 3, 5), L.Cropping2D, cropping=((0, 0), (0, 0))),
    "up_sampling2d_nearest": Case(2, (3, 4, 5), L.UpSampling2D),
    "up_sampling2d_nearest_3x1": Case(1, (2, 5, 17), L.UpSampling2D, size=(3, 1)),
    "up_sampling2d_nearest_1x1_input": Case(3, (1, 1, 16), L.UpSampling2D, size=(4, 5)),
    "up_sampling2d_bilinear": Case(2, (3, 4, 5), L.UpSampling2D, interpolation="bilinear"),
    "up_sampling2d_bilinear_3x1": Case(2, (4, 3, 1), L.UpSampling2D, size=(3, 1), interpolation="bilinear"),
    "up_sampling2d_bilinear_5x4": Case(1, (2, 3, 17), L.UpSampling2D, size=(5, 4), interpolation="bilinear"),
    "up_sampling2d_bilinear_1x1_input": Case(3, (1, 1, 3), L.UpSampling2D, size=(2, 3), interpolation="bilinear"),
    "up_sampling2d_bilinear_1x1": Case(1, (3, 2, 4), L.UpSampling2D, size=(1, 1), interpolation="bilinear"),
    "conv2d_transpose_2x2_stride2": Case(2, (3, 4, 5), L.Conv2DTranspose, filters=7, kernel_size=2, strides=2),
    "conv2d_transpose_3x3_same_stride2_relu": Case(3, (4, 3, 16), L.Conv2DTranspose, filters=17, kernel_size=3, strides=2, padding="same", activation="relu"),
    "conv2d_transpose_3x3_valid": Case(1, (5, 4, 3), L.Conv2DTranspose, filters=16, kernel_size=3, activation="tanh"),
    "conv2d_transpose_4x4_same_stride2_no_bias": Case(2, (3, 5, 8), L.Conv2DTranspose, filters=3, kernel_size=4, strides=2, padding="same", use_bias=False),
    "conv2d_transpose_5x3_stride3x1_no_bias_relu": Case(2, (2, 5, 1), L.Conv2DTranspose, filters=1, kernel_size=(5, 3), strides=(3, 1), use_bias=False, activation="relu"),
    "conv2d_transpose_2x2_stride3": Case(2, (3, 2, 7), L.Conv2DTranspose, filters=4, kernel_size=2, strides=3),
    "conv2d_transpose_3x3_output_padding": Case(2, (3, 4, 5), L.Conv2DTranspose, filters=6, kernel_size=3, strides=2, padding="same", output_padding=1),
    "conv2d_transpose_3x3_output_padding_0": Case(2, (3, 4, 5), L.Conv2DTranspose, filters=6, kernel_size=3, strides=2, padding="same", output_padding=0),
    "conv2d_transpose_3x3_valid_output_padding": Case(1, (2, 3, 32), L.Conv2DTranspose, filters=16, kernel_size=3, strides=(2, 3), output_padding=(1, 2)),
    "conv2d_transpose_1x1_input": Case(3, (1, 1, 16), L.Conv2DTranspose, filters=8, kernel_size=4, strides=4),
    "conv2d_transpose_3x3_dilated": Case(2, (4, 5, 3), Dilated, type="conv2d_transpose", filters=5, kernel_size=3, dilation_rate=2),
    "conv2d_transpose_2x3_dilated_same": Case(2, (5, 4, 8), Dilated, type="conv2d_transpose", filters=8, kernel_size=(2, 3), dilation_rate=(3, 1), padding="same"),
    "layer_scale_image": Case(3, (3, 4, 17), LayerScale, init_values=0.5, projection_dim=17, behind=RELU, after=keras.ops.relu),
    "layer_scale_1x1": Case(1, (1, 1, 1), LayerScale, init_values=1e-6, projection_dim=1),
    "layer_scale_vector": Case(2, (9,), LayerScale, init_values=1.0, projection_dim=9),
    "reshape_vector": Case(2, (3, 4, 5), L.Reshape, target_shape=(60,)),
    "reshape_rest": Case(2, (3, 4, 17), L.Reshape, target_shape=(-1,)),
    "reshape_image": Case(3, (3, 4, 10), L.Reshape, target_shape=(6, -1, 4)),
    "reshape_of_vector": Case(2, (24,), L.Reshape, target_shape=(2, 3, 4)),
    "reshape_of_vector_to_pixel": Case(3, (17,), L.Reshape, target_shape=(1, 1, 17)),
    "reshape_of_vector_to_vector": Case(3, (7,), L.Reshape, target_shape=(-1,)),
    "permute_213": Case(2, (3, 4, 5), L.Permute, dims=(2, 1, 3)),
    "permute_321": Case(1, (3, 4, 17), L.Permute, dims=(3, 2, 1)),
    "permute_312": Case(2, (2, 5, 3), L.Permute, dims=(3, 1, 2)),
    "permute_231": Case(3, (4, 2, 16), L.Permute, dims=(2, 3, 1)),
    "permute_123": Case(1, (3, 1, 2), L.Permute, dims=(1, 2, 3)),
    "permute_vector": Case(2, (5,), L.Permute, dims=(1,)),
    "rescaling": Case(2, (5, 4, 3), L.Rescaling, scale=1 / 255, ini={"scale": "1/255"}),
    "rescaling_offset": Case(3, (3, 5, 17), L.Rescaling, scale=1 / 127.5, offset=-1.0),
    "rescaling_channels": Case(1, (4, 1, 3), L.Rescaling, scale=[0.5, -2.0, 3.0], offset=[1.0, 0.0, -0.25]),
    "normalization_given": Case(2, (3, 5, 3), L.Normalization, mean=[0.5, -2.0, 100.0], variance=[0.25, 4.0, 3000.0]),
    "normalization_given_one": Case(1, (2, 3, 17), L.Normalization, mean=0.25, variance=0.5),
    "normalization_weights": Case(2, (4, 3, 5), L.Normalization, weights=STATISTICS),
    "normalization_weights_vector": Case(3, (17,), L.Normalization, weights=STATISTICS),
    "normalization_constant_channel": Case(2, (2, 3, 4), L.Normalization, weights=STATISTICS | {"variance": lambda rng, shape: np.array([1, 0, 4, 1e-16])}),
    "rescaling_vector": Case(3, (7,), L.Rescaling, scale=0.1, offset=2.0),
}

write(__file__, CASES)
