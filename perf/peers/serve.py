"""What the peers of trainer have in common: they wait for orders and answer with times.

A peer is a program that `perf/compare` starts once for a number of threads and keeps, because
starting and compiling take longer than measuring does, and because programs that are there at the
same time can take turns. Orders come as lines of JSON on stdin, each answered by one on the stdout
that it was started with; what the frameworks print goes to stderr.

    {"do": "prepare", "config": FILE, "set": [...], "data": FILE.npz, "mode": "train" | "evaluate",
     "batch": N}                    builds, compiles and warms up by an epoch
        -> {"parameters": N, "images": N, "warm_up_s": S}
    {"do": "run", "seconds": S}     whole epochs until S seconds are over, at least one
        -> {"images": N, "seconds": S, "loss": L, "accuracy": A}     the last two of the last epoch
    any failure -> {"error": TEXT}

The first line is {"versions": {...}}, unasked.
"""

import argparse
import gc
import json
import os
import sys
import time
import traceback

from job import Refused, load_images, read_job


class Work:
    """What a peer prepares: `epoch()` goes through all images once and returns seconds, loss and
    accuracy; `parameters` is the number of trained ones."""

    def __init__(self, epoch, parameters):
        self.epoch, self.parameters = epoch, parameters


def timed(run):
    """An epoch of seconds, loss and accuracy from a function of loss and accuracy."""

    def epoch():
        start = time.perf_counter()
        loss, accuracy = run()
        return time.perf_counter() - start, loss, accuracy

    return epoch


class Server:
    def __init__(self, make_work):
        self.make_work, self.work, self.n_images = make_work, None, 0

    def prepare(self, order):
        self.work = None
        gc.collect()  # what was prepared before is large
        job = read_job(order["config"], order["set"])
        x, y = load_images(job, order["data"], "train" if order["mode"] == "train" else "test")
        self.work = self.make_work(job, order["mode"], order["batch"], x, y)
        self.n_images = len(x)
        seconds = self.work.epoch()[0]
        return {"parameters": int(self.work.parameters), "images": len(x), "warm_up_s": seconds}

    def run(self, order):
        epochs, total = 0, 0.0
        while epochs == 0 or total < order["seconds"]:
            seconds, loss, accuracy = self.work.epoch()
            epochs, total = epochs + 1, total + seconds
        return {"images": epochs * self.n_images, "seconds": total, "loss": float(loss),
                "accuracy": float(accuracy)}

    def answer(self, line):
        try:
            order = json.loads(line)
            return {"prepare": self.prepare, "run": self.run}[order["do"]](order)
        except Refused as refusal:
            return {"error": str(refusal)}
        except Exception as error:  # a framework's, of any kind: the case is left out
            traceback.print_exc()
            lines = str(error).strip().splitlines()
            return {"error": f"{type(error).__name__}: {lines[0] if lines else ''}"}


def arguments(variants):
    parser = argparse.ArgumentParser(description="a peer of trainer, for perf/compare")
    parser.add_argument("--variant", choices=variants, required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


def serve(versions, make_work):
    """Answers orders until stdin ends. `make_work(job, mode, batch, x, y)` returns a Work."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(make_work)
    answer = {"versions": versions}
    while True:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        line = sys.stdin.readline()
        if not line:
            return
        answer = server.answer(line)
