#!/usr/bin/env python3
"""cifar.py -- writes cifar/*.tar.gz, which tests/convert/test_convert_cifar.c reads: CIFAR-10 and CIFAR-100 with
three rows a file, binary and for Python, pickled as Python 2 did it, and as Python 3 does (protocols 4 and 5).

Needs NumPy. Element k of row r, counted over all files, is (7 r + 3 k + k // 1024) % 251; its class is r % 10, in
CIFAR-100 r % 20 (coarse) and 5 (r % 20) (fine).
"""
import gzip
import io
import pathlib
import pickle
import struct
import tarfile

import numpy as np

ROWS = 3
folder = pathlib.Path(__file__).parent / "cifar"
folder.mkdir(exist_ok=True)


class Python2(pickle._Pickler):
    """Text and bytes were one type there."""

    def save_string(self, value):
        value = value.encode() if isinstance(value, str) else value
        head = b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value))
        self.write(head + value)
        self.memoize(value)

    dispatch = {**pickle._Pickler.dispatch, str: save_string, bytes: save_string}


def pickled(value, protocol):
    out = io.BytesIO()
    (Python2 if protocol == 2 else pickle.Pickler)(out, protocol).dump(value)
    return out.getvalue()


def row(r):
    k = np.arange(3072)
    return ((7 * r + 3 * k + k // 1024) % 251).astype(np.uint8)


def archive(name, files):
    with gzip.GzipFile(folder / name, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


names10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
fine, coarse = [f"fine_{i}" for i in range(100)], [f"coarse_{i}" for i in range(20)]
batches = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
parts = [[row(r) for r in range(b * ROWS, (b + 1) * ROWS)] for b in range(6)]
labels = [[r % 10 for r in range(b * ROWS, (b + 1) * ROWS)] for b in range(6)]

archive("cifar-10-binary.tar.gz", {
    **{f"cifar-10-batches-bin/{b}.bin": b"".join(bytes([y]) + x.tobytes() for x, y in zip(xs, ys))
       for b, xs, ys in zip(batches, parts, labels)},
    "cifar-10-batches-bin/batches.meta.txt": ("\n".join(names10) + "\n\n").encode()})
for protocol, order in ((2, "C"), (4, "C"), (5, "F")):
    archive(f"cifar-10-python-{protocol}.tar.gz", {
        **{f"cifar-10-batches-py/{b}": pickled(
            {"batch_label": "training batch", "labels": ys, "data": np.array(np.stack(xs), order=order),
             "filenames": [f"picture_{i}.png" for i in range(ROWS)]}, protocol)
           for b, xs, ys in zip(batches, parts, labels)},
        "cifar-10-batches-py/batches.meta": pickled(
            {"num_cases_per_batch": ROWS, "label_names": names10, "num_vis": 3072}, protocol)})
archive("cifar-100-binary.tar.gz", {
    **{f"cifar-100-binary/{name}.bin": b"".join(bytes([r % 20, 5 * (r % 20)]) + row(r).tobytes() for r in rows)
       for name, rows in (("train", range(ROWS)), ("test", range(ROWS, 2 * ROWS)))},
    "cifar-100-binary/fine_label_names.txt": "\n".join(fine).encode(),
    "cifar-100-binary/coarse_label_names.txt": "\r\n".join(coarse).encode()})
archive("cifar-100-python.tar.gz", {
    **{f"cifar-100-python/{name}": pickled(
        {"data": np.stack([row(r) for r in rows]), "coarse_labels": [r % 20 for r in rows],
         "fine_labels": [5 * (r % 20) for r in rows]}, 2)
       for name, rows in (("train", range(ROWS)), ("test", range(ROWS, 2 * ROWS)))},
    "cifar-100-python/meta": pickled({"fine_label_names": fine, "coarse_label_names": coarse}, 2)})
