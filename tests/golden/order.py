"""Golden epoch orders, made with a Philox written from the paper, in Python's own integers.

    /usr/bin/python3 tests/golden/order.py              # writes order.h5 beside it

    Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
    The number for position i of an epoch: counter (i low, i high, epoch, 2), key (seed low, high),
    64 bits = word 1 and word 0; its place among i + 1 is (bits * (i + 1)) >> 64.

Layout of order.h5: one group per case, /<k> for k = 0, 1, ... (attribute `cases` of the root),
with the attributes n, seed, epoch and the dataset

    order    uint32 [n]    the permuted samples; the samples are 3 * i + 1 for i < n
"""
import os

import h5py
import numpy as np

MASK = 0xFFFFFFFF
SHUFFLE = 2
CASES = [(n, seed, epoch)
         for n in (1, 2, 3, 10, 257)
         for seed, epoch in ((0, 0), (0, 1), (1, 0), (2**40 + 3, 19), (2**64 - 1, 2**32 - 1))]
CASES += [(5000, 0, 7)]


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        left, right = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(right >> 32) ^ c[1] ^ k[0], right & MASK, (left >> 32) ^ c[3] ^ k[1], left & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def shuffled(n, seed, epoch):
    order = [3 * i + 1 for i in range(n)]
    for i in range(n - 1, 0, -1):
        words = philox([i & MASK, i >> 32, epoch, SHUFFLE], [seed & MASK, seed >> 32])
        j = ((words[1] << 32 | words[0]) * (i + 1)) >> 64
        order[i], order[j] = order[j], order[i]
    return order


def main():
    # The published test vector, so that this file does not rest on itself.
    assert philox([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]) == [
        0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "order.h5")
    with h5py.File(path, "w") as file:
        file.attrs["cases"] = np.int64(len(CASES))
        for i, (n, seed, epoch) in enumerate(CASES):
            group = file.create_group(str(i))
            group.attrs["n"] = np.int64(n)
            group.attrs["seed"] = np.uint64(seed)
            group.attrs["epoch"] = np.uint32(epoch)
            group["order"] = np.array(shuffled(n, seed, epoch), dtype=np.uint32)
    print(f"{len(CASES)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
