"""check.py TRAINER FOLDER -- in one Keras, the one that this Python has: what trainer writes is loaded, measured and trained on; what
this Keras writes is measured by trainer. One line per check on stdout: `ok` or `FAILED`, network, file, what, how far apart."""
import os
import re
import subprocess
import sys
import traceback
import json

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py  # noqa: E402
import numpy as np  # noqa: E402

try:
    import tf_keras as keras
except ImportError:
    import keras

from networks import BATCH, CLASSES, NETWORKS  # noqa: E402

VERSION = tuple(int(n) for n in keras.__version__.split(".")[:2])
KERAS2 = VERSION[0] == 2
# Float32 sums in another order: of a prediction, of a loss over 40 samples (trainer prints four digits of a metric), and after
# three more steps, in which a rounding error grows.
PREDICTIONS, VALUES, STEPS = 2e-5, 1e-4, 5e-4


class Checks:
    def __init__(self):
        self.bad = 0

    def note(self, good, network, file, what, detail=""):
        self.bad += not good
        print("%s\t%s\t%s\t%s\t%s" % ("ok" if good else "FAILED", network, file, what, detail), flush=True)

    def near(self, network, file, what, ours, theirs, most):
        if isinstance(ours, dict):
            apart = max([abs(ours[k] - theirs[k]) / max(1.0, abs(ours[k])) for k in ours], default=0.0)
        else:
            apart = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
        self.note(apart <= most, network, file, what, "%.0e" % apart)

    def trying(self, network, file, what, work):
        try:
            return work()
        except Exception as problem:  # whatever Keras raises is a failed check
            if os.environ.get("TRACE"):
                traceback.print_exc()
            self.note(False, network, file, what, str(problem).replace("\n", " ")[:160])
            return None


checks = Checks()


def arrays(folder):
    with h5py.File(folder + "/data.h5") as f:
        return {name: f[name][()] for name in f}


def number(variable):
    return float(np.asarray(variable))


def evaluate(model, data, target):
    return {k: float(v) for k, v in model.evaluate(data["x_test"], data["y_test_" + target], batch_size=40, verbose=0, return_dict=True).items()}


def fit(model, data, target):
    return model.fit(data["x_train"], data["y_train_" + target], batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history["loss"][0]


def printed(text):
    return {name: float(value) for name, value in re.findall(r"test (\w+) ([-+.e\d]+)", text)}


def expected_values(net, after):
    if not net.same:  # the epoch was measured before the weights became their average
        return printed(after["said"]["evaluate"])
    return {k[4:]: v for k, v in after["epochs"][0].items() if k.startswith("val_")}


# ---- what trainer writes ----


def check_model(net, file, model, data, after, compiled, goes_on):
    with h5py.File("%s/predictions.h5" % net.name) as f:
        ours = f["predictions"][()]
    checks.near(net.name, file, "predict", ours, np.asarray(model(data["x_test"], training=False)), PREDICTIONS)
    if not compiled:
        return
    model.run_eagerly = True
    checks.near(net.name, file, "evaluate", expected_values(net, after), evaluate(model, data, net.target), VALUES)
    loss = fit(model, data, net.target)
    if goes_on and net.same:
        checks.near(net.name, file, "goes on", {"loss": after["epochs"][1]["loss"]}, {"loss": loss}, VALUES)
        checks.near(net.name, file, "went on", {"loss": after["epochs"][1]["val_loss"]}, {"loss": evaluate(model, data, net.target)["loss"]}, STEPS)
    else:
        checks.note(bool(np.isfinite(loss)), net.name, file, "fit")
    if goes_on:
        steps = number(model.optimizer.iterations)  # with gradient_accumulation_steps = 2 newer Kerases show updates
        checks.note(steps == 6 or (net.name == "accumulate" and steps == 3), net.name, file, "steps counted", str(steps))


def load_checkpoint(net):
    known = net.old if KERAS2 else VERSION >= net.known
    model = keras.models.load_model("%s/last.h5" % net.name, compile=known)
    if net.name == "augmented" and (3, 0) <= VERSION < (3, 15):  # loads what adapt() measured, and does not use it
        model.layers[0].finalize_state()
    return model, net.h5 and known


def check_checkpoint(net, data, after):
    if net.absent and VERSION < net.since:
        checks.note(net.absent in after["said"]["fit"], net.name, "last.h5", "named")
        return
    model, compiled = load_checkpoint(net)
    said = after["said"]["fit"]
    if KERAS2 and net.keras2 == "refused":
        checks.note("hard_sigmoid" in said, net.name, "last.h5", "named")
        return
    check_model(net, "last.h5", model, data, after, compiled, False)
    if not compiled:
        checks.note("note: " in said, net.name, "last.h5", "named")


def check_keras2(net, data, after):
    said = after["said"]["keras2"]
    if net.keras2 == "refused":
        checks.note((net.absent or "hard_sigmoid") in said, net.name, "keras2", "named")
        return
    model = keras.models.load_model("%s/last.keras2.h5" % net.name)
    whole = net.keras2 == "whole"
    check_model(net, "keras2", model, data, after, whole, net.state2)
    if not whole or not net.state2 or net.name == "virtual":
        checks.note("note: " in said, net.name, "keras2", "named")


def check_keras3(net, data, after):
    if VERSION < net.since:  # such files are not for it, and that was said
        for kind in ("keras", "weights.h5"):
            checks.note("note: " in after["said"][kind], net.name, kind, "named")
        return
    check_model(net, "keras", keras.models.load_model("%s/last.keras" % net.name), data, after, not net.untold, not net.untold)
    if not net.h5:
        return
    model = load_checkpoint(net)[0]
    model.optimizer.build(model.trainable_variables)
    model.load_weights("%s/last.weights.h5" % net.name)
    check_model(net, "weights.h5", model, data, after, True, True)
    model = load_checkpoint(net)[0]
    model.optimizer.build(model.trainable_variables)
    with h5py.File("%s/last.h5" % net.name) as f:
        group = f["trainer/optimizer_weights"]
        model.optimizer.set_weights([group[n][()] for n in group.attrs["weight_names"]])
    check_model(net, "last.h5 + state", model, data, after, True, True)


def as_vectors(data):
    return {name: x.reshape(len(x), -1) if name.startswith("x") else x for name, x in data.items()}


def read_ours(everything):
    for net in NETWORKS:
        data = everything if "," in net.input else as_vectors(everything)
        with open("%s/after.json" % net.name) as f:
            after = json.load(f)
        checks.trying(net.name, "last.h5", "load", lambda: check_checkpoint(net, data, after))
        if KERAS2:
            checks.trying(net.name, "keras2", "load", lambda: check_keras2(net, data, after))
        else:
            checks.trying(net.name, "keras", "load", lambda: check_keras3(net, data, after))
        keras.backend.clear_session()


# ---- what this Keras writes ----

CHAIN_INI = """[model]
input_shape = 12, 10, 3
[layer.c]
type = conv2d
filters = 6
kernel_size = 3
activation = relu
[layer.b]
type = batch_normalization
[layer.p]
type = max_pooling2d
[layer.r]
type = dropout
rate = 0.25
[layer.f]
type = flatten
[layer.o]
type = dense
units = 4
activation = softmax
[data]
file = data.h5
[compile]
loss = sparse_categorical_crossentropy
optimizer = adam
[output]
directory = none
"""


def chain():
    layers = keras.layers
    model = keras.Sequential([layers.Input((12, 10, 3)), layers.Conv2D(6, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(),
                              layers.Dropout(0.25), layers.Flatten(), layers.Dense(CLASSES, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)])
    return model, "sparse"


def functional():
    layers = keras.layers
    x = entry = keras.Input((12, 10, 3))
    for layer in (layers.ZeroPadding2D(((1, 0), (0, 2))), layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh"), layers.AveragePooling2D(2),
                  layers.GlobalAveragePooling2D(), layers.Dense(3, activation="sigmoid")):
        x = layer(x)
    model = keras.Model(entry, x)
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.03), keras.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=["binary_accuracy", "mse"])
    return model, "several"


def activations():
    layers = keras.layers
    model = keras.Sequential([layers.Input((12, 10, 3)), layers.Conv2D(4, 3, kernel_regularizer="l2", name="a_b"), layers.ReLU(), layers.Conv2D(4, 3),
                              layers.LeakyReLU(0.2), layers.GlobalMaxPooling2D(), layers.Dense(3), layers.ELU(), layers.Dense(3)])
    model.layers[0].trainable = False
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model, "values"


def shortcuts():
    layers = keras.layers
    entry = keras.Input((12, 10, 3))
    third = layers.Conv2D(4, 1, name="third")
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(layers.Conv2D(4, 3, padding="same", use_bias=False)(entry)))
    total = layers.Add()([x, layers.Conv2D(4, 1, name="short")(entry)])
    left, right = layers.Conv2D(4, 1, activation="tanh", name="left")(total), layers.Conv2D(4, 1, name="right")(total)
    mean = layers.Average()([layers.Multiply()([layers.Maximum()([right, left]), x]), total, third(entry)])
    joined = layers.Concatenate()([layers.GroupNormalization(2)(mean), layers.LayerNormalization(epsilon=0.01)(mean), entry])
    vector = layers.concatenate([layers.GlobalMaxPooling2D()(joined), layers.GlobalAveragePooling2D()(joined)])
    model = keras.Model(entry, layers.Dense(CLASSES, activation="softmax")(layers.BatchNormalization()(vector)))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def frozen():
    layers = keras.layers
    x = entry = keras.Input((12, 10, 3))
    for layer in (layers.Conv2D(4, 3, trainable=False), layers.BatchNormalization(trainable=False), layers.Conv2D(4, 3), layers.BatchNormalization()):
        x = layer(x)
    x = layers.Flatten(trainable=False)(layers.Add()([x, x]))
    model = keras.Model(entry, layers.Dense(CLASSES, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def nested():
    """Models among the layers, one of them frozen, as a pretrained one that gets a new head."""
    layers = keras.layers
    base = keras.Sequential([layers.Input((12, 10, 3)), layers.Conv2D(4, 3, padding="same", name="c"), layers.BatchNormalization(name="b")], name="base")
    x = inside = keras.Input((12, 10, 4))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", name="c")(x))
    deepest = keras.Sequential([layers.Input((12, 10, 4)), layers.Conv2D(4, 1), layers.BatchNormalization()])
    body = keras.Model(inside, layers.Add()([deepest(x), inside]), name="body")
    body.layers[1].trainable = False
    head = keras.Sequential([layers.Input((12, 10, 4)), layers.GlobalAveragePooling2D(), layers.Dense(5, activation="relu")])
    entry = keras.Input((12, 10, 3))
    model = keras.Model(entry, layers.Dense(CLASSES, activation="softmax")(head(body(layers.ReLU()(base(layers.BatchNormalization()(entry), training=False))))))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def vectors():
    layers = keras.layers
    x = entry = keras.Input((360,))
    for layer in (layers.BatchNormalization(), layers.Dense(5, activation="relu"), layers.Dense(5)):
        x = layer(x)
    model = keras.Model(entry, layers.Dense(CLASSES, activation="softmax")(layers.Add()([x, layers.Dense(5)(entry)])))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def shapes():
    layers = keras.layers
    x = entry = keras.Input((12, 10, 3))
    adapted = layers.Normalization()
    adapted.adapt(everything["x_train"])
    for layer in (adapted, layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]), layers.Rescaling([0.5, 1.0, 2.0], offset=-0.1), layers.Rescaling(1 / 255), layers.Cropping2D(((1, 0), (0, 2))), layers.UpSampling2D(2),
                  layers.Conv2D(4, 3), layers.UpSampling2D((2, 1), interpolation="bilinear"), layers.Permute((3, 2, 1)), layers.Reshape((4, -1, 20)),
                  layers.BatchNormalization(), layers.GlobalAveragePooling2D(), layers.Reshape((1, 1, 20)), layers.Conv2DTranspose(3, (2, 1), strides=3), layers.GlobalMaxPooling2D(), layers.Reshape((3,)),
                  layers.BatchNormalization(), layers.Softmax()):
        x = layer(x)
    gate = layers.Conv2D(1, (12, 10), activation="sigmoid")(entry)
    x = layers.Softmax()(layers.Dense(4)(layers.GlobalAveragePooling2D()(layers.Add()([layers.Multiply()([entry, gate]), layers.Reshape((1, 1, -1))(x)]))))
    model = keras.Model(entry, x)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def augmented():
    """What every Keras has of layers that change images, and of the newest all that we have."""
    layers = keras.layers
    adapted = layers.Normalization()
    adapted.adapt(everything["x_train"])
    entries = [adapted, layers.RandomFlip(), layers.RandomFlip("vertical", seed=3), layers.RandomTranslation(0.1, (-0.1, 0.2), "constant", fill_value=0.25), layers.RandomRotation((-0.1, 0.05), "wrap", "nearest"),
               layers.RandomZoom(0.2), layers.RandomZoom((-0.1, 0.1), 0.2, fill_mode="nearest"), layers.RandomContrast(0.2), layers.RandomContrast((0.1, 0.3)), layers.RandomBrightness(0.1, value_range=(-4.0, 4.0)), layers.Resizing(11, 13), layers.CenterCrop(9, 9), layers.Resizing(7, 12, "nearest")]
    if VERSION >= (3, 15):
        entries += [layers.RandomShear((0.0, 0.1), (0.1, 0.2)), layers.RandomContrast(0.2, value_range=(-5, 5)), layers.RandomSharpness(0.5, (-5, 5)), layers.RandomGrayscale(0.3), layers.RandomInvert(0.2, (-5, 5)),
                    layers.RandomColorDegeneration(0.5, (-5, 5)), layers.RandomErasing(0.5, value_range=(-5, 5)), layers.RandomErasing(fill_value=(0.1, 0.2, 0.3))]
    model = keras.Sequential([layers.Input((12, 10, 3)), *entries, layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(CLASSES, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def decayed():
    model = chain()[0]
    model.compile(keras.optimizers.legacy.SGD(0.1, decay=0.05, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def newer():
    model = chain()[0]
    model.compile(keras.optimizers.Muon(0.01, weight_decay=None, rms_rate=None, exclude_layers=["dense"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def several():
    model = chain()[0]
    rates = keras.optimizers.schedules.CosineDecay(0.01, 20)
    groups = {"(.*/)?(%s)/.*" % model.layers[0].name: keras.optimizers.Adam(rates)}
    model.compile(keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1), groups)), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, "sparse"


def run(trainer, *words):
    done = subprocess.run([trainer, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stdout + done.stderr)[-400:])
    return done.stdout + done.stderr


def trainer_predicts(trainer, path, more=()):
    run(trainer, "predict", "--checkpoint", path, *more, "--input", "data.h5:x_test", "--output", "theirs.h5")
    with h5py.File("theirs.h5") as f:
        return f["predictions"][()]


def trainer_evaluates(trainer, path, target):
    text = run(trainer, "evaluate", "--checkpoint", path, "--set", "data.file=data.h5", "--set", "data.y_test=y_test_" + target)
    return printed(text)


def check_theirs(trainer, name, path, model, data, target, whole):
    theirs = np.asarray(model(data["x_test"], training=False))
    checks.near(name, os.path.basename(path), "predict", theirs, trainer_predicts(trainer, path, () if whole else ("-c", "chain.ini")), PREDICTIONS)
    if not whole:
        return
    if not model.losses:  # regularizers are Keras's own
        checks.near(name, os.path.basename(path), "evaluate", trainer_evaluates(trainer, path, target), evaluate(model, data, target), VALUES)
    kind = "keras2" if KERAS2 else "keras"
    again = "again.h5" if KERAS2 else "again.keras"
    said = run(trainer, "export", "--checkpoint", path, "--format", kind, "--output", again)
    back = keras.models.load_model(again)
    checks.near(name, os.path.basename(path), "export, predict", theirs, np.asarray(back(data["x_test"], training=False)), PREDICTIONS)
    if "saved without its optimizer" in said:  # Keras 3.15 leaves it out of some .keras files; nothing stands for it
        checks.note("is written without loss" in said, name, os.path.basename(path), "export, named")
        return
    checks.near(name, os.path.basename(path), "export, evaluate", evaluate(model, data, target), evaluate(back, data, target), VALUES)
    if name == "nested":  # its layers are one model's now
        return
    same = [(a.name, a.trainable) for a in model.layers if "Input" not in type(a).__name__] == [(a.name, a.trainable) for a in back.layers if "Input" not in type(a).__name__]
    checks.note(same and len(model.losses) == len(back.losses), name, os.path.basename(path), "export, the same")
    checks.note(abs(number(back.optimizer.learning_rate) - number(model.optimizer.learning_rate)) < 1e-7 and type(back.optimizer).__name__ == type(model.optimizer).__name__,
                name, os.path.basename(path), "export, optimizer", type(back.optimizer).__name__)


def inner(optimizer):
    return list(getattr(optimizer, "optimizers", [optimizer]))


def check_optimizer(trainer, make, data):
    """The optimizer comes back as it was: of Keras 2's own, the schedule that its decay is."""
    model, target = make()
    name, path = make.__name__, "t_%s.h5" % make.__name__
    kind, again = ("keras2", "again.h5") if KERAS2 else ("keras", "again.keras")
    model.run_eagerly = True
    fit(model, data, target)
    model.save(path)
    run(trainer, "export", "--checkpoint", path, "--format", kind, "--output", again)
    back = keras.models.load_model(again)
    if make is decayed:
        rate = back.optimizer.get_config()["learning_rate"]["config"]
        checks.note([round(rate[k], 6) for k in ("initial_learning_rate", "decay_steps", "decay_rate")] == [0.1, 1, 0.05], name, path, "decay")
        return
    same = len(inner(model.optimizer)) == len(inner(back.optimizer))
    for a, b in zip(inner(model.optimizer), inner(back.optimizer)):
        a, b = a.get_config(), b.get_config()
        same = same and all(a[k] == b[k] or (isinstance(a[k], float) and abs(a[k] - b[k]) < 1e-6) for k in a if k not in ("name", "learning_rate"))
    checks.note(same, name, path, "the same settings")


def write_theirs(trainer, everything):
    with open("chain.ini", "w") as f:
        f.write(CHAIN_INI)
    for make in (decayed,) if KERAS2 else (newer, several) if VERSION >= (3, 15) else ():
        checks.trying(make.__name__, "h5", "export", lambda: check_optimizer(trainer, make, everything))
    for make in (chain, functional, activations, shortcuts, frozen, nested, vectors, shapes, augmented):
        model, target = make()
        data = as_vectors(everything) if make is vectors else everything
        name = make.__name__
        model.run_eagerly = True
        fit(model, data, target)
        files = [("t_%s.h5" % name, True), ("t_%s.keras" % name, True)]
        if make is augmented and not KERAS2:  # Keras 3 cannot save these layers as HDF5 itself
            del files[0]
        for path, _ in files:
            model.save(path)
        if make is chain:
            model.save_weights("t_chain.weights.h5")
            files.append(("t_chain.weights.h5", False))
        if make is chain and KERAS2:
            model.save_weights("t_chain_old.h5")
            files.append(("t_chain_old.h5", False))
        for path, whole in files:
            checks.trying(name, path, "trainer reads", lambda: check_theirs(trainer, name, path, model, data, target, whole))


trainer, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
os.chdir(folder)
everything = arrays(".")
read_ours(everything)
here = "theirs_%d.%d" % VERSION
os.makedirs(here, exist_ok=True)
os.chdir(here)
if not os.path.exists("data.h5"):
    with h5py.File("data.h5", "w") as f:
        for key, value in everything.items():
            f[key] = value
write_theirs(trainer, everything)
print("keras %s: %d failed" % (keras.__version__, checks.bad))
sys.exit(1 if checks.bad else 0)
