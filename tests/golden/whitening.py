"""Kernels that whiten the windows of images, by NumPy's eigh: tests/engine/test_whitening.c.

    python3 tests/golden/whitening.py    # writes whitening.h5 beside it

Layout: /images uint8 [40,9,7,3], of which the first 30 are the training samples, pixel / 255 the
input; /kernel_2x2 and /kernel_3x2 float64 [h,w,3,filters] of 24 and 10 filters, eps 5e-4 and 0.01,
the second behind max(pixels of 2 x 2, stride 2), and of 20 images only. A direction has the sign
that makes its element of the largest size positive.
"""
from pathlib import Path

import h5py
import numpy as np


def kernel(images, h, w, filters, eps):
    n, height, width, c = images.shape
    windows = np.stack([images[:, y:y + h, x:x + w].reshape(n, -1)
                        for y in range(height - h + 1) for x in range(width - w + 1)], 1)
    windows = windows.reshape(-1, h * w * c).astype(np.float64)
    values, vectors = np.linalg.eigh(windows.T @ windows / len(windows))
    values, vectors = values[::-1], vectors.T[::-1]
    largest = np.abs(vectors).argmax(1)
    vectors = vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
    half = (vectors / np.sqrt(values + eps)[:, None])[: filters // 2]
    return np.concatenate([half, -half]).T.reshape(h, w, c, filters)


rng = np.random.default_rng(5)
smooth = rng.normal(size=(40, 9, 7, 3)).cumsum(1).cumsum(2) + rng.normal(size=(40, 1, 1, 3))
images = np.clip(128 + 20 * smooth, 0, 255).astype(np.uint8)
pixels = images.astype(np.float32) / np.float32(255)
pooled = pixels[:20, :8, :6].reshape(20, 4, 2, 3, 2, 3).max((2, 4))
with h5py.File(Path(__file__).with_name("whitening.h5"), "w") as f:
    f["images"] = images
    f["kernel_2x2"] = kernel(pixels[:30], 2, 2, 24, 5e-4)
    f["kernel_3x2"] = kernel(pooled, 3, 2, 10, 0.01)
