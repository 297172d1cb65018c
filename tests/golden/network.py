"""Gradients of one whole, deliberately odd network, made with PyTorch in float64.

    /usr/bin/python3 tests/golden/network.py    # writes network.h5 beside it

9x7x3 - conv a 5 4x2 same relu - max pool 3 stride 2 same (windows overlap) - conv c 6 2x2 stride
(2,1) valid tanh, no bias - sigmoid - flatten (h,w,c) - dense f 11 relu - dense g 4 softmax;
sparse cross-entropy, mean over 11 samples. Then the same network with other last layers and losses. It tells that the derivative of a ReLU may be taken
behind the max-pool, and that gradients find their way through every kind of layer at once.

Layout of network.h5: images uint8 [11,9,7,3] (the input is pixel / 255), labels int32 [11],
initial/<layer>/<weight> and gradient/<layer>/<weight> as Keras stores them, loss float64.
losses/<loss>/ has initial, gradient and loss of the same images, and values float32 [11,outputs], the
targets, for
    binary_crossentropy         g: 1 sigmoid
    categorical_crossentropy    g: 4 softmax, soft targets, label smoothing 0.1
    mean_squared_error          g: 3 linear
"""

from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F

N, H, W, C = 11, 9, 7, 3
SEED = 3

SHAPES = {
    "a/kernel": (4, 2, 3, 5),
    "a/bias": (5,),
    "c/kernel": (2, 2, 5, 6),
    "f/kernel": (2 * 3 * 6, 11),
    "f/bias": (11,),
    "g/kernel": (11, 4),
    "g/bias": (4,),
}


def conv(x, kernel, **options):
    return F.conv2d(x, kernel.permute(3, 2, 0, 1), **options)


def last_layer(x, p):
    """Before its activation."""
    x = x.permute(0, 3, 1, 2)
    # `same` for a 4x2 kernel: one row above, two below; one column on the right.
    x = F.relu(conv(F.pad(x, (0, 1, 1, 2)), p["a/kernel"], bias=p["a/bias"]))
    # `same` for a 3x3 pool of stride 2 on 9x7: one on every side; padding never wins.
    x = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 2)
    x = torch.sigmoid(torch.tanh(conv(x, p["c/kernel"], stride=(2, 1))))
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = F.relu(x @ p["f/kernel"] + p["f/bias"])
    return x @ p["g/kernel"] + p["g/bias"]


def loss(x, labels, p):
    return F.cross_entropy(last_layer(x, p), labels)


def binary_crossentropy(x, t, p):
    return F.binary_cross_entropy(torch.sigmoid(last_layer(x, p)), t)


def categorical_crossentropy(x, t, p):
    return F.cross_entropy(last_layer(x, p), t, label_smoothing=0.1)


def mean_squared_error(x, t, p):
    return F.mse_loss(last_layer(x, p), t)


def store_loss(f, rng, images, initial, function, targets):
    outputs = targets.shape[1]
    initial = dict(initial)
    for k, shape in {"g/kernel": (11, outputs), "g/bias": (outputs,)}.items():
        initial[k] = rng.uniform(-0.5, 0.5, shape).astype(np.float32)
    p = {k: torch.tensor(v.astype(np.float64), requires_grad=True) for k, v in initial.items()}
    value = function(images, torch.tensor(targets.astype(np.float64)), p)
    value.backward()
    group = f.create_group(f"losses/{function.__name__}")
    group["values"] = targets
    group["loss"] = value.item()
    for k in initial:
        group[f"initial/{k}"] = initial[k]
        group[f"gradient/{k}"] = p[k].grad.numpy().astype(np.float32)


def store_losses(f, images, initial):
    rng = np.random.default_rng(SEED + 1)
    yes_no = rng.integers(0, 2, (N, 1)).astype(np.float32)
    shares = rng.random((N, 4)).astype(np.float32)
    shares /= shares.sum(1, keepdims=True)
    numbers = rng.standard_normal((N, 3)).astype(np.float32)
    store_loss(f, rng, images, initial, binary_crossentropy, yes_no)
    store_loss(f, rng, images, initial, categorical_crossentropy, shares)
    store_loss(f, rng, images, initial, mean_squared_error, numbers)


def main():
    rng = np.random.default_rng(SEED)
    images = rng.integers(0, 256, (N, H, W, C), dtype=np.uint8)
    labels = rng.integers(0, 4, N)
    initial = {k: rng.uniform(-0.5, 0.5, s).astype(np.float32) for k, s in SHAPES.items()}
    p = {k: torch.tensor(v.astype(np.float64), requires_grad=True) for k, v in initial.items()}
    x = torch.tensor((images.astype(np.float32) / np.float32(255)).astype(np.float64))
    value = loss(x, torch.tensor(labels), p)
    value.backward()
    with h5py.File(Path(__file__).with_name("network.h5"), "w") as f:
        f["images"] = images
        f["labels"] = labels.astype(np.int32)
        f["loss"] = value.item()
        for k in SHAPES:
            f[f"initial/{k}"] = initial[k]
            f[f"gradient/{k}"] = p[k].grad.numpy().astype(np.float32)
        store_losses(f, x, initial)


if __name__ == "__main__":
    main()
