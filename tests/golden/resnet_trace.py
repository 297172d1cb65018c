"""Fifty steps of a small residual network in real Keras: two blocks, batch normalisation, SGD.

    python3 tests/golden/resnet_trace.py    # writes resnet_trace.h5 beside it

Needs Keras 3 with TensorFlow, and h5py; recorded with Keras 3.15 on TensorFlow 2.21. The network,
from 12 x 12 x 3 to 5 classes; convolutions are 3x3 same without bias (shortcuts 1x1), all
normalisations have momentum 0.9 and epsilon 0.001:

    conv 8 - bn - relu
    - a_conv1 8 - a_bn1 - a_relu1 - a_conv2 8 - a_bn2, plus relu: a_add - a_relu2
    - b_conv1 12, stride 2 - b_bn1 - b_relu1 - b_conv2 12 - b_bn2, plus b_shortcut 12, stride 2, of
      a_relu2 - b_shortcut_bn: b_add - b_relu2
    - global average - output 5 softmax;  sparse cross-entropy, SGD(0.02, momentum 0.9)

100 images in ten epochs of batches of 24, 24, 24, 24 and 4, in a new order each. It tells that the
statistics of a batch are those of the whole batch, of a short one too; that a value with two
readers gets both gradients; and that weights and moving statistics stay with Keras's.

Layout of resnet_trace.h5 (weights as Keras stores them):

    /images         uint8 [100,12,12,3]; the input is pixel / 255
    /labels         uint8 [100]
    /batches        int32 [50,24]       rows of /images of each batch; -1 where it has no more
    /losses         float32 [50]        mean loss of each batch, before its update
    /initial/<layer>/<weight>           before the first step; moving statistics among them
    /final/<layer>/<weight>             after the last one
    /predictions    float32 [100,5]     of all images then, which is with the moving statistics
    attributes deviation_loss, deviation_statistics, deviation_prediction: the largest differences
                    between these values and those of Keras in float64
"""
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers

SIZE, CLASSES, IMAGES, BATCH, EPOCHS = 12, 5, 100, 24, 10


def conv(x, name, filters, size=3, strides=1):
    return layers.Conv2D(filters, size, strides, "same", use_bias=False, name=name)(x)


def bn(x, name):
    return layers.BatchNormalization(momentum=0.9, epsilon=0.001, name=name)(x)


def relu(x, name):
    return layers.Activation("relu", name=name)(x)


def block(x, name, filters, strides):
    shortcut = x
    x = relu(bn(conv(x, name + "_conv1", filters, strides=strides), name + "_bn1"), name + "_relu1")
    x = bn(conv(x, name + "_conv2", filters), name + "_bn2")
    if strides > 1:
        shortcut = conv(shortcut, name + "_shortcut", filters, 1, strides)
        shortcut = bn(shortcut, name + "_shortcut_bn")
    return relu(layers.Add(name=name + "_add")([x, shortcut]), name + "_relu2")


def network():
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = relu(bn(conv(image, "conv", 8), "bn"), "relu")
    x = block(block(x, "a", 8, 1), "b", 12, 2)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="output")(x))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def weights_of(model):
    return {f"{layer.name}/{weight.name}": weight
            for layer in model.layers for weight in layer.weights}


def starting_value(rng, name, shape):
    kind = name.split("/")[1]
    if kind == "kernel":
        fan_in = np.prod(shape[:-1])
        return rng.normal(0, np.sqrt(2 / fan_in), shape)
    if kind in ("gamma", "moving_variance"):
        return rng.uniform(0.5, 1.5, shape)
    return rng.uniform(-0.2, 0.2, shape)  # beta, bias, moving_mean


def made_images(rng):
    """A class is a colour and a slope, under noise: neither alone tells it."""
    labels = rng.integers(CLASSES, size=IMAGES).astype(np.uint8)
    ramp = np.linspace(-60, 60, SIZE)
    images = np.empty((IMAGES, SIZE, SIZE, 3))
    for image, label in zip(images, labels):
        slope = ramp[:, None] if label % 2 else ramp[None, :]
        image[:] = 128 + rng.normal(0, 40, image.shape) + slope[..., None]
        image[..., label % 3] += 30
    return np.clip(np.rint(images), 0, 255).astype(np.uint8), labels


def orders(rng):
    batches = np.full((EPOCHS * -(-IMAGES // BATCH), BATCH), -1, np.int32)
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(IMAGES)
        for start in range(0, IMAGES, BATCH):
            rows = order[start : start + BATCH]
            batches[step, : len(rows)] = rows
            step += 1
    return batches


def follow(precision, images, labels, batches, initial):
    """Losses, final weights, predictions."""
    keras.backend.clear_session()
    keras.config.set_floatx(precision)
    model = network()
    for name, weight in weights_of(model).items():
        weight.assign(initial[name])
    x = images.astype(np.float32) / np.float32(255)  # the same pixels in both precisions
    losses = []
    for batch in batches:
        rows = batch[batch >= 0]
        losses.append(float(model.train_on_batch(x[rows], labels[rows])))
    final = {name: keras.ops.convert_to_numpy(weight) for name, weight in weights_of(model).items()}
    return np.array(losses), final, model.predict(x, verbose=0)


def largest_difference(a, b):
    return float(np.abs(a - b).max())


def main():
    rng = np.random.default_rng(14)
    images, labels = made_images(rng)
    batches = orders(rng)
    initial = {name: starting_value(rng, name, weight.shape).astype(np.float32)
               for name, weight in weights_of(network()).items()}
    losses, final, outputs = follow("float32", images, labels, batches, initial)
    exact_losses, exact_final, exact_outputs = follow("float64", images, labels, batches, initial)
    with h5py.File(Path(__file__).with_name("resnet_trace.h5"), "w") as f:
        f.create_dataset("images", data=images, compression="gzip")
        f["labels"], f["batches"] = labels, batches
        f["losses"], f["predictions"] = losses.astype(np.float32), outputs
        for name, values in initial.items():
            f["initial/" + name], f["final/" + name] = values, final[name]
        f.attrs["deviation_loss"] = largest_difference(losses, exact_losses)
        f.attrs["deviation_statistics"] = max(largest_difference(final[name], exact_final[name])
                                              for name in final if "/moving_" in name)
        f.attrs["deviation_prediction"] = largest_difference(outputs, exact_outputs)
        print("Keras", keras.__version__, dict(f.attrs))
    print("losses", np.round(losses, 4).tolist())


if __name__ == "__main__":
    main()
