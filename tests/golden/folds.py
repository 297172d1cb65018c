"""Golden folds, made with scikit-learn itself: KFold and StratifiedKFold with shuffle=True.

    python tests/golden/folds.py              # writes folds.h5 beside it

Layout of folds.h5: a group for each case, with the attributes n, folds, fold (from 1), seed, stratified,
n_train, n_validation, and fnv (uint64 [2]: FNV-1a of the numbers of train and of validation, each as four
bytes, little-endian); of a stratified one the dataset labels int32 [n].
"""
import os
import warnings

import h5py
import numpy as np
import sklearn
from sklearn.model_selection import KFold, StratifiedKFold


def fnv1a(numbers):
    digest = 0xCBF29CE484222325
    for byte in np.asarray(numbers, dtype="<u4").tobytes():
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return digest


def cases():
    for n, folds, seed in [(2, 2, 0), (5, 3, 1), (10, 10, 7), (101, 5, 0), (1000, 3, 2**32 - 1), (6001, 7, 42)]:
        yield n, folds, seed, None
    rng = np.random.RandomState(7)
    for folds, seed, labels in [
        (2, 0, [0, 0, 1, 1]),
        (2, 3, [5, 3, 5, 3, 5, 3, 5, 3, 9, 9]),
        (3, 1, np.repeat(np.arange(7), 3)),
        (5, 0, np.arange(100) % 10),
        (4, 2, [0] * 2 + [1] * 3 + [2] * 5 + [3] * 90),
        (5, 9, rng.permutation(np.repeat([4, 1, 1000000, 7], [2, 40, 150, 801]))),
        (10, 42, rng.randint(0, 10, 1000)),
        (7, 2**32 - 1, rng.geometric(0.3, 3001)[rng.permutation(3001)].clip(max=12)),
        (3, 5, np.zeros(37, dtype=int)),
        (6, 6, -rng.randint(0, 4, 500)),
    ]:
        yield len(labels), folds, seed, np.asarray(labels)


def main():
    warnings.simplefilter("ignore")  # classes of fewer samples than folds
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "folds.h5")
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}"
        for k, (n, folds, seed, labels) in enumerate(cases()):
            kind = KFold if labels is None else StratifiedKFold
            parts = kind(folds, shuffle=True, random_state=seed).split(np.arange(n), labels)
            for fold, (train, validation) in enumerate(parts, 1):
                group = file.create_group(f"{k:02}_{fold:02}")
                group.attrs.update(
                    dict(n=n, folds=folds, fold=fold, seed=seed, stratified=int(labels is not None),
                         n_train=len(train), n_validation=len(validation)))
                group.attrs["fnv"] = np.array([fnv1a(train), fnv1a(validation)], dtype="u8")
                if labels is not None:
                    group.create_dataset("labels", data=labels.astype("i4"), compression="gzip")
        print(len(file), "cases,", sklearn.__version__)


main()
