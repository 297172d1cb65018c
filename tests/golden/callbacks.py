"""What real Keras's callbacks decide on made-up series: EarlyStopping, ReduceLROnPlateau.

    python tests/golden/callbacks.py    # keras 3.15, tensorflow-cpu 2.21; writes callbacks.h5

The callbacks belong to a compiled model, whose one weight is set to the number of the epoch before
each on_epoch_end; so it tells in the end which epoch's weights were restored. A case is a group of

    values           float64 [n]: what is monitored after each epoch
    attribute ini    the section, with the arguments as keys
    attribute name   val_loss or val_accuracy
    early_stopping:  attributes stopped_epoch (1-based; 0: it went on), restored_epoch (0: none)
    reduce_lr_...:   rates  float64 [n, optimizers]: after each epoch
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np

SEED, CASES, EPOCHS, RATE = 17, 60, 40, 0.01


def series(rng, kind):
    """A training that gets better, then does not; plateaus, ties, NaN."""
    noise = rng.standard_normal(EPOCHS) * 10.0 ** rng.uniform(-4, -1)
    curve = 0.3 + np.exp(-np.arange(EPOCHS) / rng.uniform(2, 12)) + noise
    if kind % 3 == 1:  # ties
        curve = np.round(curve, 2)
    if kind % 7 == 3:
        curve[rng.integers(0, EPOCHS, 3)] = np.nan
    if kind % 5 == 2:  # less than a float32 tells apart
        curve = 0.5 - np.arange(EPOCHS) * 10.0 ** rng.uniform(-9, -7)
    return curve


def model_of():
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse", metrics=["accuracy"])
    model.train_on_batch(np.zeros((1, 1)), np.zeros((1, 1)))  # the metrics are there from then on
    return model


def text(section, arguments):
    def value(v):
        return str(v).lower() if isinstance(v, bool) else repr(v) if isinstance(v, float) else str(v)

    return f"[{section}]\n" + "".join(f"{key} = {value(v)}\n" for key, v in arguments.items())


def walk(callback, model, name, values, after):
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.set_weights([np.full((1, 1), epoch + 1.0)])
        callback.on_epoch_end(epoch, {name: float(value)})
        after(epoch)
        if model.stop_training:
            break
    model.set_weights([np.zeros((1, 1))])
    callback.on_train_end()


def early_stopping(file, model, rng):
    for k in range(CASES):
        larger = k % 2 == 1
        values = series(rng, k)
        values = 1.5 - values if larger else values
        name = "val_accuracy" if larger else "val_loss"
        arguments = {"monitor": name, "patience": int(rng.integers(0, 9))}
        if k % 3:
            arguments["min_delta"] = float(np.round(10.0 ** rng.uniform(-4, -1), 6))
        if k % 4 == 1:
            arguments["mode"] = "max" if larger else "min"
        if k % 11 == 5:
            arguments["mode"] = "min" if larger else "max"
        if k % 5 == 3:
            arguments["baseline"] = float(np.round(rng.uniform(0.2, 1.2), 3))
        if k % 3 == 2:
            arguments["start_from_epoch"] = int(rng.integers(0, 12))
        arguments["restore_best_weights"] = True
        callback = keras.callbacks.EarlyStopping(**arguments)
        walk(callback, model, name, values, lambda epoch: None)
        group = file.create_group(f"early_stopping/{k:02}")
        group["values"] = values
        group.attrs["ini"] = text("early_stopping", arguments)
        group.attrs["stopped_epoch"] = callback.stopped_epoch + 1 if model.stop_training else 0
        group.attrs["restored_epoch"] = int(model.get_weights()[0][0, 0])


def plateau(file, model, rng):
    for k in range(CASES):
        larger = k % 2 == 1
        values = series(rng, k)
        values = 1.5 - values if larger else values
        name = "val_accuracy" if larger else "val_loss"
        arguments = {"monitor": name, "patience": int(rng.integers(0, 6))}
        arguments["factor"] = float(np.round(rng.uniform(0.05, 0.95), 3))
        if k % 3:
            arguments["min_delta"] = float(np.round(10.0 ** rng.uniform(-4, -1), 6))
        if k % 4 == 1:
            arguments["mode"] = "max" if larger else "min"
        if k % 3 == 2:
            arguments["cooldown"] = int(rng.integers(1, 6))
        if k % 4 == 2:
            arguments["min_lr"] = float(np.round(10.0 ** rng.uniform(-4, -2), 6))
        model.optimizer.learning_rate = RATE
        rates = []
        walk(
            keras.callbacks.ReduceLROnPlateau(**arguments),
            model,
            name,
            values,
            lambda epoch: rates.append(float(model.optimizer.learning_rate.numpy())),
        )
        group = file.create_group(f"reduce_lr_on_plateau/{k:02}")
        group["values"] = values
        group["rates"] = rates
        group.attrs["ini"] = text("reduce_lr_on_plateau", arguments)


def main():
    rng = np.random.default_rng(SEED)
    model = model_of()
    with h5py.File(Path(__file__).with_name("callbacks.h5"), "w") as file:
        file.attrs["learning_rate"] = RATE
        early_stopping(file, model, rng)
        plateau(file, model, rng)
        for kind in file:
            stops = [g.attrs.get("stopped_epoch", 0) for g in file[kind].values()]
            print(kind, len(stops), "cases; stopped:", sum(s > 0 for s in stops))


if __name__ == "__main__":
    main()
