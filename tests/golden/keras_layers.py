"""Golden groups of single layers from real Keras: what the scripts layers_<part>.py share.

    from keras_layers import Case, keras, write
    write(__file__, {"cropping2d_odd": Case(2, (5, 7, 3), keras.layers.Cropping2D, cropping=(1, 2))})

Keras computes in float64, from float32 weights and sources; the layout is that of layers.h5
(layers.py), in a file of the script's own name, layers_<part>.h5: tests look for a case in all of
layers*.h5. The section's `type` is the class's name in our spelling and its keys are the layer's,
unless Case(type=..., ini={...}) says otherwise.

Numbers are drawn anew until nothing hangs on a kink or a winner: where x + e and x - e have
gradients that mirror each other around that of x, no function between them breaks.
"""

import os
import re
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")

SEED = 16
STEP = 1e-4  # from x to both sides
SMOOTH = 1e-5  # what a smooth gradient's second difference stays below


class Case:
    """n samples of a shape, (h, w, c) or (features,), through layer(**keys), a class of Keras or a
    function that answers one of a tensor. `ini`: keys that a section has otherwise, None: not at all.
    `source`, and `weights` by name: functions (rng, shape) -> numbers. `call`: how it is called, as
    training=True. `behind`: sections that follow, which compute `after`."""

    def __init__(self, n, shape, layer, *, type=None, ini={}, source=None, weights={}, call={}, behind="", after=None, **keys):
        self.n, self.shape, self.layer, self.keys = n, shape, layer, keys
        self.type, self.ini, self.weights = type, ini, weights
        self.source, self.call, self.behind, self.after = source or normal, call, behind, after


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


def wide(rng, shape):
    """Beyond the kinks of all activations."""
    return 3 * normal(rng, shape)


def distinct(rng, shape):
    """No two alike, so that every maximum has one winner."""
    count = int(np.prod(shape))
    return (rng.permutation(count).reshape(shape) / 64 - count / 128).astype(np.float32)


def weight(rng, name, shape, case):
    if name in case.weights:
        return case.weights[name](rng, shape).astype(np.float32)
    if name == "moving_variance":
        return np.square(normal(rng, shape)) + np.float32(0.01)
    return normal(rng, shape) / np.float32(np.sqrt(max(1, np.prod(shape[:-1]))) if "kernel" in name else 1)


def underscored(name):
    """Conv2DTranspose -> conv2d_transpose, LeakyReLU -> leaky_re_lu, as Keras names its layers."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        flat = [v for pair in value for v in (pair if isinstance(pair, (tuple, list)) else [pair])]
        return ", ".join(text(v) for v in flat)
    return str(value)


def section(case):
    keys = {k: v for k, v in (case.keys | case.ini).items() if v is not None}
    lines = [f"type = {case.type or underscored(case.layer.__name__)}"]
    return "\n".join(lines + [f"{k} = {text(v)}" for k, v in keys.items()]) + "\n" + case.behind


def gradients(case, layer, values, diff_dst):
    """(dst, {name: gradient}) at those numbers; "src" is the source."""
    tensors = {k: tf.constant(v, tf.float64) for k, v in values.items()}
    variables = [w for w in getattr(layer, "weights", [])]
    for w in variables:
        w.assign(values[w.name])
    if hasattr(layer, "finalize_state"):  # Normalization works with copies
        layer.finalize_state()
    trained = [w for w in variables if w.trainable]
    with tf.GradientTape() as tape:
        tape.watch(tensors["src"])
        dst = layer(tensors["src"], **case.call)
        dst = dst if case.after is None else case.after(dst)
        if diff_dst is None:
            return dst.numpy(), {}
        total = tf.reduce_sum(dst * tf.constant(diff_dst, tf.float64))
    names = ["src"] + [w.name for w in trained]
    found = tape.gradient(total, [tensors["src"], *(w.value for w in trained)])
    return dst.numpy(), {k: np.zeros(values[k].shape) if g is None else g.numpy() for k, g in zip(names, found)}


def is_smooth(rng, case, layer, values, diff_dst, diffs):
    e = {k: STEP * rng.choice([-1.0, 1.0], v.shape) for k, v in values.items()}
    up = gradients(case, layer, {k: v + e[k] if k in diffs else v for k, v in values.items()}, diff_dst)[1]
    down = gradients(case, layer, {k: v - e[k] if k in diffs else v for k, v in values.items()}, diff_dst)[1]
    return all(np.abs(up[k] + down[k] - 2 * d).max() < SMOOTH for k, d in diffs.items())


def run(rng, case):
    layer = case.layer(**case.keys)
    if isinstance(layer, keras.layers.Layer):
        layer.build((None, *case.shape))
    for _ in range(200):
        values = {"src": case.source(rng, (case.n, *case.shape))}
        for w in getattr(layer, "weights", []):
            values[w.name] = weight(rng, w.name, tuple(w.shape), case)
        dst = gradients(case, layer, values, None)[0]
        diff_dst = normal(rng, dst.shape)
        dst, diffs = gradients(case, layer, values, diff_dst)
        if is_smooth(rng, case, layer, values, diff_dst, diffs):
            return values | {"dst": dst, "diff_dst": diff_dst} | {f"diff_{k}": v for k, v in diffs.items()}
    raise SystemExit(f"{section(case)}: a gradient hangs on a kink, however the numbers are drawn")


def write(script, cases):
    """Writes the .h5 beside the script. New cases go anywhere: each draws from a generator of its own."""
    with h5py.File(Path(script).with_suffix(".h5"), "w", libver="earliest") as file:
        for name, case in cases.items():
            rng = np.random.default_rng([SEED, *name.encode()])
            group = file.create_group(name)
            group.attrs["ini"] = section(case)
            group.attrs["input_shape"] = np.array(case.shape, np.int32)
            group.attrs["forward_only"] = np.int32(0)
            for key, values in run(rng, case).items():
                group[key] = np.ascontiguousarray(values, np.float32)
    print(f"{len(cases)} cases")
