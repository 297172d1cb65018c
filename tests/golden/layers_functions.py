"""What real Keras answers for activations and for layers that are a function of each element, at
random too: there Keras is given the numbers that base/rng.h would draw at seed 0, update 0, samples
0, 1, ... for layer 0, or 1 behind the flatten of a flat case.

    python tests/golden/layers_functions.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_functions.h5

Layout and drawing: keras_layers.py.
"""

from statistics import NormalDist

import numpy as np
from keras_layers import Case, keras, normal, wide, write
from order import philox

Activation = keras.layers.Activation

NAMES = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish", "relu6", "hard_tanh",
    "sparse_sigmoid", "celu", "silu", "hard_swish", "hard_silu", "mish", "exponential", "softsign", "log_sigmoid",
    "squareplus", "sparse_plus", "soft_shrink", "hard_shrink", "tanh_shrink", "log_softmax", "softmax",
)  # fmt: skip
CASES = {f"activation_keras_{name}": Case(2, (3, 5, 7), Activation, activation=name, source=wide) for name in NAMES}
CASES |= {f"activation_1x1_{name}": Case(1, (1, 1, 1), Activation, activation=name, source=wide) for name in NAMES}


def behind(name):
    """That activation as a layer of its own behind the one that is tested, which may take it over."""
    return dict(behind=f"[layer.behind]\ntype = activation\nactivation = {name}\n", after=keras.activations.get(name))


WIDE = dict(gamma=wide, beta=wide)
CASES |= {
    "conv2d_relu6": Case(
        2, (6, 5, 3), keras.layers.Conv2D, filters=10, kernel_size=(3, 3), activation="relu6", source=wide
    ),
    "conv2d_then_relu6": Case(3, (5, 4, 16), keras.layers.Conv2D, filters=17, kernel_size=(2, 2), source=wide, **behind("relu6")),
    "batch_normalization_then_relu6": Case(
        4, (5, 4, 7), keras.layers.BatchNormalization, call=dict(training=True), weights=WIDE, **behind("relu6")
    ),
    "batch_normalization_frozen_then_hard_tanh": Case(
        3, (5, 4, 16), keras.layers.BatchNormalization, ini=dict(trainable=False), trainable=False,
        call=dict(training=True), weights=WIDE, **behind("hard_tanh"),
    ),
    "dense_relu6": Case(3, (13,), keras.layers.Dense, units=9, activation="relu6", weights=dict(bias=wide), source=wide),
    "dense_log_softmax": Case(3, (13,), keras.layers.Dense, units=5, activation="log_softmax"),
    "dense_mish": Case(3, (13,), keras.layers.Dense, units=9, activation="mish"),
    "conv2d_softsign": Case(2, (4, 5, 3), keras.layers.Conv2D, filters=10, kernel_size=(2, 3), activation="softsign"),
    "dense_hard_tanh": Case(1, (17,), keras.layers.Dense, units=1, activation="hard_tanh"),
}

re_lu, leaky, elu = keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU
CASES |= {
    "re_lu_plain": Case(2, (3, 5, 7), re_lu, type="re_lu"),
    "re_lu_slope": Case(2, (3, 5, 7), re_lu, type="re_lu", negative_slope=0.125, source=wide),
    "re_lu_limit": Case(2, (4, 3, 16), re_lu, type="re_lu", max_value=1.5, source=wide),
    "re_lu_slope_limit": Case(2, (4, 3, 16), re_lu, type="re_lu", max_value=2.0, negative_slope=0.3, source=wide),
    "re_lu_threshold": Case(1, (1, 1, 33), re_lu, type="re_lu", threshold=1.25, source=wide),
    "re_lu_all": Case(3, (21,), re_lu, type="re_lu", max_value=4.0, negative_slope=0.5, threshold=0.75, source=wide),
    "re_lu_limit_below_threshold": Case(2, (3, 3, 9), re_lu, type="re_lu", max_value=0.5, threshold=1.0, source=wide),
    "leaky_re_lu_default": Case(2, (3, 5, 7), leaky, type="leaky_re_lu"),
    "leaky_re_lu_steep": Case(1, (1, 1, 1), leaky, type="leaky_re_lu", negative_slope=1.75),
    "leaky_re_lu_flat": Case(4, (37,), leaky, type="leaky_re_lu", negative_slope=0.01),
    "elu_default": Case(2, (3, 5, 7), elu, type="elu"),
    "elu_alpha": Case(2, (4, 3, 16), elu, type="elu", alpha=0.4, source=wide),
    "elu_steep": Case(4, (37,), elu, type="elu", alpha=1.9, source=wide),
    "softmax_image": Case(2, (3, 4, 10), keras.layers.Softmax, type="softmax", source=wide),
    "softmax_flat": Case(3, (11,), keras.layers.Softmax, type="softmax", source=wide),
}


prelu = dict(layer=keras.layers.PReLU, type="prelu", weights=dict(alpha=normal))
CASES |= {
    "prelu": Case(3, (4, 5, 7), **prelu),
    "prelu_of_channels": Case(3, (4, 5, 16), shared_axes=(1, 2), **prelu),
    "prelu_of_rows": Case(2, (4, 3, 9), shared_axes=(2, 3), **prelu),
    "prelu_of_one": Case(2, (3, 3, 5), shared_axes=(1, 2, 3), **prelu),
    "prelu_1x1_input": Case(1, (1, 1, 1), **prelu),
    "prelu_flat": Case(4, (37,), **prelu),
}


def applied(layer, **keys):
    """That layer behind the one that is tested, which may take it over."""
    made = {"re_lu": re_lu, "leaky_re_lu": leaky, "elu": elu}[layer](**keys)
    lines = "".join(f"{k} = {v}\n" for k, v in keys.items())
    return dict(behind=f"[layer.behind]\ntype = {layer}\n{lines}", after=made)


conv, dense = keras.layers.Conv2D, keras.layers.Dense
CASES |= {
    "conv2d_then_re_lu": Case(
        2, (6, 5, 3), conv, filters=10, kernel_size=(3, 3), source=wide,
        **applied("re_lu", max_value=2.0, negative_slope=0.25),
    ),
    "conv2d_then_threshold": Case(
        2, (6, 5, 3), conv, filters=10, kernel_size=(3, 3), source=wide, **applied("re_lu", threshold=0.5)
    ),
    "conv2d_then_leaky_re_lu": Case(
        2, (5, 4, 16), conv, filters=17, kernel_size=(3, 3), padding="same", **applied("leaky_re_lu", negative_slope=2.5)
    ),
    "dense_then_elu": Case(3, (13,), dense, units=9, **applied("elu", alpha=1.7)),
    "batch_normalization_then_re_lu_limit": Case(
        4, (3, 3, 8), keras.layers.BatchNormalization, call=dict(training=True), weights=WIDE,
        **applied("re_lu", max_value=2.5),
    ),
    "batch_normalization_then_leaky_re_lu": Case(
        4, (3, 3, 8), keras.layers.BatchNormalization, call=dict(training=True),
        **applied("leaky_re_lu", negative_slope=0.1),
    ),
}  # fmt: skip


def words(shape, purpose, element_word):
    """Of each element; shape: n, then a sample's."""
    layer, n = int(len(shape) == 2), int(np.prod(shape[1:]))
    each = [[element_word(sample, layer, e, purpose) for e in range(n)] for sample in range(shape[0])]
    return np.array(each, np.float64).reshape(shape)


def half(sample, layer, element, purpose):
    """rng.h, tr_random_keeps(): 16 bits."""
    block, at = divmod(element, 512)
    word = philox([block * 64 + at % 64, sample, 0, purpose | layer << 8], [0, 0])[at // 64 % 4]
    return word >> 16 if at >= 256 else word & 0xFFFF


def whole(sample, layer, element, purpose):
    """rng.h, tr_random_normals()."""
    return philox([element // 4, sample, 0, purpose | layer << 8], [0, 0])[element % 4]


def uniform(shape, *args, **kwargs):
    return 1 - (words(shape, 3, half) + 0.5) / 65536  # kept where it is rate or more


def normals(shape, mean=0.0, stddev=1.0, *args, **kwargs):
    quantile = np.vectorize(NormalDist().inv_cdf)
    return mean + stddev * quantile((words(shape, 4, whole) + 0.5) / 2**32)


def dropped(inputs, rate, noise_shape=None, seed=None):
    mask = uniform((len(inputs), 1, 1, inputs.shape[-1])) >= rate  # as noise_shape is
    return inputs * mask / (1 - rate)


keras.src.backend.random.uniform = uniform
keras.src.backend.random.normal = normals
keras.src.backend.random.dropout = dropped
training = dict(call=dict(training=True))
CASES |= {
    "spatial_dropout2d": Case(3, (3, 4, 21), keras.layers.SpatialDropout2D, type="spatial_dropout2d", rate=0.25, **training),
    "spatial_dropout2d_blocks": Case(2, (2, 3, 32), keras.layers.SpatialDropout2D, type="spatial_dropout2d", rate=0.5, **training),
    "spatial_dropout2d_1x1_input": Case(4, (1, 1, 1), keras.layers.SpatialDropout2D, type="spatial_dropout2d", rate=0.5, **training),
    "alpha_dropout": Case(3, (5, 4, 7), keras.layers.AlphaDropout, rate=0.25, **training),
    "alpha_dropout_flat": Case(4, (37,), keras.layers.AlphaDropout, rate=0.5, **training),
    "alpha_dropout_blocks": Case(2, (3, 3, 16), keras.layers.AlphaDropout, rate=0.125, **training),
    "gaussian_dropout": Case(3, (5, 4, 7), keras.layers.GaussianDropout, rate=0.25, **training),
    "gaussian_dropout_flat": Case(4, (37,), keras.layers.GaussianDropout, rate=0.75, **training),
    "gaussian_noise": Case(3, (5, 4, 7), keras.layers.GaussianNoise, stddev=0.5, **training),
    "gaussian_noise_flat": Case(4, (37,), keras.layers.GaussianNoise, stddev=0.875, **training),
    "gaussian_noise_1x1_input": Case(1, (1, 1, 1), keras.layers.GaussianNoise, stddev=1.0, **training),
}  # fmt: skip

write(__file__, CASES)
