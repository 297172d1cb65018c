"""What PyTorch makes of Keras's file tutorial_v3.3.3.h5 on Fashion-MNIST images.

    /usr/bin/python3 tests/golden/keras/independent.py    # writes tutorial_fashion.h5 beside it

Keras's own predictions of that file are for MNIST's images, which are not part of this repository.
Layout: y_pred float32 [100, 10], for x_test[0 .. 99] / 255 of ../fashion_small.h5, in float64.
"""

from pathlib import Path

import h5py
import torch
import torch.nn.functional as F

here = Path(__file__).parent
with h5py.File(here.parent / "fashion_small.h5") as f:
    x = torch.tensor(f["x_test"][:100], dtype=torch.float64).reshape(-1, 1, 28, 28) / 255
with h5py.File(here / "tutorial_v3.3.3.h5") as f:
    w = []
    for layer in ("conv2d", "conv2d_1", "dense"):
        group = f["model_weights"][layer]
        w += [torch.tensor(group[n][()], dtype=torch.float64) for n in group.attrs["weight_names"]]
for kernel, bias in (w[0:2], w[2:4]):
    x = F.max_pool2d(F.relu(F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, padding=1)), 2)
y = torch.softmax(x.permute(0, 2, 3, 1).flatten(1) @ w[4] + w[5], -1)
with h5py.File(here / "tutorial_fashion.h5", "w") as f:
    f["y_pred"] = y.numpy().astype("float32")
