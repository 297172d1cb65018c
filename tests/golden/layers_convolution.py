"""What real Keras answers for convolutions with groups or a dilated window, depthwise and separable ones.

    python tests/golden/layers_convolution.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_convolution.h5

Layout and drawing: keras_layers.py. TensorFlow takes no strides of two sizes for depthwise kernels.
"""

import keras
from keras_layers import Case, write

L = keras.layers
CASES = {
    "conv2d_keras_dilated": Case(2, (9, 8, 3), L.Conv2D, filters=5, kernel_size=3, dilation_rate=2),
    "conv2d_keras_dilated_same": Case(2, (7, 9, 4), L.Conv2D, filters=9, kernel_size=3, padding="same", dilation_rate=(2, 3), activation="relu"),
    "conv2d_keras_dilated_even": Case(1, (8, 7, 2), L.Conv2D, filters=3, kernel_size=(2, 4), padding="same", dilation_rate=(3, 1)),
    "conv2d_keras_dilated_beyond": Case(2, (5, 4, 2), L.Conv2D, filters=3, kernel_size=3, padding="same", dilation_rate=6, activation="tanh"),
    "conv2d_keras_dilated_16": Case(1, (12, 11, 16), L.Conv2D, filters=32, kernel_size=3, padding="same", dilation_rate=2, use_bias=False),
    "conv2d_keras_groups": Case(2, (6, 5, 6), L.Conv2D, filters=9, kernel_size=3, groups=3),
    "conv2d_keras_groups_16": Case(1, (6, 7, 32), L.Conv2D, filters=16, kernel_size=3, padding="same", groups=2, activation="relu"),
    "conv2d_keras_groups_of_8": Case(2, (5, 6, 32), L.Conv2D, filters=32, kernel_size=3, padding="same", groups=4, strides=2),
    "conv2d_keras_groups_strided": Case(2, (8, 7, 4), L.Conv2D, filters=6, kernel_size=(3, 2), strides=(2, 1), padding="same", groups=2, use_bias=False),
    "conv2d_keras_groups_1x1": Case(3, (4, 3, 8), L.Conv2D, filters=4, kernel_size=1, groups=4, activation="sigmoid"),
    "conv2d_keras_groups_each": Case(2, (5, 4, 5), L.Conv2D, filters=10, kernel_size=2, groups=5),
    "conv2d_keras_groups_dilated": Case(1, (9, 8, 6), L.Conv2D, filters=4, kernel_size=3, groups=2, dilation_rate=(2, 1), padding="same"),
    "depthwise_conv2d_3x3": Case(2, (7, 6, 5), L.DepthwiseConv2D, kernel_size=3),
    "depthwise_conv2d_3x3_same": Case(2, (9, 8, 16), L.DepthwiseConv2D, kernel_size=3, padding="same", activation="relu"),
    "depthwise_conv2d_3x3_stride2": Case(3, (8, 7, 24), L.DepthwiseConv2D, kernel_size=3, strides=2, padding="same", use_bias=False),
    "depthwise_conv2d_3x3_stride2_valid": Case(1, (9, 11, 17), L.DepthwiseConv2D, kernel_size=3, strides=2),
    "depthwise_conv2d_5x5": Case(2, (6, 7, 13), L.DepthwiseConv2D, kernel_size=5, padding="same", activation="tanh"),
    "depthwise_conv2d_5x5_stride2": Case(1, (9, 10, 8), L.DepthwiseConv2D, kernel_size=5, strides=2, padding="same"),
    "depthwise_conv2d_7x7": Case(1, (9, 8, 11), L.DepthwiseConv2D, kernel_size=7, padding="same"),
    "depthwise_conv2d_2x4": Case(2, (5, 6, 7), L.DepthwiseConv2D, kernel_size=(2, 4), padding="same"),
    "depthwise_conv2d_1x1": Case(2, (3, 4, 6), L.DepthwiseConv2D, kernel_size=1),
    "depthwise_conv2d_1x1_input": Case(3, (1, 1, 9), L.DepthwiseConv2D, kernel_size=3, padding="same", activation="relu"),
    "depthwise_conv2d_one_channel": Case(2, (5, 6, 1), L.DepthwiseConv2D, kernel_size=3),
    "depthwise_conv2d_multiplier": Case(2, (6, 5, 5), L.DepthwiseConv2D, kernel_size=3, padding="same", depth_multiplier=3),
    "depthwise_conv2d_multiplier_one_channel": Case(2, (6, 5, 1), L.DepthwiseConv2D, kernel_size=3, depth_multiplier=4, strides=2, activation="relu"),
    "depthwise_conv2d_multiplier_8": Case(1, (5, 5, 8), L.DepthwiseConv2D, kernel_size=3, depth_multiplier=2, padding="same", use_bias=False),
    "depthwise_conv2d_dilated": Case(2, (9, 8, 10), L.DepthwiseConv2D, kernel_size=3, dilation_rate=2, padding="same"),
    "depthwise_conv2d_dilated_valid": Case(1, (8, 11, 16), L.DepthwiseConv2D, kernel_size=3, dilation_rate=(2, 3), depth_multiplier=2),
    "separable_conv2d_3x3": Case(2, (7, 6, 5), L.SeparableConv2D, filters=4, kernel_size=3),
    "separable_conv2d_3x3_same": Case(2, (6, 7, 16), L.SeparableConv2D, filters=24, kernel_size=3, padding="same", activation="relu", use_bias=False),
    "separable_conv2d_stride2": Case(3, (8, 7, 6), L.SeparableConv2D, filters=9, kernel_size=3, strides=2, padding="same", depth_multiplier=2, activation="sigmoid"),
    "separable_conv2d_dilated": Case(1, (9, 8, 8), L.SeparableConv2D, filters=3, kernel_size=3, dilation_rate=2, padding="same"),
    "separable_conv2d_1x1_input": Case(3, (1, 1, 3), L.SeparableConv2D, filters=7, kernel_size=3, padding="same", activation="softmax"),
}

write(__file__, CASES)
