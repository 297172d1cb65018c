"""What real Keras answers for activations and for layers that are a function of each element.

    python tests/golden/layers_functions.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_functions.h5

Layout and drawing: keras_layers.py.
"""

from keras_layers import Case, keras, wide, write

Activation = keras.layers.Activation

NAMES = (
    "relu", "leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish", "relu6", "hard_tanh",
    "sparse_sigmoid", "celu",
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
    "dense_hard_tanh": Case(1, (17,), keras.layers.Dense, units=1, activation="hard_tanh"),
}

write(__file__, CASES)
