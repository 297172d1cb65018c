"""Ten steps of networks with frozen layers in real Keras: what stays, and what the others do.

    python3 tests/golden/frozen_trace.py    # writes frozen_trace.h5 beside it

Needs Keras 3 with TensorFlow, and h5py; recorded with Keras 3.15 on TensorFlow 2.21. One network,
from 9 x 7 x 3 to 4 classes, in every variant with other frozen layers:

    conv a 5 4x2 same relu - batch normalisation n, epsilon 0.01 - max pool 3 stride 2 same -
    conv c 6 2x2 stride (2,1) tanh, no bias - flatten - dense f 11 relu - dense g 4 softmax;
    sparse cross-entropy

The normalisation is frozen in all of them: then it is one with its moving statistics, in training,
too. 30 images in batches of 12, 12 and 6. It tells that frozen weights see no decay, norm, clipping
or average; that those do not enter the norms of the others; and that gradients go through.

Layout of frozen_trace.h5 (weights as Keras stores them):

    /images         uint8 [30,9,7,3]; the input is pixel / 255
    /labels         uint8 [30]
    /batches        int32 [10,12]       rows of /images of each batch; -1 where it has no more
    /initial/<layer>/<weight>           of all variants
    /<variant>/losses       float32 [10]    mean loss of each batch, before its update
    /<variant>/final/<layer>/<weight>       at the end of the training, averaged where use_ema says so
    /<variant>/slots/<name>             the optimizer's variables then; the group's attribute
                                        `order` lists them in Keras's: iteration, learning_rate,
                                        c_kernel_momentum, ...
    attribute deviation                 the largest difference between any of these values and that
                                        of Keras in float64
"""
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers, optimizers

SHAPE, CLASSES, IMAGES, BATCH, STEPS = (9, 7, 3), 4, 30, 12, 10

# Frozen layers beside n, and the optimizer.
VARIANTS = {
    "first_adam": ("a", lambda: optimizers.Adam(0.01)),
    "first_lamb": ("a", lambda: optimizers.Lamb(0.02, weight_decay=0.1)),
    "first_average": ("a", lambda: optimizers.AdamW(0.01, weight_decay=0.1, use_ema=True,
                                                    ema_momentum=0.8)),
    "middle_global_clipnorm": ("c", lambda: optimizers.SGD(0.2, momentum=0.9, weight_decay=0.05,
                                                           global_clipnorm=0.1)),
    "middle_clipnorm": ("cf", lambda: optimizers.SGD(0.2, clipnorm=0.05)),
    "last_rmsprop": ("g", lambda: optimizers.RMSprop(0.005)),
}


def network(frozen, optimizer):
    model = keras.Sequential([
        keras.Input(SHAPE),
        layers.Conv2D(5, (4, 2), padding="same", activation="relu", name="a"),
        layers.BatchNormalization(epsilon=0.01, name="n"),
        layers.MaxPooling2D(3, 2, "same", name="p"),
        layers.Conv2D(6, 2, (2, 1), activation="tanh", use_bias=False, name="c"),
        layers.Flatten(name="e"),
        layers.Dense(11, activation="relu", name="f"),
        layers.Dense(CLASSES, activation="softmax", name="g"),
    ])
    for layer in model.layers:
        layer.trainable = layer.name not in frozen + "n"
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
    """Losses, final weights, final variables of the optimizer."""
    keras.backend.clear_session()
    keras.config.set_floatx(precision)
    frozen, optimizer = VARIANTS[variant]
    model = network(frozen, optimizer())
    for name, weight in weights_of(model).items():
        weight.assign(initial[name])
    x = images.astype(np.float32) / np.float32(255)  # the same pixels in both precisions
    losses = []
    for rows in batches:
        rows = rows[rows >= 0]
        model.reset_metrics()  # the loss is that of this batch
        losses.append(model.train_on_batch(x[rows], labels[rows]))
    model.optimizer.finalize_variable_values(model.trainable_variables)  # as fit() does
    return (np.array(losses), {name: weight.numpy() for name, weight in weights_of(model).items()},
            {name_of(variable): variable.numpy() for variable in model.optimizer.variables})


def name_of(variable):
    """Without the names of optimizer and model."""
    return variable.path.rsplit("/", 1)[1].removeprefix("sequential_")


def largest_difference(a, b):
    arrays = [(a[i][name], b[i][name]) for i in (1, 2) for name in b[i]] + [(a[0], b[0])]
    return max(np.abs(np.subtract(*pair)).max() for pair in arrays)


def main():
    rng = np.random.default_rng(14)
    images = rng.integers(0, 256, (IMAGES, *SHAPE), dtype=np.uint8)
    labels = rng.integers(CLASSES, size=IMAGES).astype(np.uint8)
    batches = np.full((STEPS, BATCH), -1, np.int32)
    for step in range(STEPS):
        rows = rng.permutation(IMAGES)[: 6 if step % 3 == 2 else BATCH]
        batches[step, : len(rows)] = rows
    initial = {name: starting_value(rng, name, weight.shape).astype(np.float32)
               for name, weight in weights_of(network("", "sgd")).items()}
    with h5py.File(Path(__file__).with_name("frozen_trace.h5"), "w") as f:
        f["images"], f["labels"], f["batches"] = images, labels, batches
        for name, value in initial.items():
            f[f"initial/{name}"] = value
        deviation = 0.0
        for variant in VARIANTS:
            made = follow("float32", variant, images, labels, batches, initial)
            exact = follow("float64", variant, images, labels, batches, initial)
            deviation = max(deviation, largest_difference(made, exact))
            print(variant, largest_difference(made, exact), made[0])
            f[f"{variant}/losses"] = made[0].astype(np.float32)
            for name, value in made[1].items():
                f[f"{variant}/final/{name}"] = value
            for name, value in made[2].items():
                f[f"{variant}/slots/{name}"] = value
            f[f"{variant}/slots"].attrs["order"] = np.array(list(made[2]), "S")
        f.attrs["deviation"] = deviation


if __name__ == "__main__":
    main()
