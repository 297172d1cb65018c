"""Golden training runs of the reference network, made with PyTorch.

    /usr/bin/python3 tests/golden/train_reference.py    # writes train_reference.h5 beside it

Answers "given the same initial weights and the same batches, do our losses follow?" for the
network of configs/mnist.ini:

    28x28x1 - conv1 32 3x3 same relu - pool1 2 - conv2 64 3x3 same relu - pool2 2
            - flatten (h,w,c) - output 10 softmax,   sparse cross-entropy, mean over the batch

The network and its gradients are PyTorch's (autograd); the optimizers are Keras's formulas
spelled out below, because torch.optim.Adam places its epsilon elsewhere. Every variant runs
twice from the same start: in float32, as a user would, and in float64, which is the reference;
the attributes `*_deviation` say how far PyTorch's own float32 strays from it. (It strays in
steps: now and then rounding decides which pixel wins a pooling window, or on which side of zero
a ReLU's input falls. Before the first such flip the losses agree to 1e-6.)

Layout of train_reference.h5 (weights as Keras stores them: kernels HWIO, dense [in,out]):

    The input of the network is pixel / 255 rounded once to float32, in both precisions.

    /images         uint8 [512,28,28]   Fashion-MNIST training images (Zalando SE, MIT licence)
    /labels         uint8 [512]
    /batches        int32 [50,32]       rows of /images of each batch; -1 where it has no more
    /batch_sizes    int32 [50]          samples of each batch: 32, in some 19, 8 or 1
    /initial/<layer>/kernel, bias       float32; <layer> is conv1, conv2, output
    /gradient/<layer>/kernel, bias      float32 of float64: gradient of batch 0 at /initial
    /variants/<name>                    adam, sgd, sgd_momentum, sgd_nesterov
        attributes optimizer, learning_rate and, by optimizer, beta_1, beta_2, epsilon, momentum,
                   nesterov (0 or 1); loss_deviation: max |float32 - float64| of the losses
        losses_float64  float64 [50]    mean loss of each batch, before its update
        losses_float32  float32 [50]
        hits            int32 [50]      samples whose first largest output is the label (float64)
        final/<layer>/kernel, bias      only adam and sgd: float32 of the float64 run's weights
                                        after the 50 updates; attribute max_deviation on `final`
"""

import gzip
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist
N_IMAGES = 512
N_BATCHES = 50
BATCH_SIZE = 32
SMALL_BATCHES = {7: 19, 15: 19, 24: 8, 37: 19, 49: 1}
SEED = 20240229
PARAMS = [f"{layer}/{p}" for layer in ("conv1", "conv2", "output") for p in ("kernel", "bias")]


def read_idx(name, header_bytes):
    with gzip.open(FASHION_MNIST / name) as f:
        return np.frombuffer(f.read(), np.uint8, offset=header_bytes)


def choose_samples(rng):
    images = read_idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx("train-labels-idx1-ubyte.gz", 8)
    chosen = rng.choice(len(images), N_IMAGES, replace=False)
    return images[chosen], labels[chosen]


def choose_batches(rng):
    """Shuffled passes over the samples, cut into batches of the sizes above."""
    sizes = np.array([SMALL_BATCHES.get(b, BATCH_SIZE) for b in range(N_BATCHES)], np.int32)
    n_passes = -(-sizes.sum() // N_IMAGES)
    order = np.concatenate([rng.permutation(N_IMAGES) for _ in range(n_passes)])
    batches = np.full((N_BATCHES, BATCH_SIZE), -1, np.int32)
    start = 0
    for batch, size in zip(batches, sizes):
        batch[:size] = order[start : start + size]
        start += size
    return batches, sizes


def glorot_uniform(rng, shape):
    receptive = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def initial_weights(rng):
    shapes = [(3, 3, 1, 32), (3, 3, 32, 64), (7 * 7 * 64, 10)]
    arrays = []
    for shape in shapes:
        arrays += [glorot_uniform(rng, shape), np.zeros(shape[-1], np.float32)]
    return dict(zip(PARAMS, arrays))


def logits(w, x):
    """x [n,28,28] -> [n,10]."""
    hwio_to_oihw = (3, 2, 0, 1)
    x = x[:, None]
    x = F.conv2d(x, w["conv1/kernel"].permute(hwio_to_oihw), w["conv1/bias"], padding=1)
    x = F.max_pool2d(F.relu(x), 2)
    x = F.conv2d(x, w["conv2/kernel"].permute(hwio_to_oihw), w["conv2/bias"], padding=1)
    x = F.max_pool2d(F.relu(x), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    return x @ w["output/kernel"] + w["output/bias"]


class Adam:
    settings = dict(optimizer="adam", learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)

    def __init__(self, w):
        self.t = 0
        self.m = {k: torch.zeros_like(p) for k, p in w.items()}
        self.v = {k: torch.zeros_like(p) for k, p in w.items()}

    def update(self, w, g):
        s = self.settings
        b1, b2 = s["beta_1"], s["beta_2"]
        self.t += 1
        alpha = s["learning_rate"] * np.sqrt(1 - b2**self.t) / (1 - b1**self.t)
        for k in w:
            self.m[k] += (g[k] - self.m[k]) * (1 - b1)
            self.v[k] += (g[k] ** 2 - self.v[k]) * (1 - b2)
            w[k] -= alpha * self.m[k] / (torch.sqrt(self.v[k]) + s["epsilon"])


class Sgd:
    settings = dict(optimizer="sgd", learning_rate=0.01, momentum=0.0, nesterov=0)

    def __init__(self, w):
        self.m = {k: torch.zeros_like(p) for k, p in w.items()}

    def update(self, w, g):
        s = self.settings
        lr, mu = s["learning_rate"], s["momentum"]
        for k in w:
            if mu == 0:
                w[k] -= lr * g[k]
                continue
            self.m[k] = mu * self.m[k] - lr * g[k]
            w[k] += mu * self.m[k] - lr * g[k] if s["nesterov"] else self.m[k]


class SgdMomentum(Sgd):
    settings = dict(Sgd.settings, momentum=0.9)


class SgdNesterov(Sgd):
    settings = dict(Sgd.settings, momentum=0.9, nesterov=1)


VARIANTS = {"adam": Adam, "sgd": Sgd, "sgd_momentum": SgdMomentum, "sgd_nesterov": SgdNesterov}
VARIANTS_WITH_FINAL_WEIGHTS = ("adam", "sgd")


def loss_and_gradient(w, x, y):
    leaves = {k: p.detach().requires_grad_() for k, p in w.items()}
    z = logits(leaves, x)
    loss = F.cross_entropy(z, y)
    gradient = torch.autograd.grad(loss, list(leaves.values()))
    hits = (z.detach().numpy().argmax(1) == y.numpy()).sum()
    return loss.item(), dict(zip(leaves, gradient)), hits


def train(optimizer_class, initial, x, y, batches, sizes, dtype):
    w = {k: torch.tensor(p, dtype=dtype) for k, p in initial.items()}
    optimizer = optimizer_class(w)
    losses, hits = [], []
    for batch, size in zip(batches, sizes):
        rows = torch.from_numpy(batch[:size]).long()
        loss, gradient, n_hits = loss_and_gradient(w, x[rows].to(dtype), y[rows])
        optimizer.update(w, gradient)
        losses.append(loss)
        hits.append(n_hits)
    return np.array(losses), np.array(hits, np.int32), {k: p.numpy() for k, p in w.items()}


def store(group, name, array):
    compression = dict(compression="gzip", compression_opts=9, shuffle=True)
    group.create_dataset(name, data=array, **compression)


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    images, labels = choose_samples(rng)
    batches, sizes = choose_batches(rng)
    initial = initial_weights(rng)
    x = torch.from_numpy((images / 255).astype(np.float32))
    y = torch.from_numpy(labels.astype(np.int64))

    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        store(f, "images", images)
        store(f, "labels", labels)
        store(f, "batches", batches)
        store(f, "batch_sizes", sizes)
        for k, p in initial.items():
            store(f, f"initial/{k}", p)

        rows = torch.from_numpy(batches[0][: sizes[0]]).long()
        w = {k: torch.tensor(p, dtype=torch.float64) for k, p in initial.items()}
        _, gradient, _ = loss_and_gradient(w, x[rows].double(), y[rows])
        for k, g in gradient.items():
            store(f, f"gradient/{k}", g.numpy().astype(np.float32))

        for name, optimizer_class in VARIANTS.items():
            job = (optimizer_class, initial, x, y, batches, sizes)
            losses32, _, w32 = train(*job, torch.float32)
            losses64, hits, w64 = train(*job, torch.float64)
            group = f.create_group(f"variants/{name}")
            group.attrs.update(optimizer_class.settings)
            group.attrs["loss_deviation"] = np.abs(losses32 - losses64).max()
            store(group, "losses_float64", losses64)
            store(group, "losses_float32", losses32.astype(np.float32))
            store(group, "hits", hits)
            deviation = max(np.abs(w32[k] - w64[k]).max() for k in w64)
            print(
                f"{name:13s} loss {losses64[0]:.6f} -> {losses64[-2]:.6f}"
                f"  float32 deviates by {group.attrs['loss_deviation']:.1e} in the loss,"
                f" {deviation:.1e} in the weights"
            )
            if name in VARIANTS_WITH_FINAL_WEIGHTS:
                for k, p in w64.items():
                    store(group, f"final/{k}", p.astype(np.float32))
                group["final"].attrs["max_deviation"] = deviation


if __name__ == "__main__":
    main()
