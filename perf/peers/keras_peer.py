"""Keras 3 on TensorFlow or on JAX, as a peer of trainer (serve.py). Needs keras and the backend.

--variant tensorflow | jax

Written as Keras's tutorials are: the functional API, compile(), fit() and evaluate() over arrays in
memory. In its favour: logits straight into the loss, no progress bar, and only what lies between
the callbacks of an epoch's begin and end is counted, not what fit() does before the first.
TensorFlow runs its own kernels (`jit_compile = False`), which are oneDNN's; through XLA it is
slower on CPUs.
"""

import os
import time

from serve import Work, arguments, serve

# Before keras is imported: it takes its backend from the environment.
GIVEN = arguments(("tensorflow", "jax"))
os.environ["KERAS_BACKEND"] = GIVEN.variant
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
from keras import layers  # noqa: E402


def set_threads():
    """JAX takes its number from XLA_FLAGS and the CPUs that perf/compare leaves it; TensorFlow
    would take as many, and is told."""
    if GIVEN.variant == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(GIVEN.threads)
        tf.config.threading.set_inter_op_parallelism_threads(GIVEN.threads)


def versions():
    if GIVEN.variant == "tensorflow":
        import tensorflow as backend
    else:
        import jax as backend
    return {"keras": keras.__version__, GIVEN.variant: backend.__version__}


def make_layer(layer):
    keys, activation = layer.keys, layer.activation
    if layer.type == "conv2d":
        return layers.Conv2D(**keys, activation=activation)
    if layer.type == "dense":
        return layers.Dense(**keys, activation=activation)
    if layer.type == "activation":
        return layers.Activation(activation)
    make = {
        "depthwise_conv2d": layers.DepthwiseConv2D,
        "max_pooling2d": layers.MaxPooling2D,
        "average_pooling2d": layers.AveragePooling2D,
        "global_average_pooling2d": layers.GlobalAveragePooling2D,
        "batch_normalization": layers.BatchNormalization,
        "add": layers.Add,
        "flatten": layers.Flatten,
    }[layer.type]
    return make(**keys)


def build_network(job):
    values = [keras.Input(job.input_shape)]
    for layer in job.layers:
        sources = [values[number] for number in layer.sources]
        values.append(make_layer(layer)(sources if len(sources) > 1 else sources[0]))
    model = keras.Model(values[0], values[-1])
    make = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[job.optimizer]
    settings = {key: value for key, value in job.settings.items() if value or key != "weight_decay"}
    model.compile(
        optimizer=make(**settings),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False if GIVEN.variant == "tensorflow" else "auto",
    )
    return model


class Clock(keras.callbacks.Callback):
    """Seconds of the last epoch, or evaluation."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.begin

    def on_test_begin(self, logs=None):
        self.begin = time.perf_counter()

    def on_test_end(self, logs=None):
        self.seconds = time.perf_counter() - self.begin


def make_work(job, mode, batch, x, y):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model, clock = build_network(job), Clock()

    def train():
        history = model.fit(x, y, batch_size=batch, epochs=1, shuffle=True, verbose=0,
                            callbacks=[clock]).history
        return clock.seconds, history["loss"][-1], history["accuracy"][-1]

    def evaluate():
        loss, accuracy = model.evaluate(x, y, batch_size=batch, verbose=0, callbacks=[clock])
        return clock.seconds, loss, accuracy

    n_parameters = sum(int(keras.ops.size(w)) for w in model.trainable_variables)
    return Work(train if mode == "train" else evaluate, n_parameters)


if __name__ == "__main__":
    set_threads()
    serve(versions(), make_work)
