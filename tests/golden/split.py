"""Golden train/validation splits, made with scikit-learn itself.

    /usr/bin/python3 tests/golden/split.py              # writes split.h5 beside it

Layout of split.h5: one entry per case in each of

    /n                 int64  [cases]     number of samples
    /validation_split  float64[cases]     sklearn's test_size
    /seed              uint32 [cases]     sklearn's random_state
    /n_train           int64  [cases]
    /n_validation      int64  [cases]
    /head              uint32 [cases,2,4] first four sample numbers of train and of validation (n
                                          where there are fewer): for a message one can read
    /fnv               uint64 [cases,2]   FNV-1a (64 bits) of train and of validation, each number
                                          as four bytes, little-endian: order and content

FNV-1a because it is four lines in any language, so that the test need not trust the library's own
digests.
"""
import os

import h5py
import numpy as np
import sklearn
from sklearn.model_selection import train_test_split

SIZES = [2, 5, 10, 1000, 60000, 70001]
FRACTIONS = [0.1, 0.2, 0.25, 0.333, 0.5, 0.9]
SEEDS = [0, 1, 42, 2**32 - 1]


def fnv1a(numbers):
    digest = 0xCBF29CE484222325
    for byte in np.asarray(numbers, dtype="<u4").tobytes():
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return digest


def head(numbers, n):
    return (list(numbers[:4]) + [n] * 4)[:4]


def main():
    rows = []
    for n in SIZES:
        for fraction in FRACTIONS:
            for seed in SEEDS:
                try:
                    train, test = train_test_split(
                        np.arange(n), test_size=fraction, random_state=seed)
                except ValueError:  # nothing left to train on
                    continue
                rows.append((n, fraction, seed, len(train), len(test),
                             [head(train, n), head(test, n)], [fnv1a(train), fnv1a(test)]))
    names = ["n", "validation_split", "seed", "n_train", "n_validation", "head", "fnv"]
    types = ["i8", "f8", "u4", "i8", "i8", "u4", "u8"]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "split.h5")
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}"
        for i, (name, kind) in enumerate(zip(names, types)):
            values = [row[i] for row in rows]
            if name == "fnv":  # NumPy would pick a signed type first
                values = np.array(values, dtype=object).astype("u8")
            file.create_dataset(name, data=np.asarray(values, dtype=kind))
    print(f"{len(rows)} cases, {os.path.getsize(path)} bytes")


main()
