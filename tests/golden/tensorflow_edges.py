"""What real Keras on TensorFlow answers where formulas leave room: activations at 0, at infinity,
at NaN and far out; poolings with equal maxima and with NaN.

    python tests/golden/tensorflow_edges.py    # keras 3.15, tensorflow-cpu 2.21; writes the .h5

Layout of tensorflow_edges.h5, all float32:

    activation/x                 [n] arguments
    activation/<name>/y, d       [n] values and derivatives there
    softmax/x, diff              [rows, 3]; softmax/y and softmax/dx: value and gradient
    pooling/<case>               attributes ini (the layer's section) and input_shape; datasets
                                 src, dst, diff_dst, diff_src [n,h,w,c]
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

FAR = [1e-6, 1, 2.9999998, 3, 3.0000002, 10, 20, 50, 80, 88, 100, 1e4, 3e38]
X = np.float32([0.0, -0.0, np.nan, np.inf, -np.inf] + FAR + [-x for x in FAR])
NAMES = "linear relu sigmoid tanh leaky_relu elu selu gelu hard_sigmoid softplus swish".split()
inf, nan = np.inf, np.nan
ROWS = np.float32(
    [[0, 0, 0], [1, 2, inf], [-inf, -inf, -inf], [nan, 1, 2], [-inf, 0, 1], [1e30, -1e30, 0],
     [100, 0, -100], [-90, 0, -80]]
)  # fmt: skip


def derivative(f, x, diff):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return y.numpy(), tape.gradient(y, x, tf.constant(diff)).numpy()


def tied(rng, shape):
    """Few values; a channel that is constant, one of equal negatives, one of zeros of both signs."""
    x = rng.integers(-2, 3, shape).astype(np.float32)
    x[..., 0] = 7
    x[..., 1] = np.minimum(x[..., 1], -1)
    x[0, ..., 2] = np.where(x[0, ..., 2] > 0, 0.0, -0.0)
    return x


def poolings(rng):
    ties = tied(rng, (2, 5, 6, 5))
    yield "global_max_ties", "type = global_max_pooling2d\n", keras.layers.GlobalMaxPooling2D(), ties
    wide = tied(rng, (3, 9, 11, 17))
    yield "global_max_ties_wide", "type = global_max_pooling2d\nkeepdims = true\n", (
        keras.layers.GlobalMaxPooling2D(keepdims=True)
    ), wide
    with_nan = ties.copy()
    with_nan[0, 3, 2, 1] = with_nan[1, 0, 0, 4] = nan
    with_nan[1, :, :, 3] = -inf
    yield "global_max_nan", "type = global_max_pooling2d\n", keras.layers.GlobalMaxPooling2D(), with_nan
    yield "max_ties", "type = max_pooling2d\npool_size = 3, 2\nstrides = 2, 2\npadding = same\n", (
        keras.layers.MaxPooling2D((3, 2), (2, 2), "same")
    ), ties
    yield "max_ties_valid", "type = max_pooling2d\npool_size = 2, 2\n", keras.layers.MaxPooling2D(), wide


def main():
    rng = np.random.default_rng(3)
    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        f["activation/x"] = X
        for name in NAMES:
            y, d = derivative(keras.activations.get(name), X, np.ones_like(X))
            f[f"activation/{name}/y"], f[f"activation/{name}/d"] = y, d
        diff = np.tile(np.float32([1, 2, 4]), (len(ROWS), 1))
        f["softmax/x"], f["softmax/diff"] = ROWS, diff
        f["softmax/y"], f["softmax/dx"] = derivative(tf.nn.softmax, ROWS, diff)
        for name, ini, layer, src in poolings(rng):
            diff = rng.standard_normal(layer(src).shape).astype(np.float32)
            group = f.create_group(f"pooling/{name}")
            group.attrs["ini"] = ini
            group.attrs["input_shape"] = np.int32(src.shape[1:])
            group["src"], group["diff_dst"] = src, diff
            group["dst"], group["diff_src"] = derivative(layer, src, diff)


if __name__ == "__main__":
    main()
