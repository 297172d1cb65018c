#!/usr/bin/env python3
"""Makes an HDF5 dataset of random images, for networks whose speed is measured, not their wits.

    python3 perf/make_random_dataset.py [OUT.h5] [--shape H W C] [--train N] [--test N]
        [--classes K] [--seed S]

Writes x_train, y_train, x_test, y_test as trainer expects them: uint8 [n,h,w,c], labels uint8 [n].
The defaults make data/random32.h5, the dataset of perf/wide.ini; the same options and seed make
the same values. Needs h5py and NumPy (Debian: python3-h5py).
"""

import argparse
import os

import h5py
import numpy as np


def parse_arguments():
    parser = argparse.ArgumentParser(description="an HDF5 dataset of random images")
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
    arguments = parse_arguments()
    random = np.random.default_rng(arguments.seed)
    unfinished = arguments.out + ".tmp"
    with h5py.File(unfinished, "w") as file:
        for part, n in (("train", arguments.train), ("test", arguments.test)):
            shape = (n, *arguments.shape)
            file[f"x_{part}"] = random.integers(256, size=shape, dtype=np.uint8)
            file[f"y_{part}"] = random.integers(arguments.classes, size=n, dtype=np.uint8)
    os.replace(unfinished, arguments.out)


if __name__ == "__main__":
    main()
