#!/usr/bin/env python3
"""hostile.py TRAINER FOLDER -- files that want more than to be read, in all commands that read.

Each is refused with exit code 3, by a sentence that names the file, the dataset and the reason, and
nothing outside is opened (strace looks; without it that part is left out). What the user allows
with [data] external_files is read. Exit code 77: h5py is not here.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib

try:
    import h5py
    import numpy as np
except ImportError:
    print("h5py is not here: skipped")
    sys.exit(77)

TRAINER, FOLDER = sys.argv[1], os.path.abspath(sys.argv[2])
SECONDS = 60  # of a machine under any load; what hangs, hangs for ever
STRACE = shutil.which("strace")
CONFIG = """
[data]
file = small.h5
[model]
input_shape = 6, 6, 1
[layer.f]
type = flatten
[layer.d]
type = dense
units = 2
activation = softmax
[compile]
loss = sparse_categorical_crossentropy
optimizer = sgd
[fit]
epochs = 1
[output]
directory = out
"""
failures = []


def run(*args):
    """Exit code, stderr, and the files that the program and its children opened."""
    command = [TRAINER, *args]
    if STRACE:
        command = [STRACE, "-f", "-qq", "-o", "trace", "-e", "trace=open,openat", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "too late", "", []
    opened = re.findall(r'"([^"]*)"', open("trace").read()) if STRACE else []
    return done.returncode, done.stderr, opened


def expect(what, args, code, *texts, never=()):
    found, text, opened = run(*args)
    if found != code:
        failures.append(f"{what}: {' '.join(args)}: exit code {found}, not {code}: {text}")
    for part in texts:
        if part not in text:
            failures.append(f"{what}: {' '.join(args)}: no \"{part}\" in: {text}")
    for path in opened:
        if os.path.basename(path) in never:
            failures.append(f"{what}: {' '.join(args)}: opened {path}")


# ---- datasets ----

def make_small():
    r = np.random.RandomState(0)
    with h5py.File("small.h5", "w") as f:
        for s, n in (("train", 40), ("test", 8)):
            x = r.randint(0, 256, (n, 6, 6)).astype("u1")
            f["x_" + s] = x
            f["y_" + s] = (x[:, 0, 0] > 127).astype("u1")


def data(name, change):
    """small.h5 with another x_train and x_test."""
    shutil.copy("small.h5", name + ".h5")
    with h5py.File(name + ".h5", "a") as f:
        for key in ("x_train", "x_test"):
            shape = f[key].shape
            del f[key]
            change(f, key, shape)


def chunks(payload, filters=1):
    def change(f, key, shape):
        p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        p.set_chunk((8, 6, 6))
        for _ in range(filters):
            p.set_filter(h5py.h5z.FILTER_DEFLATE, 0, (9,))
        space = h5py.h5s.create_simple(shape)
        d = h5py.h5d.create(f.id, key.encode(), h5py.h5t.NATIVE_UINT8, space, p)
        for i in range(0, shape[0], 8):
            d.write_direct_chunk((i, 0, 0), payload)
    return change


def virtual(source):
    def change(f, key, shape):
        layout = h5py.VirtualLayout(shape, dtype="u1")
        layout[:] = h5py.VirtualSource(source, key, shape=shape)
        f.create_virtual_dataset(key, layout)
    return change


def external(name):
    def change(f, key, shape):
        f.create_dataset(key, shape, "u1", external=[(name, 0, int(np.prod(shape)))])
    return change


def link(name):
    return lambda f, key, shape: f.__setitem__(key, h5py.ExternalLink(name, "/" + key))


def deep(f, key, shape):
    f[key] = np.zeros(shape, "u1")
    g = f
    for _ in range(3000 if key == "x_train" else 0):
        g = g.create_group("a")


def circle(f, key, shape):
    f[key] = h5py.SoftLink("/" + key)


nested = zlib.compress(b"\0" * (1 << 24), 9)
for _ in range(4):
    nested = zlib.compress(nested, 9)
OUTSIDE = {"other.h5", "other.bin", "fifo", "gone.h5"}
ALLOW = "[data] external_files = true"
DATASETS = {  # name: change, what the refusal says
    "unwritten": (lambda f, k, s: f.create_dataset(k, s, "u1"), "it was never written"),
    "unwritten_chunks": (lambda f, k, s: f.create_dataset(k, s, "u1", chunks=(8, 6, 6)),
                         "a part of it was never written"),
    "inflates_short": (chunks(zlib.compress(b"0123456789")), "inflates to 10 bytes"),
    "inflates_long": (chunks(zlib.compress(b"0" * 289)), "inflates to more bytes"),
    "no_gzip": (chunks(b"no gzip at all"), "cannot be inflated"),
    "chunk_bomb": (chunks(nested, 5), "packed with gzip several times over"),
    "lzf": (lambda f, k, s: f.create_dataset(k, data=np.zeros(s, "u1"), compression="lzf"),
            "the filter lzf, which trainer does not read; write it with gzip"),
    "circle": (circle, "its soft links lead in a circle"),
    "external": (external("other.bin"), "its values are in the file other.bin"),
    "external_fifo": (external("fifo"), "its values are in the file fifo"),
    "virtual": (virtual("other.h5"), "it is virtual: its values are in the file other.h5"),
    "virtual_gone": (virtual("gone.h5"), "it is virtual: its values are in the file gone.h5"),
    "virtual_fifo": (virtual("fifo"), "it is virtual: its values are in the file fifo"),
    "link": (link("other.h5"), "is an external link to"),
    "link_fifo": (link("fifo"), "is an external link to"),
}
ALLOWED = {"external": None, "virtual": None, "link": None,
           "external_fifo": "is a device or a pipe", "virtual_fifo": "is a device or a pipe",
           "link_fifo": "is a device or a pipe", "virtual_gone": "gone.h5: no such file"}


def check_datasets():
    for name, (change, text) in DATASETS.items():
        data(name, change)
        path = name + ".h5"
        fit = ["-c", "net.ini", "--set", "data.file=" + path, "--set", "output.directory=o_" + name]
        test = ["--checkpoint", "out/last.h5", "--set", "data.file=" + path]
        expect(name, fit, 3, path, "x_train", text, never=OUTSIDE)
        expect(name, ["evaluate", *test], 3, path, "x_test", text, never=OUTSIDE)
        expect(name, ["predict", *test], 3, path, "x_test", text, never=OUTSIDE)
        expect(name, ["predict", "--checkpoint", "out/last.h5", "--input", path], 3, path, "x_test",
               text, never=OUTSIDE)
        expect(name, ["convert", "to-npz", path, "x.npz"], 3, path, "x_train", text, never=OUTSIDE)
        expect(name, ["inspect", "--show", "0", path], 3, path, "x_train", text, never=OUTSIDE)
        told = name.startswith("link") or name == "circle"  # a list tells links, and goes on
        expect(name, ["inspect", path], 0 if told else 3, *([] if told else [path, text]),
               never=OUTSIDE)
        if name in ALLOWED:
            fault = ALLOWED[name]
            expect(name, [*fit, "--set", "data.external_files=true"], 3 if fault else 0,
                   "external_files = true", *([path, "x_train", fault] if fault else []))
            expect(name, ["inspect", "--external-files", "--show", "0", path], 3 if fault else 0,
                   *([fault] if fault else []))
    data("deep", deep)
    for command in (["inspect", "deep.h5"], ["inspect", "--show", "0", "deep.h5"],
                    ["-c", "net.ini", "--set", "data.file=deep.h5", "--set", "output.directory=o_deep"],
                    ["evaluate", "--checkpoint", "out/last.h5", "--set", "data.file=deep.h5"],
                    ["convert", "to-npz", "deep.h5", "x.npz"]):
        expect("deep", command, 3, "deep.h5", "more than 64 groups in each other")


# ---- models ----

def model(name, change):
    """out/last.h5 without digests, as Keras's files are, with another kernel."""
    path = f"model_{name}.h5"
    shutil.copy("out/last.h5", path)
    with h5py.File(path, "a") as f:
        del f["trainer"]
        key = "model_weights/d/d/kernel:0"
        old = f[key][()]
        del f[key]
        change(f, key, old)
    return path


def gone(f, key, old):
    layout = h5py.VirtualLayout(old.shape, dtype="f4")
    layout[:] = h5py.VirtualSource("gone.h5", "x", shape=old.shape)
    f.create_virtual_dataset(key, layout)


def group_link(f, key, old):
    f[key] = old
    f.move("model_weights", "kept")
    f["model_weights"] = h5py.ExternalLink("other_model.h5", "/model_weights")


def stored_outside(name):
    return lambda f, k, o: f.create_dataset(k, o.shape, "f4", external=[(name, 0, o.nbytes)])


MODELS = {
    "external": (stored_outside("other.bin"), "in the file other.bin"),
    "external_fifo": (stored_outside("fifo"), "in the file fifo"),
    "link": (lambda f, k, o: f.__setitem__(k, h5py.ExternalLink("other_model.h5", k)),
             "is an external link to"),
    "group_link": (group_link, "is an external link to"),
    "unwritten": (lambda f, k, o: f.create_dataset(k, o.shape, "f4"), "never written"),
    "unwritten_chunks": (lambda f, k, o: f.create_dataset(k, o.shape, "f4", chunks=True),
                         "never written"),
    "virtual_gone": (gone, "in the file gone.h5"),
}


def check_models():
    shutil.copy("out/last.h5", "other_model.h5")
    never = OUTSIDE | {"other_model.h5"}
    for name, (change, text) in MODELS.items():
        path = model(name, change)
        given = ["--checkpoint", path, "--set", "data.file=small.h5"]
        expect(name, ["evaluate", *given], 3, path, text, never=never)
        expect(name, ["evaluate", *given, "--set", "data.external_files=true"], 3, path, text,
               never=never)
        expect(name, ["predict", *given], 3, path, text, never=never)
        expect(name, ["export", "--checkpoint", path, "--format", "keras", "--output", "x.keras"], 3,
               path, text, never=never)
        expect(name, ["-c", "net.ini", "--set", "fit.initial_weights=" + path, "--set",
                      "output.directory=o_model_" + name], 3, path, text, never=never)
    with zipfile.ZipFile("bomb.keras", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("metadata.json", "{}")
        with z.open("config.json", "w") as c:
            for _ in range(200):
                c.write(b" " * (1 << 20))
        z.writestr("model.weights.h5", b"")
    expect("bomb", ["summary", "--checkpoint", "bomb.keras"], 3, "bomb.keras", "config.json")


# ---- pipes and devices, wherever a file is expected ----

def check_pipes():
    for path in ("fifo", "/dev/zero"):
        fit = ["-c", "net.ini", "--set", "output.directory=o_pipe"]
        kind = "is a device or a pipe"
        expect("pipe", [*fit, "--set", "data.file=" + path], 3, path, kind)
        expect("pipe", [*fit, "--set", "fit.initial_weights=" + path], 3, path, kind)
        for command in ("evaluate", "predict", "summary"):
            expect("pipe", [command, "--checkpoint", path], 3, path, kind)
        expect("pipe", ["inspect", path], 3, path, kind)
        expect("pipe", ["predict", "--checkpoint", "out/last.h5", "--image", path], 3, path)
        expect("pipe", ["convert", "npz", path, "x.h5"], 3, path)
        expect("pipe", ["convert", "to-npz", path, "x.npz"], 3, path, kind)
    expect("pipe", ["check", "-c", "fifo"], 2, "fifo")


os.makedirs(FOLDER, exist_ok=True)
for old in os.listdir(FOLDER):
    path = os.path.join(FOLDER, old)
    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
os.chdir(FOLDER)
make_small()
shutil.copy("small.h5", "other.h5")
open("other.bin", "wb").write(b"SECRET--" * 1000)
open("net.ini", "w").write(CONFIG)
os.mkfifo("fifo")
expect("small", ["-c", "net.ini"], 0)
check_datasets()
check_models()
check_pipes()
if not STRACE:
    print("strace is not here: which files are opened was not looked at")
print("\n".join(failures) or "all refused")
sys.exit(1 if failures else 0)
