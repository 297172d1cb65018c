"""What real Keras answers for small graphs: layers with several inputs, values with several readers.

    python tests/golden/graphs.py    # keras 3.15, tensorflow-cpu 2.21; writes graphs.h5

Keras computes in float64, from float32 weights and sources; stored as float32. Layout of graphs.h5:
a group per case with attributes `ini` (the layers' sections) and `input_shape` (h, w, c), and the
datasets

    src, diff_src                     [n,h,w,c]
    dst, diff_dst                     the last layer's result and a random gradient of it
    weights/<layer>/kernel, bias      and diff/<layer>/kernel, bias: their gradients

Numbers are drawn anew until no sign before a relu and no winner of a maximum hangs on 1e-3 of the
source, but where the case is about ties: there the sources are small whole numbers.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")

CLASSES = dict(
    conv2d=keras.layers.Conv2D,
    max_pooling2d=keras.layers.MaxPooling2D,
    flatten=keras.layers.Flatten,
    dense=keras.layers.Dense,
    activation=keras.layers.Activation,
    add=keras.layers.Add,
    concatenate=keras.layers.Concatenate,
    multiply=keras.layers.Multiply,
    average=keras.layers.Average,
    maximum=keras.layers.Maximum,
    average_pooling2d=keras.layers.AveragePooling2D,
    global_average_pooling2d=keras.layers.GlobalAveragePooling2D,
    global_max_pooling2d=keras.layers.GlobalMaxPooling2D,
    reshape=keras.layers.Reshape,
)


def conv(name, filters, size, inputs=None, **keys):
    keys = dict(filters=filters, kernel_size=size, padding="same") | keys
    return name, "conv2d", inputs, keys


def relu(name, inputs=None):
    return name, "activation", inputs, dict(activation="relu")


def joint(name, kind, inputs):
    return name, kind, inputs, {}


# name: (n, (h, w, c), kind of source, layers); a layer: name, type, inputs, keys
CASES = {
    "residual": (3, (5, 6, 8), "random", [
        conv("a", 8, 3, activation="relu"),
        conv("b", 8, 3),
        joint("s", "add", "input, b"),
        relu("r"),
    ]),
    "residual_projected": (2, (7, 6, 3), "random", [
        conv("a", 10, 3, strides=2, activation="relu"),
        conv("b", 10, 3),
        conv("p", 10, 1, "input", strides=2),
        joint("s", "add", "b, p"),
        relu("r"),
        conv("c", 10, 3, activation="relu"),
        conv("d", 10, 3),
        joint("t", "add", "d, r"),
        relu("u"),
    ]),
    "concatenation_of_widths": (2, (4, 5, 3), "random", [
        conv("a", 16, 3, activation="relu"),
        conv("b", 5, 1, "input"),
        joint("c", "concatenate", "a, input, b"),
        conv("d", 7, 2),
    ]),
    "concatenation_of_blocks": (2, (3, 4, 4), "random", [
        conv("a", 16, 3),
        conv("b", 32, 1, activation="relu"),
        conv("e", 9, 1, "a"),
        joint("c", "concatenate", "a, b, e"),
        conv("d", 16, 1),
    ]),
    "concatenation_after_concatenation": (1, (3, 3, 2), "random", [
        conv("a", 3, 3),
        joint("b", "concatenate", "input, a"),
        conv("c", 3, 3, activation="relu"),
        joint("d", "concatenate", "b, c"),
        conv("e", 3, 3, activation="relu"),
        joint("f", "concatenate", "d, e"),
        relu("g"),
    ]),
    "diamond": (2, (4, 4, 1), "random", [
        conv("a", 8, 3, activation="relu"),
        conv("b", 6, 3, "a", activation="tanh"),
        conv("c", 6, 1, "a", activation="sigmoid"),
        joint("d", "multiply", "b, c"),
    ]),
    "read_by_three": (2, (4, 6, 2), "random", [
        conv("a", 8, 3, activation="relu"),
        ("p", "max_pooling2d", "a", dict(pool_size=2)),
        conv("b", 8, 2, "a", strides=2),
        conv("c", 8, 3, "a", strides=2, activation="relu"),
        joint("s", "average", "p, b, c"),
    ]),
    "input_read_twice": (3, (3, 4, 3), "random", [
        conv("a", 3, 3),
        joint("s", "add", "input, a, input"),
    ]),
    "one_twice": (2, (3, 3, 4), "random", [
        conv("a", 8, 3, activation="tanh"),
        joint("s", "add", "a, a"),
        joint("m", "multiply", "s, a, s"),
    ]),
    "product_of_four": (2, (2, 3, 17), "random", [
        conv("a", 17, 1),
        conv("b", 17, 1, "input"),
        conv("c", 17, 1, "input", activation="tanh"),
        joint("m", "multiply", "a, b, c, input"),
    ]),
    "maximum": (2, (4, 3, 5), "random", [
        conv("a", 12, 3),
        conv("b", 12, 1, "input"),
        conv("c", 12, 1, "input", activation="relu"),
        joint("m", "maximum", "a, b, c"),
    ]),
    "maximum_with_ties": (3, (4, 3, 8), "tied", [
        relu("a"),
        ("b", "max_pooling2d", "input", dict(pool_size=2, strides=1, padding="same")),
        joint("m", "maximum", "a, b, input"),
    ]),
    "activation_with_two_readers": (2, (4, 4, 3), "random", [
        conv("a", 8, 3),
        relu("r"),
        conv("b", 8, 3),
        joint("s", "add", "a, b, r"),
        relu("u"),
        ("p", "max_pooling2d", None, dict(pool_size=2)),
        ("q", "max_pooling2d", "u", dict(pool_size=2, strides=2)),
        joint("v", "average", "p, q"),
    ]),
    "vectors": (3, (2, 3, 8), "random", [
        conv("a", 4, 3),
        ("f", "flatten", None, {}),
        ("d", "dense", None, dict(units=9, activation="relu")),
        ("e", "dense", "f", dict(units=9)),
        joint("s", "add", "d, e"),
        joint("c", "concatenate", "s, f, d"),
        ("g", "dense", None, dict(units=5, activation="tanh")),
        ("h", "dense", "e", dict(units=5)),
        joint("m", "maximum", "g, h"),
    ]),
    "images_as_vectors": (2, (3, 2, 4), "random", [
        conv("a", 8, 3, activation="relu"),
        conv("b", 8, 1, "input"),
        ("f", "flatten", "a", {}),
        ("g", "flatten", "b", {}),
        joint("s", "add", "f, g"),
        joint("m", "multiply", "s, g"),
    ]),
    "gate": (2, (4, 5, 6), "random", [
        conv("a", 6, 3, activation="tanh"),
        ("g", "global_average_pooling2d", None, dict(keepdims=True)),
        conv("s", 6, 1, activation="sigmoid"),
        joint("m", "multiply", "a, s"),
        ("h", "global_max_pooling2d", None, dict(keepdims=True)),
        joint("n", "add", "h, m, s"),
    ]),
    "repeated_rows": (3, (4, 3, 17), "random", [
        ("p", "average_pooling2d", None, dict(pool_size=(4, 1))),
        ("q", "average_pooling2d", "input", dict(pool_size=(1, 3))),
        joint("a", "maximum", "p, q"),
        joint("b", "average", "q, input, p"),
        joint("c", "multiply", "p, q, a, b"),
    ]),
    "dense_on_pixels": (2, (3, 5, 7), "random", [
        ("a", "dense", None, dict(units=9, activation="relu")),
        ("b", "dense", None, dict(units=17, use_bias=False)),
        ("c", "dense", "input", dict(units=17, activation="sigmoid")),
        joint("m", "multiply", "b, c"),
        ("d", "dense", None, dict(units=1)),
    ]),
    "one_pixel": (1, (1, 1, 1), "random", [
        conv("a", 1, 1),
        joint("s", "add", "input, a"),
        joint("c", "concatenate", "s, a, input"),
    ]),
    "squeeze_and_excitation": (3, (4, 5, 3), "random", [
        conv("a", 10, 3, activation="relu"),
        ("g", "global_average_pooling2d", None, {}),
        ("r", "reshape", None, dict(target_shape=(1, 1, 10))),
        conv("b", 4, 1, activation="relu"),
        conv("e", 10, 1, activation="sigmoid"),
        joint("m", "multiply", "a, e"),
        conv("c", 3, 2),
        joint("s", "add", "c, input"),
    ]),
    "repeated_axes": (2, (3, 4, 6), "random", [
        conv("a", 6, 3),
        conv("r", 6, (1, 4), "input", padding="valid"),
        conv("c", 6, (3, 1), "input", padding="valid"),
        conv("o", 1, 1, "input", activation="tanh"),
        joint("s", "add", "r, c"),
        joint("m", "multiply", "s, o, a"),
        joint("v", "average", "o, m"),
        joint("x", "maximum", "r, v, c"),
    ]),
    "repeated_vectors": (2, (3, 2, 17), "random", [
        conv("a", 9, 2, activation="tanh"),
        ("g", "global_average_pooling2d", None, {}),
        ("d", "dense", None, dict(units=1)),
        joint("s", "add", "d, g"),
        ("e", "dense", None, dict(units=9, activation="sigmoid")),
        joint("m", "multiply", "e, a, g"),
        ("f", "flatten", None, {}),
        joint("t", "multiply", "d, f"),
    ]),
}  # fmt: skip


def ini_of(layers):
    text = ""
    for name, kind, inputs, keys in layers:
        text += f"[layer.{name}]\ntype = {kind}\n"
        text += "" if inputs is None else f"inputs = {inputs}\n"
        text += "".join(f"{key} = {str(value).strip('()')}\n" for key, value in keys.items())
    return text


def model_of(shape, layers):
    results = {"input": keras.Input(shape)}
    last = results["input"]
    for name, kind, inputs, keys in layers:
        sources = [last] if inputs is None else [results[i.strip()] for i in inputs.split(",")]
        layer = CLASSES[kind](name=name, **keys)
        last = results[name] = layer(sources if len(sources) > 1 else sources[0])
    return keras.Model(results["input"], list(results.values())[1:])


def decisions(model, layers, src):
    """Every sign and winner that a gradient hangs on."""
    results = dict(zip([name for name, *_ in layers], model(src)), input=src)
    last, made = src, []
    for name, kind, inputs, keys in layers:
        sources = [last] if inputs is None else [results[i.strip()] for i in inputs.split(",")]
        last = results[name]
        if keys.get("activation") == "relu":
            made.append(np.asarray(last) > 0)
        if kind == "maximum":
            made.append(np.argmax(np.broadcast_arrays(*sources), 0))
        if kind == "max_pooling2d":
            made.append(np.asarray(tf.nn.max_pool_with_argmax(
                tf.cast(sources[0], "float32"), keys["pool_size"], keys.get("strides", 2), "SAME"
            )[1]))  # fmt: skip
    return made


def firm(model, layers, src):
    a, b, c = (decisions(model, layers, src * k) for k in (1, 0.999, 1.001))
    return all((x == y).all() and (x == z).all() for x, y, z in zip(a, b, c))


def draw(rng, model, layers, n, shape, kind):
    if kind == "tied":
        return rng.integers(-2, 3, (n, *shape)).astype(np.float64)
    while True:
        src = rng.uniform(-1, 1, (n, *shape)).astype(np.float32).astype(np.float64)
        for w in model.weights:
            w.assign(np.float32(rng.uniform(-0.5, 0.5, w.shape)))
        if firm(model, layers, src):
            return src


def write_case(group, rng, n, shape, kind, layers):
    model = model_of(shape, layers)
    src = draw(rng, model, layers, n, shape, kind)
    diff_dst = np.float32(rng.uniform(-1, 1, (n, *model.outputs[-1].shape[1:])))
    x = tf.constant(src)
    with tf.GradientTape() as tape:
        tape.watch(x)
        dst = model(x)[-1]
        total = tf.reduce_sum(dst * diff_dst)
    variables = [w.value for w in model.trainable_weights]
    diff_src, *diffs = tape.gradient(total, [x, *variables])
    group.attrs["ini"] = ini_of(layers)
    group.attrs["input_shape"] = np.int32(shape)
    arrays = dict(src=src, dst=dst, diff_dst=diff_dst, diff_src=diff_src)
    for w, diff in zip(model.trainable_weights, diffs):
        layer, name = w.path.split("/")[-2:]
        arrays[f"weights/{layer}/{name}"] = w
        arrays[f"diff/{layer}/{name}"] = diff
    for name, values in arrays.items():
        group[name] = np.float32(values)


def main():
    rng = np.random.default_rng(7)
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="earliest") as file:
        for name, (n, shape, kind, layers) in CASES.items():
            write_case(file.create_group(name), rng, n, shape, kind, layers)


main()
