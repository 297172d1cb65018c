#!/usr/bin/env python3
"""no_memory.py TRAINER LIBRARY FOLDER [MOST] -- one allocation of a whole run fails, in turn each.

Preloads LIBRARY (no_memory.c) into TRAINER and lets the k-th allocation fail, ours or a library's:
k = 1, 2, 3, ... until a run has fewer, or, of MOST, spread from the first to the last. A run may end
with any of the program's exit codes, but not by a signal, and it ends; the last.h5 that was there
is there and whole. Prints what came out, fails where a rule was broken.
"""
import collections
import os
import pathlib
import shutil
import struct
import subprocess
import sys

trainer, library, folder = (pathlib.Path(p).resolve() for p in sys.argv[1:4])
most = int(sys.argv[4]) if len(sys.argv) > 4 else None
TIMEOUT_S = 60  # of a run that takes a moment: it does not end by itself

NET = """[data]
file = data.h5
validation_split = 0.25
[model]
input_shape = 6, 6, 1
[layer.c]
type = conv2d
filters = 4
kernel_size = 3
activation = relu
[layer.f]
type = flatten
[layer.d]
type = dense
units = 2
activation = softmax
[compile]
loss = sparse_categorical_crossentropy
optimizer = adam
metrics = accuracy
[fit]
epochs = 1
[output]
directory = run
"""

COMMANDS = {
    "train": ["-c", "net.ini", "--resume", "--set", "fit.epochs=2"],
    "evaluate": ["evaluate", "--checkpoint", "run/last.h5"],
    "predict": ["predict", "--checkpoint", "run/last.h5", "--image", "digit.pgm"],
    "export": ["export", "--checkpoint", "run/last.h5", "--format", "keras", "--output", "out.keras"],
    "inspect": ["inspect", "run/last.h5"],
}


def make_files(at):
    """A dataset, a picture, and the run of one epoch, in the folder `at`."""
    shutil.rmtree(at, ignore_errors=True)
    (at / "idx").mkdir(parents=True)
    for part, n in (("train", 24), ("t10k", 8)):
        pixels = bytes((37 * i + (200 if i // 36 % 2 else 0)) % 256 for i in range(36 * n))
        (at / f"idx/{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, n, 6, 6) + pixels)
        (at / f"idx/{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, n) + bytes(i % 2 for i in range(n)))
    (at / "digit.pgm").write_bytes(b"P5 6 6 255\n" + bytes(range(36)))
    (at / "net.ini").write_text(NET)
    for command in (["convert", "idx", "idx", "data.h5"], ["-c", "net.ini"]):
        subprocess.run([trainer, *command], cwd=at, check=True, capture_output=True)


def run(good, command, k, ever):
    """(whether the k-th allocation came, exit code or None, what was said)"""
    at = folder / "try"
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(good, at)
    environment = dict(os.environ, LD_PRELOAD=str(library), NO_MEMORY_AT=str(k),
                       NO_MEMORY_HIT=str(at / "hit"), OMP_NUM_THREADS="2")
    if ever:
        environment["NO_MEMORY_EVER"] = "1"
    try:
        done = subprocess.run([trainer, *command], cwd=at, env=environment, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, capture_output=True)
        code, said = done.returncode, done.stderr[-300:].decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        code, said = None, (late.stderr or b"")[-300:].decode("utf-8", "replace")
    return (at / "hit").exists(), code, said


def is_whole(good):
    """last.h5 in the folder of the run: the old one, or a new one that can be read."""
    last = folder / "try/run/last.h5"
    if not last.exists():
        return False
    if last.read_bytes() == (good / "run/last.h5").read_bytes():
        return True
    done = subprocess.run([trainer, "inspect", last], capture_output=True)
    return done.returncode == 0


def count(good, command):
    """How many allocations an undisturbed run has, by bisection."""
    low, high = 0, 1 << 10
    while run(good, command, high, False)[0]:
        low, high = high, 4 * high
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if run(good, command, middle, False)[0] else (low, middle)
    return low


def main():
    good = folder / "good"
    make_files(good)
    bad = tried = 0
    for name, command in COMMANDS.items():
        outcomes = collections.Counter()
        if most is None:
            ks, n = range(1, 1 << 30), None
        else:
            n = count(good, command)
            ks = sorted({1 + (n - 1) * i // max(1, most - 1) for i in range(most)})
        for k in ks:
            came = False
            for ever in (False, True):
                came, code, said = run(good, command, k, ever)
                if not came:
                    break
                tried += 1
                outcomes["hangs" if code is None else code] += 1
                whole = is_whole(good)
                if code is None or not 0 <= code <= 5 or not whole:
                    bad += 1
                    print(f"{name}, allocation {k}{' and all after it' if ever else ''}: "
                          f"{'does not end' if code is None else f'exit code {code}'}"
                          f"{'' if whole else ', last.h5 is gone or damaged'}: {said}", flush=True)
            if most is None and not came:
                break
        print(f"{name}: {n or k} allocations; exit codes "
              + ", ".join(f"{c}: {m} times" for c, m in sorted(outcomes.items(), key=str)), flush=True)
    print(f"{tried} allocations failed, {bad} wrong outcomes")
    return 1 if bad else 0


sys.exit(main())
