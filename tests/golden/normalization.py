"""What real Keras answers for its normalizations in training: results, gradients, moving statistics.

    python tests/golden/normalization.py    # keras 3.15, tensorflow-cpu 2.21; writes normalization.h5

Keras computes in float64, from float32 weights and sources; stored as float32. Layout and names as
in layers.h5 (layers.py), but that an activation may stand behind the layer, and that a batch
normalization has, besides, its statistics behind one step and behind two, on the same source:

    moving_mean_after, moving_variance_after    [2,c]

Sources are drawn anew until no sign before a relu hangs on a rounding error.
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

SEED = 14
KINK_MARGIN = 1e-3
RELU = "[layer.relu]\ntype = activation\nactivation = relu\n"

# name: (n, shape of a sample, keys of the layer, relu behind it, mean and deviation of the source)
BATCH = {
    "batch": (4, (5, 4, 7), {}, False, (0.5, 1)),
    "batch_relu": (4, (5, 4, 7), {}, True, (0.5, 1)),
    "batch_blocks": (3, (6, 5, 32), {}, False, (-1, 2)),
    "batch_blocks_relu": (5, (9, 8, 16), {}, True, (0, 1)),
    "batch_24_channels_relu": (2, (3, 5, 24), dict(momentum=0.9), True, (0, 1)),
    "batch_17_channels_no_scale": (2, (3, 2, 17), dict(scale=False, momentum=0.5), False, (0, 1)),
    "batch_no_center_relu": (2, (2, 3, 16), dict(center=False, epsilon=1e-5), True, (0, 3)),
    "batch_1_channel": (3, (4, 5, 1), {}, False, (0, 1)),
    "batch_1_channel_wide_relu": (2, (13, 11, 1), {}, True, (0, 1)),
    "batch_3_channels_wide": (2, (16, 17, 3), {}, False, (2, 1)),
    "batch_statistics_alone": (1, (3, 3, 5), dict(center=False, scale=False), False, (0, 1)),
    "batch_far_from_0": (4, (8, 7, 5), {}, False, (1000, 1)),
    "batch_far_from_0_blocks_relu": (4, (8, 8, 16), {}, True, (-1000, 1)),
    "batch_flat": (6, (37,), {}, False, (0, 1)),
    "batch_flat_relu": (19, (3,), {}, True, (1, 1)),
    "batch_1x1_input": (8, (1, 1, 3), dict(epsilon=0.1), False, (0, 1)),
    "batch_1x1_input_blocks": (9, (1, 1, 16), {}, True, (0, 1)),
    "batch_of_one_number": (1, (1, 1, 5), {}, False, (3, 1)),  # variance 0
}

# Groups of so many samples, each measured by a layer of Keras of its own; the moving statistics
# follow the mean of theirs.
VIRTUAL = {
    "virtual": (6, (5, 4, 7), dict(virtual_batch_size=2, momentum=0.7), False, (0.5, 1)),
    "virtual_blocks_relu": (4, (3, 6, 16), dict(virtual_batch_size=1), True, (0, 1)),
    "virtual_flat_relu": (12, (9,), dict(virtual_batch_size=4, momentum=0.5), True, (0, 1)),
}
LAYER = {
    "layer": (2, (4, 5, 7), {}, False, (0.5, 1)),
    "layer_blocks": (3, (3, 4, 32), {}, False, (0, 2)),
    "layer_relu": (2, (4, 3, 17), {}, True, (0, 1)),
    "layer_no_scale": (2, (3, 2, 16), dict(scale=False, epsilon=1e-5), False, (0, 1)),
    "layer_no_center": (2, (3, 2, 24), dict(center=False), False, (0, 1)),
    "layer_statistics_alone": (1, (3, 3, 5), dict(center=False, scale=False), False, (0, 1)),
    "layer_1_channel": (2, (3, 4, 1), {}, False, (0, 1)),  # variance 0
    "layer_far_from_0": (2, (3, 4, 40), {}, False, (1000, 1)),
    "layer_flat": (5, (37,), {}, False, (0, 1)),
    "layer_1x1_input": (4, (1, 1, 16), {}, False, (0, 1)),
}
GROUP = {
    "group": (3, (4, 5, 12), dict(groups=3), False, (0.5, 1)),
    "group_blocks_relu": (3, (6, 5, 32), dict(groups=4), True, (0, 2)),
    "group_of_all": (2, (4, 3, 17), dict(groups=1), False, (0, 1)),
    "group_of_one_relu": (2, (5, 6, 7), dict(groups=-1), True, (0, 1)),
    "group_across_blocks": (2, (3, 3, 24), dict(groups=2, epsilon=1e-5), False, (0, 1)),
    "group_no_scale": (2, (3, 2, 16), dict(groups=8, scale=False), False, (0, 1)),
    "group_no_center_relu": (2, (3, 2, 10), dict(groups=5, center=False), True, (0, 1)),
    "group_by_32": (2, (3, 4, 64), {}, False, (0, 1)),
    "group_far_from_0": (2, (7, 8, 6), dict(groups=2), False, (1000, 1)),
    "group_flat": (5, (36,), dict(groups=6), False, (0, 1)),
    "group_1x1_input": (4, (1, 1, 16), dict(groups=4), False, (0, 1)),
}
CLASSES = dict(
    batch=keras.layers.BatchNormalization,
    virtual=keras.layers.BatchNormalization,
    layer=keras.layers.LayerNormalization,
    group=keras.layers.GroupNormalization,
)


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


def moved(layer, groups):
    """Its statistics behind a step: each group moves them from where they are, once."""
    before = [w.numpy() for w in layer.non_trainable_weights]
    after = []
    for group in groups:
        for w, value in zip(layer.non_trainable_weights, before):
            w.assign(value)
        layer(group, training=True)
        after.append([w.numpy() for w in layer.non_trainable_weights])
    for i, w in enumerate(layer.non_trainable_weights):
        w.assign(np.mean([step[i] for step in after], axis=0))
    return [w.numpy() for w in layer.non_trainable_weights]


def run(rng, kind, n, shape, keys, relu, at):
    together = keys.get("virtual_batch_size", n)
    layer = CLASSES[kind](**{k: v for k, v in keys.items() if k != "virtual_batch_size"})
    layer.build((None, *shape))
    src = (normal(rng, (n, *shape)) * np.float32(at[1]) + np.float32(at[0])).astype(np.float32)
    arrays = {"src": src}
    for weight in layer.weights:
        value = normal(rng, weight.shape)
        if weight.name == "moving_variance":
            value = np.square(value) + np.float32(0.01)
        weight.assign(value)
        arrays[weight.name] = value
    x = tf.constant(src, tf.float64)
    measured = [w.numpy() for w in layer.non_trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(x)
        groups = tf.split(x, n // together)
        y = tf.concat([layer(group, training=True) for group in groups], 0)
        dst = tf.nn.relu(y) if relu else y
        diff_dst = normal(rng, dst.shape)
        loss = tf.reduce_sum(dst * tf.constant(diff_dst, tf.float64))
    if relu and np.abs(y).min() < KINK_MARGIN:
        return None
    trained = layer.trainable_weights
    gradients = tape.gradient(loss, [x, *(w.value for w in trained)])
    arrays |= {"dst": dst.numpy(), "diff_dst": diff_dst, "diff_src": gradients[0].numpy()}
    arrays |= {f"diff_{w.name}": g.numpy() for w, g in zip(trained, gradients[1:])}
    if kind in ("batch", "virtual"):
        for w, value in zip(layer.non_trainable_weights, measured):
            w.assign(value)
        after = [moved(layer, groups), moved(layer, groups)]
        for i, name in enumerate(("moving_mean_after", "moving_variance_after")):
            arrays[name] = np.stack([step[i] for step in after])
    return arrays


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def main():
    rng = np.random.default_rng(SEED)
    n_cases = 0
    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        for name, (n, shape, keys, relu, at) in (BATCH | LAYER | GROUP | VIRTUAL).items():
            kind = name.split("_")[0]
            arrays = None
            while arrays is None:
                arrays = run(rng, kind, n, shape, keys, relu, at)
            group = f.create_group(name)
            kind = "batch" if kind == "virtual" else kind
            lines = [f"type = {kind}_normalization"] + [f"{k} = {text(v)}" for k, v in keys.items()]
            group.attrs["ini"] = "\n".join(lines) + "\n" + (RELU if relu else "")
            group.attrs["input_shape"] = np.array(shape, np.int32)
            group.attrs["forward_only"] = np.int32(0)
            for key, a in arrays.items():
                group[key] = np.ascontiguousarray(a, np.float32)
            n_cases += 1
    print(f"{n_cases} cases")


if __name__ == "__main__":
    main()
