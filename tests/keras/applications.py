"""applications.py -- the networks of keras.applications, whole, with random weights and at small inputs, in real Keras and in `trainer`.

    python tests/keras/applications.py TRAINER FOLDER [NAME...]      (no name: the small ones, which CI tries)

Each network is saved by Keras in both formats, read, and must predict and evaluate as Keras does; then both train ten steps from the
same weights on the same batches. A line for each: largest difference of a probability, relative differences of the losses before,
during and after the ten steps. Dropout is off: its random numbers are each program's own. Ends with 1 where something differs or is refused.

Tolerances: 1e-5 for what is computed from the same weights. Ten steps of some hundred layers repeat the rounding of float32 in each step,
and batch statistics of a few samples enlarge it: 1e-4 of the loss, or, where it is more, 10 times what the ten steps of Keras itself differ
from those from weights changed by half a rounding. The first step alone must agree to 1e-4. Clipped gradients keep a network with random
weights from diverging, which multiplies any rounding.
"""
import os
import subprocess
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np

SAME, STEPS, OF_KERAS = 1e-5, 1e-4, 10
BATCH, N, CLASSES = 8, 80, 10
SMALL = ["EfficientNetV2B0"]
# side of the images; what else the function wants; whether it takes pixels from 0 to 255
NETWORKS = {
    "MobileNet": (32, {"dropout": 0.0}, False),
    "MobileNetV2": (32, {"alpha": 0.35}, False),
    "MobileNetV3Small": (32, {}, True),
    "ResNet50": (32, {}, False),
    "ResNet50V2": (32, {}, False),
    "VGG16": (32, {}, False),
    "VGG19": (32, {}, False),
    "DenseNet121": (32, {}, False),
    "Xception": (96, {}, False),
    "InceptionV3": (96, {}, False),
    "NASNetMobile": (32, {}, False),
    "EfficientNetB0": (32, {}, True),
    "EfficientNetV2B0": (32, {}, True),
    "ConvNeXtTiny": (32, {}, True),
}


def all_layers(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from all_layers(layer)


def build(name):
    side, more, _ = NETWORKS[name]
    keras.utils.set_random_seed(7)
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=CLASSES, **more)
    r = np.random.RandomState(3)
    for layer in all_layers(model):
        if "Dropout" in type(layer).__name__:
            layer.rate = 0.0
        if isinstance(layer, keras.layers.BatchNormalization):  # as after some training, so that each of the four counts
            low = {"gamma": 0.8, "beta": -0.1, "moving_mean": -0.1, "moving_variance": 0.8}
            for v in layer.weights:
                v.assign(r.uniform(low[v.name], low[v.name] + (0.4 if low[v.name] > 0 else 0.2), v.shape))
    compile(model)
    return model


def compile(model):
    model.compile(keras.optimizers.SGD(1e-4, momentum=0.9, global_clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])


def train(model, data, weights, n):
    """(loss of an epoch of the first n samples, that of the test set behind it) from those weights."""
    model.set_weights(weights)
    compile(model)
    steps = model.fit(data["x_train"][:n], data["y_train"][:n], batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history["loss"][0]
    return steps, model.evaluate(data["x_test"], data["y_test"], batch_size=40, verbose=0)[0]


def changed(weights):
    r = np.random.RandomState(5)
    return [w * (1 + r.uniform(-6e-8, 6e-8, w.shape)).astype(w.dtype) if w.dtype == np.float32 else w for w in weights]


def write_data(path, side, pixels):
    r = np.random.RandomState(1)
    with h5py.File(path, "w") as f:
        for part in ("train", "test"):
            x = r.uniform(0, 255, (N, side, side, 3)) if pixels else r.standard_normal((N, side, side, 3))
            f["x_" + part], f["y_" + part] = x.astype("f4"), r.randint(0, CLASSES, N).astype("i4")
        for n in (BATCH, N):
            f["x_%d" % n], f["y_%d" % n] = f["x_train"][:n], f["y_train"][:n]
    with h5py.File(path) as f:
        return {k: f[k][()] for k in f}


def run(trainer, *words):
    done = subprocess.run([trainer, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stdout + done.stderr).strip().splitlines()[-1][:600])
    return done.stdout


def off(a, b):
    return abs(a - b) / max(abs(b), 1e-3)


def loss_of(trainer, file):
    return float(run(trainer, "evaluate", "--checkpoint", file, "--set", "data.file=data.h5").split("test loss ")[1].split()[0])


def trainer_trains(trainer, n):
    """As train()."""
    run(trainer, "-c", "net.ini", "--set", "data.file=data.h5", "--set", "data.x_train=x_%d" % n, "--set", "data.y_train=y_%d" % n, "--set", "fit.initial_weights=m.keras",
        "--set", "fit.epochs=1", "--set", "fit.batch_size=%d" % BATCH, "--set", "fit.shuffle=no", "--set", "output.directory=run", "--overwrite")
    with open("run/history.csv") as f:
        head, row = [line.strip().split(",") for line in f][:2]
    return float(row[head.index("loss")]), loss_of(trainer, "run/last.h5")


def compare(trainer, folder, name):
    side, _, pixels = NETWORKS[name]
    home = os.path.join(folder, name)
    os.makedirs(home, exist_ok=True)
    os.chdir(home)
    data, model, failed = write_data("data.h5", side, pixels), build(name), []
    theirs = np.asarray(model(data["x_test"], training=False))
    before = model.evaluate(data["x_test"], data["y_test"], batch_size=40, verbose=0)[0]
    for file in ("m.keras", "m.h5"):
        model.save(file)
        began = time.time()
        run(trainer, "predict", "--checkpoint", file, "--input", "data.h5:x_test", "--output", "p.h5")
        took = time.time() - began
        with h5py.File("p.h5") as f:
            worst = float(np.abs(f["predictions"][()] - theirs).max())
        line = "%s predict %.1e (%.1f s)" % (file, worst, took)
        failed += [line] if not worst <= SAME else []
        print(name, line, flush=True)
    ours = {"evaluate": loss_of(trainer, "m.keras")}
    with open("net.ini", "w") as f:
        f.write(run(trainer, "inspect", "m.keras", "--config"))
    weights = model.get_weights()
    theirs = {"evaluate": before}
    for what, n in (("a step", BATCH), ("ten steps", N)):
        ours[what], ours["after " + what] = trainer_trains(trainer, n)
        theirs[what], theirs["after " + what] = train(model, data, weights, n)
    allowed = {what: SAME if what == "evaluate" else STEPS for what in ours}
    if any(not off(ours[w], theirs[w]) <= allowed[w] for w in ("ten steps", "after ten steps")):
        other = train(model, data, changed(weights), N)
        for what, value in zip(("ten steps", "after ten steps"), other):
            allowed[what] = max(STEPS, OF_KERAS * off(value, theirs[what]))
    for what in ours:
        line = "%s %.6f, Keras %.6f: %.1e, allowed %.0e" % (what, ours[what], theirs[what], off(ours[what], theirs[what]), allowed[what])
        failed += [line] if not off(ours[what], theirs[what]) <= allowed[what] else []
        print(name, line, flush=True)
    return failed


def main():
    trainer, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    bad, names = 0, sys.argv[3:] or SMALL
    for name in names:
        try:
            failed = compare(trainer, folder, name)
        except RuntimeError as error:
            failed = [str(error)]
        keras.backend.clear_session()
        print("%-6s %s%s" % ("FAILED" if failed else "ok", name, "".join("\n       " + line for line in failed)), flush=True)
        bad += bool(failed)
    line = "%d networks of keras.applications, Keras %s: %d failed" % (len(names), keras.__version__, bad)
    print(line)
    if "CI_NOTE" in os.environ:
        with open(os.environ["CI_NOTE"], "w") as f:
            f.write(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
