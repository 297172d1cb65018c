"""Steps of networks with regularizers of weights and of results, and constraints, in real Keras.

    python3 tests/golden/rules_trace.py    # writes rules_trace.h5 beside it

Needs Keras 3 with TensorFlow, and h5py; recorded with Keras 3.15 on TensorFlow 2.21. One network,
from 9 x 7 x 3 to 4 classes:

    conv a 5 4x2 same relu - batch normalisation n, epsilon 0.01 - max pool 3 stride 2 same -
    conv c 6 2x2 stride (2,1) tanh, no bias - flatten - dense f 11 relu - dense g 4 softmax;
    sparse cross-entropy

Each variant gives some layers other arguments and takes another optimizer. 30 images in batches of
12, 12 and 6; eight steps. The last losses are of all images, evaluated in batches of 7.

Layout of rules_trace.h5 (weights as Keras stores them):

    /images         uint8 [30,9,7,3]; the input is pixel / 255
    /labels         uint8 [30]
    /batches        int32 [8,12]        rows of /images of each batch; -1 where it has no more
    /initial/<layer>/<weight>           of all variants
    /<variant>/losses       float32 [8]     of each batch, before its update, penalties included
    /<variant>/evaluated    float32 [1]     of all images, at the end
    /<variant>/final/<layer>/<weight>       at the end of the training, averaged where use_ema says so
    attribute deviation                 the largest difference between any of these values and that
                                        of Keras in float64
"""
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import constraints as hold
from keras import layers, optimizers
from keras import regularizers as penalty

SHAPE, CLASSES, IMAGES, BATCH, STEPS = (9, 7, 3), 4, 30, 12, 8

# Arguments of layers, and the optimizer; fresh ones for each network.
VARIANTS = {
    "l2": lambda: (
        {"a": dict(kernel_regularizer=penalty.L2(0.03), bias_regularizer=penalty.L1(0.02)),
         "c": dict(kernel_regularizer="l2"),
         "n": dict(gamma_regularizer=penalty.L2(0.05), beta_regularizer=penalty.L1(0.04))},
        optimizers.SGD(0.1, momentum=0.9)),
    "l1_clipped": lambda: (
        {"a": dict(kernel_regularizer="l1"), "f": dict(kernel_regularizer=penalty.L1(0.002))},
        optimizers.Adam(0.005, global_clipnorm=0.5)),
    "both_accumulated": lambda: (
        {"c": dict(kernel_regularizer=penalty.L1L2(0.01, 0.02)),
         "g": dict(kernel_regularizer=penalty.L1L2(l2=0.1), bias_regularizer="l2")},
        optimizers.AdamW(0.01, weight_decay=0.1, gradient_accumulation_steps=2)),
    "frozen": lambda: (
        {"a": dict(kernel_regularizer="l2", kernel_constraint="non_neg", trainable=False),
         "f": dict(kernel_regularizer="l2")},
        optimizers.RMSprop(0.005)),
    "norms": lambda: (
        {"a": dict(kernel_constraint=hold.MaxNorm(0.7, axis=[0, 1, 2]), bias_constraint="non_neg"),
         "c": dict(kernel_constraint=hold.UnitNorm(axis=[0, 1, 2])),
         "f": dict(kernel_constraint=hold.MaxNorm(0.8), bias_constraint=hold.MaxNorm(0.3)),
         "g": dict(kernel_constraint="unit_norm")},
        optimizers.SGD(0.2)),
    "norms_averaged": lambda: (
        {"a": dict(kernel_constraint=hold.MinMaxNorm(0.6, 1.2, rate=0.7, axis=[0, 1])),
         "n": dict(gamma_constraint=hold.MaxNorm(1.5), beta_constraint="non_neg"),
         "c": dict(kernel_constraint=hold.MinMaxNorm(axis=[2, 3])),
         "f": dict(kernel_constraint=hold.MaxNorm(1, axis=1))},
        optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8)),
    "held_while_accumulating": lambda: (
        {"a": dict(kernel_constraint=hold.MinMaxNorm(0.1, 0.5, rate=0.25, axis=[0, 1, 2])),
         "f": dict(kernel_constraint="non_neg", kernel_regularizer="l1"),
         "g": dict(kernel_constraint=hold.MaxNorm(0.9, axis=[0, 1]))},
        optimizers.Adam(0.02, gradient_accumulation_steps=3)),
    "results": lambda: (
        {"a": dict(activity_regularizer=penalty.L2(0.002)),
         "n": dict(activity_regularizer=penalty.L2(0.001)),
         "p": dict(activity_regularizer=penalty.L1(0.004)),
         "c": dict(activity_regularizer=penalty.L1L2(0.01, 0.02), kernel_regularizer="l2"),
         "f": dict(activity_regularizer=penalty.L1(0.03))},
        optimizers.SGD(0.05, momentum=0.9)),
    "last_result": lambda: (
        {"a": dict(activity_regularizer=penalty.L1(0.02), trainable=False),
         "e": dict(activity_regularizer="l2"),
         "g": dict(activity_regularizer=penalty.L2(0.5))},
        optimizers.Adam(0.01)),
}


def network(variant):
    more, optimizer = VARIANTS[variant]()
    of = lambda name: dict(name=name, **more.get(name, {}))
    model = keras.Sequential([
        keras.Input(SHAPE),
        layers.Conv2D(5, (4, 2), padding="same", activation="relu", **of("a")),
        layers.BatchNormalization(epsilon=0.01, **of("n")),
        layers.MaxPooling2D(3, 2, "same", **of("p")),
        layers.Conv2D(6, 2, (2, 1), activation="tanh", use_bias=False, **of("c")),
        layers.Flatten(**of("e")),
        layers.Dense(11, activation="relu", **of("f")),
        layers.Dense(CLASSES, activation="softmax", **of("g")),
    ])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def weights_of(model):
    return {f"{layer.name}/{weight.name}": weight
            for layer in model.layers for weight in layer.weights}


def starting_value(rng, name, shape):
    if name in ("n/gamma", "n/moving_variance"):
        return rng.uniform(0.5, 1.5, shape)
    return rng.uniform(-0.5, 0.5, shape)


def follow(precision, variant, images, labels, batches, initial):
    """Losses, the evaluated one, final weights."""
    keras.backend.clear_session()
    keras.config.set_floatx(precision)
    model = network(variant)
    for name, weight in weights_of(model).items():
        weight.assign(initial[name])
    x = images.astype(np.float32) / np.float32(255)  # the same pixels in both precisions
    losses = []
    for rows in batches:
        rows = rows[rows >= 0]
        model.reset_metrics()  # the loss is that of this batch
        losses.append(model.train_on_batch(x[rows], labels[rows]))
    model.optimizer.finalize_variable_values(model.trainable_variables)  # as fit() does
    evaluated = model.evaluate(x, labels, batch_size=7, verbose=0)
    return (np.array(losses), np.array([evaluated]),
            {name: weight.numpy() for name, weight in weights_of(model).items()})


def largest_difference(a, b):
    arrays = [(a[2][name], b[2][name]) for name in b[2]] + [(a[0], b[0]), (a[1], b[1])]
    return max(np.abs(np.subtract(*pair)).max() for pair in arrays)


def main():
    rng = np.random.default_rng(16)
    images = rng.integers(0, 256, (IMAGES, *SHAPE), dtype=np.uint8)
    labels = rng.integers(CLASSES, size=IMAGES).astype(np.uint8)
    batches = np.full((STEPS, BATCH), -1, np.int32)
    for step in range(STEPS):
        rows = rng.permutation(IMAGES)[: 6 if step % 3 == 2 else BATCH]
        batches[step, : len(rows)] = rows
    initial = {name: starting_value(rng, name, weight.shape).astype(np.float32)
               for name, weight in weights_of(network("l2")).items()}
    with h5py.File(Path(__file__).with_name("rules_trace.h5"), "w") as f:
        f["images"], f["labels"], f["batches"] = images, labels, batches
        for name, value in initial.items():
            f[f"initial/{name}"] = value
        deviation = 0.0
        for variant in VARIANTS:
            made = follow("float32", variant, images, labels, batches, initial)
            exact = follow("float64", variant, images, labels, batches, initial)
            deviation = max(deviation, largest_difference(made, exact))
            print(variant, largest_difference(made, exact), made[0], made[1])
            f[f"{variant}/losses"] = made[0].astype(np.float32)
            f[f"{variant}/evaluated"] = made[1].astype(np.float32)
            for name, value in made[2].items():
                f[f"{variant}/final/{name}"] = value
        f.attrs["deviation"] = deviation


if __name__ == "__main__":
    main()
