#!/usr/bin/env python3
"""The job of a trainer INI file in PyTorch, to compare its time with.

    python3 perf/compare_pytorch.py [--config FILE] [--set SECTION.KEY=VALUE]... [--batch-size N]
        [--mode train|evaluate] [--images train|test] [--epochs E] [--threads N] [--tuned]

Needs PyTorch, h5py and NumPy (Debian: python3-torch python3-h5py). The INI file decides about the
network, the dataset and its split, the batch sizes and Adam's settings, as for trainer; see
ini_job.py for what has no counterpart here and is refused. Run it where [data] file is valid: in
the project's folder.

    train       epochs over the training images; loss and accuracy are summed up over the epoch,
                only the training part is timed
    evaluate    forward passes over the test images (or --images train) in batches of [evaluate]
                batch_size, with loss and accuracy, without gradients; weights are random

It is written as a PyTorch user would write it, without the usual brake: the images lie in memory
as one float tensor in channels_last order, the model is channels_last, and no DataLoader stands in
between. --tuned adds what somebody who knows PyTorch's inner workings would do besides:
index_select into batches, ReLU after the pool (they commute; a quarter of the work), a flatten
that moves nothing, a traced graph (frozen for evaluation), no denormals, and one synchronization
per epoch instead of per batch.

Each epoch prints one line, which perf/compare.sh reads; the first one warms up:

    epoch 2 3.360 s, 14286 images/s, loss 0.0775, accuracy 0.9756
    evaluated 10000 images in 0.123 s, 81300 images/s, loss 0.0403, accuracy 0.9901
"""

import argparse
import os
import time

import torch
from torch.nn.functional import cross_entropy

from ini_job import build_network, load_images, read_job

ADVICE = """\
Besides the code, the environment counts. Worth trying for --tuned, on the machine in question
(perf/compare.sh --tuned sets what is marked *):
  * OMP_NUM_THREADS=<physical cores>    one thread per core, no more
  * OPENBLAS_NUM_THREADS=1              no second pool of threads beside OpenMP's
    GOMP_CPU_AFFINITY=0-<cores - 1>     threads stay where their caches are
  * LD_PRELOAD=libjemalloc.so.2         a faster allocator for the activations, which keeps
  * MALLOC_CONF=thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1      what it once got
    numactl --cpunodebind=0 --membind=0 one socket, its own memory"""


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description="the job of a trainer INI file in PyTorch")
    parser.add_argument("--config", default="configs/mnist.ini", help="default configs/mnist.ini")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
                        help="replace one value of the INI file; may be repeated")
    parser.add_argument("--batch-size", type=positive, help="instead of the INI file's two")
    parser.add_argument("--mode", choices=("train", "evaluate"), default="train")
    parser.add_argument("--images", choices=("train", "test"), default="test",
                        help="what to evaluate on, default test")
    parser.add_argument("--epochs", type=positive, default=2, help="default 2; the first warms up")
    parser.add_argument("--threads", type=positive, help="default: OMP_NUM_THREADS, or all cores")
    parser.add_argument("--tuned", action="store_true", help="the hand-tuned variant")
    arguments = parser.parse_args()
    if arguments.threads is None:
        cores = len(os.sched_getaffinity(0))
        arguments.threads = int(os.environ.get("OMP_NUM_THREADS", cores))
    return arguments


# ---- one pass over the images: mean loss and accuracy ----


def train_plain(model, optimizer, x, y, order, batch_size):
    total_loss, hits = 0.0, 0
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        images, labels = x[rows].permute(0, 3, 1, 2), y[rows]
        optimizer.zero_grad()
        outputs = model(images)
        loss = cross_entropy(outputs, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(rows)
        hits += (outputs.argmax(1) == labels).sum().item()
    return total_loss / len(x), hits / len(x)


def train_tuned(model, optimizer, x, y, order, batch_size):
    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for rows in order.split(batch_size):
        images = x.index_select(0, rows).permute(0, 3, 1, 2)
        labels = y.index_select(0, rows)
        optimizer.zero_grad(set_to_none=True)
        outputs = model(images)
        loss = cross_entropy(outputs, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.detach() * len(rows)
        hits += (outputs.detach().argmax(1) == labels).sum()
    return total_loss.item() / len(x), hits.item() / len(x)


def evaluate_plain(model, x, y, batch_size):
    total_loss, hits = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(x), batch_size):
            images = x[start : start + batch_size].permute(0, 3, 1, 2)
            labels = y[start : start + batch_size]
            outputs = model(images)
            total_loss += cross_entropy(outputs, labels, reduction="sum").item()
            hits += (outputs.argmax(1) == labels).sum().item()
    return total_loss / len(x), hits / len(x)


def evaluate_tuned(model, x, y, batch_size):
    total_loss, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    with torch.inference_mode():
        for images, labels in zip(x.split(batch_size), y.split(batch_size)):
            outputs = model(images.permute(0, 3, 1, 2))
            total_loss += cross_entropy(outputs, labels, reduction="sum")
            hits += (outputs.argmax(1) == labels).sum()
    return total_loss.item() / len(x), hits.item() / len(x)


# ---- the two modes ----


def train(job, model, arguments, x, y):
    if arguments.tuned:
        model = torch.jit.trace(model, x[: job.batch_size].permute(0, 3, 1, 2))
    optimizer = torch.optim.Adam(
        model.parameters(), lr=job.learning_rate, betas=job.betas, eps=job.epsilon
    )
    run = train_tuned if arguments.tuned else train_plain
    for epoch in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        order = torch.randperm(len(x)) if job.shuffle else torch.arange(len(x))
        loss, accuracy = run(model, optimizer, x, y, order, job.batch_size)
        seconds = time.perf_counter() - start
        print(
            f"epoch {epoch} {seconds:.3f} s, {len(x) / seconds:.0f} images/s,"
            f" loss {loss:.4f}, accuracy {accuracy:.4f}",
            flush=True,
        )


def evaluate(job, model, arguments, x, y):
    model.eval()
    if arguments.tuned:
        example = x[: job.evaluate_batch_size].permute(0, 3, 1, 2)
        with torch.no_grad():
            model = torch.jit.freeze(torch.jit.trace(model, example))
    run = evaluate_tuned if arguments.tuned else evaluate_plain
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        loss, accuracy = run(model, x, y, job.evaluate_batch_size)
        seconds = time.perf_counter() - start
        print(
            f"evaluated {len(x)} images in {seconds:.3f} s, {len(x) / seconds:.0f} images/s,"
            f" loss {loss:.4f}, accuracy {accuracy:.4f}",
            flush=True,
        )


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    job = read_job(arguments.config, arguments.set)
    if arguments.batch_size is not None:
        job.batch_size = job.evaluate_batch_size = arguments.batch_size
    training = arguments.mode == "train"
    model = build_network(job, arguments.tuned)
    x, y = load_images(job, "train" if training else arguments.images)

    if arguments.tuned:
        print(ADVICE)
        torch.set_flush_denormal(True)
    print(
        f"PyTorch {torch.__version__}, {'tuned' if arguments.tuned else 'plain'},"
        f" {arguments.threads} threads, {len(x)} images,"
        f" batch {job.batch_size if training else job.evaluate_batch_size},"
        f" {sum(p.numel() for p in model.parameters())} parameters"
    )
    (train if training else evaluate)(job, model, arguments, x, y)


if __name__ == "__main__":
    main()
