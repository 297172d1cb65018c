#!/usr/bin/env python3
"""read_back.py TRAINER FOLDER -- a model rebuilt from our files by h5py and NumPy alone.

Trains a small network, then knows nothing of it but the files: the types of last.h5 are those that
h5py writes for Keras; a network made from its model_config and its weights, in float64, predicts
what `trainer predict` predicts (1e-5, the rounding of float32); the exported .weights.h5 and .keras
hold the same weights. Exit code 77: h5py is not here.
"""
import io
import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

try:
    import h5py
    import numpy as np
except ImportError:
    print("h5py is not here: skipped")
    sys.exit(77)

TRAINER, FOLDER = sys.argv[1:3]
CONFIG = f"""
[data]
file = {FOLDER}/data.h5
scale = 1/255
validation_split = 0.2
[model]
input_shape = 13, 11, 3
[layer.pad]
type = zero_padding2d
padding = 1, 0, 2, 1
[layer.conv1]
type = conv2d
filters = 7
kernel_size = 4, 3
strides = 2, 1
padding = same
activation = relu
[layer.maximum]
type = max_pooling2d
pool_size = 3
strides = 2
padding = same
[layer.conv2]
type = conv2d
filters = 5
kernel_size = 2
use_bias = false
activation = elu
[layer.average]
type = average_pooling2d
pool_size = 2
padding = same
[layer.flatten]
type = flatten
[layer.drop]
type = dropout
rate = 0.25
[layer.hidden]
type = dense
units = 9
activation = tanh
[layer.output]
type = dense
units = 4
activation = softmax
[compile]
loss = sparse_categorical_crossentropy
optimizer = rmsprop
metrics = accuracy
[optimizer]
momentum = 0.5
centered = true
[fit]
epochs = 2
batch_size = 16
[output]
directory = {FOLDER}/run
"""


def trainer(*arguments):
    done = subprocess.run([TRAINER, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


# ---- a network in NumPy, from Keras's configuration ----

def windows(x, size, strides, padding, fill):
    """[n, oh, ow, kh, kw, c] of x [n, h, w, c]: TensorFlow's rule for `same`."""
    pads = [(0, 0)]
    for axis, (k, s) in enumerate(zip(size, strides)):
        n = x.shape[1 + axis]
        total = max((-(-n // s) - 1) * s + k - n, 0) if padding == "same" else 0
        pads.append((total // 2, total - total // 2))
    x = np.pad(x, pads + [(0, 0)], constant_values=fill)
    x = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return np.moveaxis(x[:, ::strides[0], ::strides[1]], 3, 5)


def activate(name, x):
    if name == "softmax":
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)
    return {"linear": lambda v: v, "relu": lambda v: np.maximum(v, 0), "tanh": np.tanh,
            "elu": lambda v: np.where(v > 0, v, np.expm1(v))}[name](x)


def apply(layer, weights, x):
    c = layer["config"]
    kind = layer["class_name"]
    if kind == "ZeroPadding2D":
        return np.pad(x, [(0, 0), *map(tuple, c["padding"]), (0, 0)])
    if kind == "Conv2D":
        at = windows(x, c["kernel_size"], c["strides"], c["padding"], 0)
        y = np.tensordot(at, weights[0], ([3, 4, 5], [0, 1, 2]))
        return activate(c["activation"], y + weights[1] if c["use_bias"] else y)
    if kind == "MaxPooling2D":
        at = windows(x, c["pool_size"], c["strides"], c["padding"], -np.inf)
        return at.max((3, 4))
    if kind == "AveragePooling2D":
        at = windows(x, c["pool_size"], c["strides"], c["padding"], np.nan)
        return np.nanmean(at, (3, 4))
    if kind == "Flatten":
        return x.reshape(len(x), -1)
    if kind == "Dense":
        return activate(c["activation"], x @ weights[0] + weights[1])
    assert kind in ("Dropout", "InputLayer"), kind
    return x


# ---- the files ----

def check_types(f):
    def text(of, name, charset):
        kind = h5py.h5a.open(of.id, name.encode()).get_type()
        assert kind.is_variable_str() and kind.get_cset() == charset, name

    for name, charset in [("keras_version", h5py.h5t.CSET_UTF8), ("backend", h5py.h5t.CSET_UTF8),
                          ("model_config", h5py.h5t.CSET_ASCII),
                          ("training_config", h5py.h5t.CSET_ASCII)]:
        text(f, name, charset)
    weights = f["model_weights"]
    for name in ("keras_version", "backend", "layer_names"):
        text(weights, name, h5py.h5t.CSET_ASCII)
    for layer in weights.attrs["layer_names"]:
        names = weights[layer].attrs["weight_names"]
        assert names.dtype == (np.float64 if len(names) == 0 else object), layer
        for name in names:
            data = weights[layer][name]
            assert data.dtype == np.dtype("<f4") and data.chunks is None, name


def main():
    rng = np.random.default_rng(7)
    with h5py.File(f"{FOLDER}/data.h5", "w") as f:
        for part, n in (("train", 200), ("test", 60)):
            f[f"x_{part}"] = rng.integers(0, 256, (n, 13, 11, 3), np.uint8)
            f[f"y_{part}"] = rng.integers(0, 4, n, np.uint8)
    with open(f"{FOLDER}/model.ini", "w", encoding="utf-8") as f:
        f.write(CONFIG)
    last = f"{FOLDER}/run/last.h5"
    trainer("-c", f"{FOLDER}/model.ini", "--overwrite")
    trainer("predict", "--checkpoint", last, "--output", f"{FOLDER}/p.h5")

    with h5py.File(last) as f:
        check_types(f)
        groups = f["model_weights"]
        weights = {layer: [groups[layer][w][()] for w in groups[layer].attrs["weight_names"]]
                   for layer in groups.attrs["layer_names"]}
        layers = json.loads(f.attrs["model_config"])["config"]["layers"]
        listed = f["trainer/optimizer_weights"].attrs["weight_names"]
        slots = [f["trainer/optimizer_weights"][v][()] for v in listed]
    with h5py.File(f"{FOLDER}/data.h5") as f:
        x = f["x_test"][()].astype(np.float64) / 255
    for layer in layers:
        ours = weights.get(layer["config"]["name"], [])
        x = apply(layer, [w.astype(np.float64) for w in ours], x)
    with h5py.File(f"{FOLDER}/p.h5") as f:
        predicted = next(f[k][()] for k in f if f[k].ndim == 2)
    worst = np.abs(predicted - x).max()
    print(f"largest difference of a prediction: {worst:.2e}")
    assert worst <= 1e-5, worst

    all_weights = [w for layer in layers for w in weights.get(layer["config"]["name"], [])]
    for form in ("weights.h5", "keras"):
        path = f"{FOLDER}/m.{form}"
        trainer("export", "--checkpoint", last, "--format", form, "--output", path)
        if form == "keras":
            with zipfile.ZipFile(path) as archive:
                json.loads(archive.read("config.json"))
                path = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(path) as f:
            found = [f["layers"][key]["vars"][k][()]
                     for key in ("conv2d", "conv2d_1", "dense", "dense_1")
                     for k in sorted(f["layers"][key]["vars"], key=int)]
            assert len(found) == len(all_weights)
            assert all(np.array_equal(a, b) for a, b in zip(found, all_weights)), form
            state = [f["optimizer/vars"][k][()] for k in sorted(f["optimizer/vars"], key=int)]
            assert all(np.array_equal(a, b) for a, b in zip(state, slots)), form
            assert len(state) == len(slots)


def pictures():
    """What `convert images` writes by itself is an ordinary HDF5 file."""
    root = pathlib.Path(FOLDER) / "pictures"
    shutil.rmtree(root, ignore_errors=True)
    rng = np.random.default_rng(3)
    values = rng.integers(0, 256, (12, 5, 7), np.uint8)
    for i, pixels in enumerate(values):
        folder = root / ("größe", "a b")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:02}.pgm").write_bytes(b"P5 7 5 255\n" + pixels.tobytes())
    (root / "a b/01.pgm").write_bytes(b"P5 7 5 255\n")  # broken: gaps are closed
    trainer("convert", "images", str(root), f"{FOLDER}/pictures.h5", "--gray", "--test-split", "0.25")
    with h5py.File(f"{FOLDER}/pictures.h5") as f:
        assert set(f) == {"x_train", "y_train", "x_test", "y_test", "class_names"}, set(f)
        assert [name.decode() for name in f["class_names"][()]] == ["a b", "größe"]
        assert f.attrs["picture_size"] == "5x7" and f.attrs["picture_fit"] == "crop"
        assert f.attrs["picture_channels"] == 1
        x = np.concatenate([f["x_train"][()], f["x_test"][()]])[..., 0]
        y = np.concatenate([f["y_train"][()], f["y_test"][()]])
        assert f["x_train"].chunks is None and f["x_train"].dtype == f["y_train"].dtype == np.uint8
        assert x.shape == (11, 5, 7) and y.shape == (11,)
        for pixels, label in zip(x, y):
            (i,) = np.flatnonzero((values == pixels).all((1, 2)))
            assert label == 1 - i % 2 and i != 1, i


main()
pictures()
