"""A small real dataset, for tests that train: the beginning of Fashion-MNIST.

    /usr/bin/python3 tests/golden/fashion_small.py    # writes fashion_small.h5 beside it

Layout: x_train uint8 [960,28,28], y_train uint8 [960], x_test uint8 [400,28,28], y_test uint8
[400]: the first images of both parts, in order (Zalando SE, MIT licence).
"""

import gzip
from pathlib import Path

import h5py
import numpy as np

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist
PARTS = {"train": ("train", 960), "test": ("t10k", 400)}


def read_idx(name, header_bytes):
    with gzip.open(FASHION_MNIST / name) as f:
        return np.frombuffer(f.read(), np.uint8, offset=header_bytes)


def main():
    compression = dict(compression="gzip", compression_opts=9)
    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        for part, (stem, n) in PARTS.items():
            images = read_idx(f"{stem}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
            labels = read_idx(f"{stem}-labels-idx1-ubyte.gz", 8)
            chunks = (n, 28, 28)
            f.create_dataset(f"x_{part}", data=images[:n], chunks=chunks, **compression)
            f.create_dataset(f"y_{part}", data=labels[:n], **compression)


if __name__ == "__main__":
    main()
