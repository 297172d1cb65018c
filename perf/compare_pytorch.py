#!/usr/bin/env python3
"""The training job of configs/mnist.ini in PyTorch, to compare the time of an epoch with.

    python3 perf/compare_pytorch.py [--epochs E] [--threads N] [--tuned] [--data FILE]

Needs PyTorch, h5py and NumPy (Debian: python3-torch python3-h5py) and data/mnist.h5. The job:
48,000 training images (of 60,000, 20 % are kept for validation), batch 128, Adam, cross-entropy,
loss and accuracy summed up over the epoch; only the training part is timed.

It is written as a PyTorch user would write it, without the usual brake: the images lie in memory
as one float tensor in channels_last order, and no DataLoader stands in between. --tuned adds what
somebody who knows PyTorch's inner workings would do besides: index_select into batches, ReLU after
the pool (they commute; a quarter of the work), a traced graph, no denormals, and one
synchronization per epoch instead of per batch.

Each epoch prints one line beginning "epoch N SECONDS s"; perf/compare.sh reads it.
"""

import argparse
import math
import os
import time

import h5py
import torch
from torch import nn

VALIDATION_SPLIT = 0.2
BATCH_SIZE = 128

ADVICE = """\
Besides the code, the environment counts. Worth trying for --tuned, on the machine in question:
    OMP_NUM_THREADS=<physical cores>    one thread per core, no more
    GOMP_CPU_AFFINITY=0-<cores - 1>     threads stay where their caches are
    LD_PRELOAD=libjemalloc.so.2         a faster allocator for the activations
    numactl --cpunodebind=0 --membind=0 one socket, its own memory"""


def parse_arguments():
    parser = argparse.ArgumentParser(description="configs/mnist.ini's training job in PyTorch")
    parser.add_argument("--epochs", type=int, default=2, help="default 2; the first warms up")
    parser.add_argument("--threads", type=int, help="default: OMP_NUM_THREADS, or else 2")
    parser.add_argument("--tuned", action="store_true", help="the hand-tuned variant")
    parser.add_argument("--data", default="data/mnist.h5", help="default data/mnist.h5")
    arguments = parser.parse_args()
    if arguments.threads is None:
        arguments.threads = int(os.environ.get("OMP_NUM_THREADS", 2))
    return arguments


def load(path):
    """Training images [n,1,28,28] in [0,1], channels_last, and labels [n]."""
    with h5py.File(path, "r") as f:
        x = torch.from_numpy(f["x_train"][:])
        y = torch.from_numpy(f["y_train"][:])
    n_train = len(x) - math.ceil(VALIDATION_SPLIT * len(x))
    rows = torch.randperm(len(x))[:n_train]
    x = x[rows].float().div(255).reshape(-1, 1, 28, 28)
    return x.contiguous(memory_format=torch.channels_last), y[rows].long()


def plain_model():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 10),
    ).to(memory_format=torch.channels_last)


def tuned_model(example):
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 10),
    ).to(memory_format=torch.channels_last)
    return torch.jit.trace(model, example)


def plain_epoch(model, criterion, optimizer, x, y):
    total_loss, hits = 0.0, 0
    order = torch.randperm(len(x))
    for start in range(0, len(x), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        images, labels = x[rows], y[rows]
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(rows)
        hits += (outputs.argmax(1) == labels).sum().item()
    return total_loss / len(x), hits / len(x)


def tuned_epoch(model, criterion, optimizer, x, y):
    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for rows in torch.randperm(len(x)).split(BATCH_SIZE):
        images = x.index_select(0, rows).contiguous(memory_format=torch.channels_last)
        labels = y.index_select(0, rows)
        optimizer.zero_grad(set_to_none=True)
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.detach() * len(rows)
        hits += (outputs.detach().argmax(1) == labels).sum()
    return total_loss.item() / len(x), hits.item() / len(x)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    x, y = load(arguments.data)

    if arguments.tuned:
        print(ADVICE)
        torch.set_flush_denormal(True)
        model, run_epoch = tuned_model(x[:BATCH_SIZE]), tuned_epoch
    else:
        model, run_epoch = plain_model(), plain_epoch
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    variant = "tuned" if arguments.tuned else "plain"
    print(f"PyTorch {torch.__version__}, {variant}, {arguments.threads} threads, {len(x)} images")
    for epoch in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = run_epoch(model, criterion, optimizer, x, y)
        seconds = time.perf_counter() - start
        print(
            f"epoch {epoch} {seconds:.3f} s, {len(x) / seconds:.0f} images/s,"
            f" loss {loss:.4f}, accuracy {accuracy:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
