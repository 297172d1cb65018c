#!/usr/bin/env python3
"""Makes data/cifar10.h5, the dataset of configs/resnet20.ini, from CIFAR-10 as pictures.

    python3 perf/make_cifar10.py PICTURES [OUT.h5]

PICTURES is a folder, or a tar archive of one, with train/CLASS/*.jpg and test/CLASS/*.jpg (or .png)
for CIFAR's ten classes, all pictures of one size. Writes x_train, y_train, x_test, y_test as trainer
expects them: uint8 [n,h,w,3], labels uint8 [n] in CIFAR's own order of classes, whose names are the
attribute `class_names` of the labels. The classes follow each other in turn, in the order of the
files' names, so that any first part of the file has equal shares of them. The same pictures make the
same values. Needs Pillow, h5py and NumPy (Debian: python3-pil python3-h5py).
"""

import argparse
import io
import os
import sys
import tarfile
from pathlib import Path, PurePosixPath

import h5py
import numpy as np
from PIL import Image, UnidentifiedImageError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck")
ENDINGS = (".jpg", ".jpeg", ".png")


def refuse(reason):
    print(f"make_cifar10: {reason}", file=sys.stderr)
    sys.exit(1)


def files_of(place):
    """(path, bytes) of every file in a folder or an archive."""
    if os.path.isdir(place):
        for path in Path(place).rglob("*"):
            if path.is_file():
                yield path.as_posix(), path.read_bytes()
        return
    try:
        with tarfile.open(place) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, archive.extractfile(member).read()
    except (OSError, EOFError, tarfile.TarError) as error:
        refuse(f"{place} is no folder and no tar archive: {error}")


def read_pictures(place):
    """{(part, class number): {file name: its pixels}}"""
    found = {(part, k): {} for part in ("train", "test") for k in range(len(CLASSES))}
    for name, content in files_of(place):
        path = PurePosixPath(name)
        if path.suffix.lower() not in ENDINGS:
            continue
        part, kind = path.parts[-3:-1] if len(path.parts) > 2 else ("", "")
        if part not in ("train", "test") or kind not in CLASSES:
            refuse(f"{name}: a picture must stand in train/CLASS or test/CLASS, CLASS one of"
                   f" {', '.join(CLASSES)}")
        try:
            pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            refuse(f"{name}: {error}")
        found[part, CLASSES.index(kind)][path.name] = pixels
    return found


def in_turn(found, part):
    """x and y of a part: the first picture of each class, then the second, ..."""
    ranked = [(rank, label, pixels)
              for label in range(len(CLASSES))
              for rank, (_, pixels) in enumerate(sorted(found[part, label].items()))]
    if not ranked:
        refuse(f"there is no picture in {part}/")
    shapes = {pixels.shape for _, _, pixels in ranked}
    if len(shapes) > 1:
        refuse(f"{part}/ has pictures of different sizes: {sorted(shapes)}")
    ranked.sort(key=lambda picture: picture[:2])
    return (np.stack([pixels for _, _, pixels in ranked]),
            np.array([label for _, label, _ in ranked], dtype=np.uint8))


def main():
    parser = argparse.ArgumentParser(description="data/cifar10.h5 from CIFAR-10 as pictures")
    parser.add_argument("pictures", help="folder or tar archive with train/CLASS and test/CLASS")
    parser.add_argument("out", nargs="?", default="data/cifar10.h5")
    arguments = parser.parse_args()
    found = read_pictures(arguments.pictures)
    parts = {part: in_turn(found, part) for part in ("train", "test")}
    unfinished = arguments.out + ".tmp"
    with h5py.File(unfinished, "w") as file:
        for part, (x, y) in parts.items():
            file[f"x_{part}"], file[f"y_{part}"] = x, y
            file[f"y_{part}"].attrs["class_names"] = CLASSES
    os.replace(unfinished, arguments.out)


if __name__ == "__main__":
    main()
