"""Golden values of [data] limit_train, made with scikit-learn itself: prints the table that stands
in tests/data/test_split_limit.c.

    python3 tests/golden/split_limit.py

Labels are i * i % 7 (three classes of different size, and 0). A limit takes from the training part
of a split what train_test_split(train, train_size=limit) takes, by class where the split is.
"""
import numpy as np
import sklearn
from sklearn.model_selection import train_test_split


def fnv1a(numbers):
    digest = 0xCBF29CE484222325
    for byte in np.asarray(numbers, dtype="<u4").tobytes():
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return digest


def limited(n, fraction, limit, seed, by_class):
    samples = np.arange(n)
    labels = samples * samples % 7
    train = samples
    if fraction:
        train, _ = train_test_split(samples, test_size=fraction, random_state=seed,
                                    stratify=labels if by_class else None)
    train, _ = train_test_split(train, train_size=limit, random_state=seed,
                                stratify=labels[train] if by_class else None)
    return train


print(f"scikit-learn {sklearn.__version__}")
for n, fraction, limit in [(10, 0, 3), (100, 0.2, 40), (1000, 0.1, 333), (5000, 0, 4990), (50, 0.5, 4)]:
    for seed in [0, 42, 2**32 - 1]:
        for by_class in [False, True]:
            try:
                train = limited(n, fraction, limit, seed, by_class)
            except ValueError:
                continue
            heads = (list(train[:3]) + [n] * 3)[:3]
            print(f"{{{n}, {fraction}, {limit}, {seed}u, {'true' if by_class else 'false'}, "
                  f"{{{heads[0]}, {heads[1]}, {heads[2]}}}, UINT64_C(0x{fnv1a(train):016x})}},")
