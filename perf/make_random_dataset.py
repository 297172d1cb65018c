#!/usr/bin/env python3
"""Makes a dataset of made-up images, for networks whose speed is measured, not their wits.

    python3 perf/make_random_dataset.py [OUT.h5] [--shape H W C] [--train N] [--test N]
        [--classes K] [--seed S]

Noise, and where an image is bright tells its class, so that a network that trains soon shows it.
x_train, y_train, x_test, y_test: uint8 [n,h,w,c], labels uint8 [n]. The defaults make
data/random32.h5, the dataset of perf/wide.ini; the same options and seed make the same values. The
NumPy archive that it is converted from stays beside it as OUT.npz. Needs nothing but Python and the
program, TRAINER (build/release/trainer).
"""

import argparse
import os
import random
import struct
import subprocess
import zipfile

DARK = bytes(i & 0x7F for i in range(256))
BRIGHT = bytes(i | 0x80 for i in range(256))


def npy(shape, data):
    """An array of bytes as NumPy's file format, version 1.0."""
    shape = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def images(noise, labels, size, classes):
    data = bytearray(noise.randbytes(len(labels) * size).translate(DARK))
    for i, label in enumerate(labels):
        band = slice(i * size + label * size // classes, i * size + (label + 1) * size // classes)
        data[band] = data[band].translate(BRIGHT)
    return bytes(data)


def make_npz(path, shape, n_train, n_test, classes, seed=0):
    noise, size = random.Random(seed), shape[0] * shape[1] * shape[2]
    unfinished = path + ".tmp"
    with zipfile.ZipFile(unfinished, "w") as archive:
        for part, n in (("train", n_train), ("test", n_test)):
            labels = bytes(noise.randrange(classes) for _ in range(n))
            x = images(noise, labels, size, classes)
            archive.writestr(f"x_{part}.npy", npy((n, *shape), x))
            archive.writestr(f"y_{part}.npy", npy((n,), labels))
    os.replace(unfinished, path)


def make_h5(trainer, npz, path):
    unfinished = path + ".tmp"
    if os.path.exists(unfinished):
        os.remove(unfinished)
    subprocess.run([trainer, "convert", "npz", npz, unfinished], check=True,
                   stdout=subprocess.DEVNULL)
    os.replace(unfinished, path)


def parse_arguments():
    parser = argparse.ArgumentParser(description="an HDF5 dataset of made-up images")
    parser.add_argument("out", nargs="?", default="data/random32.h5")
    parser.add_argument("--shape", type=int, nargs=3, default=(32, 32, 3), metavar=("H", "W", "C"))
    parser.add_argument("--train", type=int, default=8192, help="training images, default 8192")
    parser.add_argument("--test", type=int, default=2048, help="test images, default 2048")
    parser.add_argument("--classes", type=int, default=10, help="2 to 256, default 10")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    arguments = parser.parse_args()
    if min(*arguments.shape, arguments.train, arguments.test) < 1:
        parser.error("sizes must be positive")
    if not 2 <= arguments.classes <= 256:
        parser.error("--classes must be from 2 to 256")
    return arguments


def main():
    given = parse_arguments()
    npz = given.out.removesuffix(".h5") + ".npz"
    make_npz(npz, given.shape, given.train, given.test, given.classes, given.seed)
    make_h5(os.environ.get("TRAINER", "build/release/trainer"), npz, given.out)


if __name__ == "__main__":
    main()
