#!/usr/bin/env python3
"""The job of a trainer INI file in PyTorch, to compare its time with.

    python3 perf/compare_pytorch.py [--config FILE] [--set SECTION.KEY=VALUE]... [--batch-size N]
        [--mode train|evaluate] [--images train|test] [--epochs E] [--threads N]
        [--tuned] [--compile] [--bfloat16]

Needs PyTorch, h5py and NumPy (Debian: python3-torch python3-h5py). The INI file decides about the
network, the dataset and its split, the batch sizes and the optimizer's settings, as for trainer;
see ini_job.py for what has no counterpart here and is refused. Run it where [data] file is valid:
in the project's folder.

    train       epochs over the training images; loss and accuracy are summed up over the epoch,
                only the training part is timed
    evaluate    forward passes over the test images (or --images train) in batches of [evaluate]
                batch_size, with loss and accuracy, without gradients; weights are random

It is written as a PyTorch user would write it, without the usual brake: the images lie in memory
as one float tensor in channels_last order, the model is channels_last, and no DataLoader stands in
between. --tuned adds what somebody who knows PyTorch's inner workings would do besides:
index_select into batches, ReLU after the pool (they commute; a quarter of the work), sums and ReLUs
in place, a flatten that moves nothing, the fused optimizer where this PyTorch has it, a traced graph
(frozen for evaluation), no denormals, and one synchronization per epoch instead of per batch.
--compile has the graph compiled by torch.compile, in place of the trace; --bfloat16 is autocast.

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
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16")
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


def make_optimizer(job, parameters, tuned):
    make, settings = job.optimizer
    parameters = list(parameters)
    if tuned:
        try:
            return make(parameters, fused=True, **settings)
        except (TypeError, RuntimeError):  # before PyTorch 2.4: none for the CPU
            pass
    return make(parameters, **settings)


def prepared(model, arguments, example):
    """The model as it runs: compiled, traced or as it is."""
    if arguments.compile:
        return torch.compile(model)
    return torch.jit.trace(model, example) if arguments.tuned else model


def train(job, model, arguments, x, y):
    model = prepared(model, arguments, x[: job.batch_size].permute(0, 3, 1, 2))
    optimizer = make_optimizer(job, model.parameters(), arguments.tuned)
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
    with torch.no_grad():
        model = prepared(model, arguments, x[: job.evaluate_batch_size].permute(0, 3, 1, 2))
        if arguments.tuned and not arguments.compile:
            model = torch.jit.freeze(model)
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
    variant = [name for name in ("tuned", "compile", "bfloat16") if getattr(arguments, name)]
    print(
        f"PyTorch {torch.__version__}, {', '.join(variant) or 'plain'},"
        f" {arguments.threads} threads, {len(x)} images,"
        f" batch {job.batch_size if training else job.evaluate_batch_size},"
        f" {sum(p.numel() for p in model.parameters())} parameters"
    )
    # A trace must not remember weights that were cast for the call before.
    cached = not arguments.tuned or arguments.compile
    with torch.autocast("cpu", torch.bfloat16, arguments.bfloat16, cache_enabled=cached):
        (train if training else evaluate)(job, model, arguments, x, y)


if __name__ == "__main__":
    main()
