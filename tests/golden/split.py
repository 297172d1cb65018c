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

and the same with stratify=labels in the group

    /stratified/...                       all of the above, and
    /stratified/labels           int64  [cases]   which labels: the number in the next name
    /stratified/labels_0, ...    int32  [n]       labels of the n samples

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


NAMES = ["n", "validation_split", "seed", "n_train", "n_validation", "head", "fnv"]
TYPES = ["i8", "f8", "u4", "i8", "i8", "u4", "u8"]


def split_row(n, fraction, seed, labels=None):
    """One case, or None where scikit-learn refuses it."""
    try:
        train, test = train_test_split(
            np.arange(n), test_size=fraction, random_state=seed, stratify=labels)
    except ValueError:  # nothing left to train on, or too few for all classes
        return None
    return (n, fraction, seed, len(train), len(test),
            [head(train, n), head(test, n)], [fnv1a(train), fnv1a(test)])


def write(group, rows):
    for i, (name, kind) in enumerate(zip(NAMES, TYPES)):
        values = [row[i] for row in rows]
        if name == "fnv":  # NumPy would pick a signed type first
            values = np.array(values, dtype=object).astype("u8")
        group.create_dataset(name, data=np.asarray(values, dtype=kind))


def label_sets():
    """Ties of every kind, imbalance, gaps between class numbers, sorted and mixed samples."""
    rng = np.random.RandomState(7)
    yield np.array([0, 0, 1, 1])
    yield np.array([5, 3, 5, 3, 5, 3, 5, 3, 9, 9])
    yield np.repeat(np.arange(7), 3)
    yield np.arange(100) % 10
    yield np.array([0] * 2 + [1] * 3 + [2] * 5 + [3] * 90)
    yield rng.permutation(np.repeat([4, 1, 1000000, 7], [2, 40, 150, 801]))
    yield rng.randint(0, 10, 1000)
    yield rng.geometric(0.3, 3001)[rng.permutation(3001)].clip(max=12)
    yield rng.randint(0, 100, 5000)
    yield np.zeros(37, dtype=int)
    yield np.arange(60000) * 7919 % 60000 % 10
    yield np.arange(70001) * 31 // 1000 % 1000 % 13


def main():
    rows = [split_row(n, fraction, seed)
            for n in SIZES for fraction in FRACTIONS for seed in SEEDS]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "split.h5")
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}"
        write(file, [row for row in rows if row])
        stratified, which = [], []
        group = file.create_group("stratified")
        for k, labels in enumerate(label_sets()):
            group.create_dataset(f"labels_{k}", data=labels.astype("i4"), compression="gzip",
                                 compression_opts=9, shuffle=True)
            for fraction in FRACTIONS:
                for seed in SEEDS:
                    row = split_row(len(labels), fraction, seed, labels)
                    if row:
                        stratified.append(row)
                        which.append(k)
        write(group, stratified)
        group.create_dataset("labels", data=np.array(which, dtype="i8"))
    print(f"{sum(row is not None for row in rows)} + {len(stratified)} cases, "
          f"{os.path.getsize(path)} bytes")


main()
