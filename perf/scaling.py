#!/usr/bin/env python3
"""How far a training step scales, on paper: 1 to 256 cores, 1 to 64 nodes, and what breaks first.

    python3 perf/scaling.py [STEP.json] [--compute-us-per-micro-batch US] [--micro-batches M] ...

STEP.json is what `trainer bench --json` writes; each of its keys can be given, or replaced, as an
option of the same name (with - for _), and a key that is nowhere must be given:

    micro_batches                M, of a batch
    compute_us_per_micro_batch   forward and backward of one micro-batch on one core
    reduce_update_us             sum of the gradient slots and update, wall time at that number of threads
    barrier_us                   the barriers of one step, all threads there (so measure with >= 2)
    serial_us                    what one thread does per step while the others wait
    n_floats                     parameters, and so the size of a gradient slot
    step_us                      a whole step, only to check the model against (may be missing)
    threads                      of that measurement (1 where missing)

Giving --micro-batches besides a file asks what another batch size would do: reduce_update_us is
taken for the file's batch and converted.

About the machine, as options: memory bandwidth in GB/s (of one node, all cores), the size of the
cache that all cores share, and for nodes their cores, latency and bandwidth of the network.

The model, for p cores:

    compute    ceil(M / p) micro-batches one after the other, at least the time to write M slots
    reduce     reduce_update_us on one core / p, at least the time to read M slots and update
    barrier    grows with log2(p)
    serial     is always there

Slots that fit into the shared cache cost no memory time; a write costs twice its bytes (the line is
read first), Adam's update reads and writes three vectors. For N nodes of C cores, each node takes
M / N micro-batches, a subtree of the fixed tree of additions, sums it as above and joins the other
sums in log2(N) further levels: the cheaper of exchanging the whole vector at each level, and of
halving it at each level and gathering the parts afterwards. Both add in the order of the same tree,
so the bits stay the same for powers of two. Batch and result never change: strong scaling.

What the model leaves out: clocks that fall when all cores work, caches and memory channels shared
during compute, sockets, other people's work. It is an upper bound, and says where to look first.
"""

import argparse
import json
import math
import sys

MEASURED = {
    "micro_batches": int,
    "compute_us_per_micro_batch": float,
    "reduce_update_us": float,
    "barrier_us": float,
    "serial_us": float,
    "n_floats": int,
    "step_us": float,
    "threads": int,
}
OPTIONAL = {"step_us": 0.0, "threads": 1}
UPDATE_VECTORS = 6  # weights and Adam's two moments, each read and written
CORES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
NODES = (1, 2, 4, 8, 16, 32, 64)
CAUSES = {
    "idle": "fewer micro-batches per core than it takes to keep all cores busy",
    "slots": "memory bandwidth: writing the gradient slots",
    "reduce": "memory bandwidth: the reduction reads all slots",
    "barrier": "barriers",
    "serial": "the serial part",
    "latency": "network latency",
    "network": "network bandwidth: exchanging the parameter vector",
}


# ---- input ----


def parse_arguments():
    parser = argparse.ArgumentParser(description="how far a training step scales, on paper")
    parser.add_argument("step", nargs="?", metavar="STEP.json", help="from trainer bench --json")
    for key, kind in MEASURED.items():
        parser.add_argument("--" + key.replace("_", "-"), type=kind)
    parser.add_argument("--memory-gb-per-s", type=float, required=True)
    parser.add_argument("--cache-mb", type=float, default=0.0, help="shared cache, default 0: none")
    parser.add_argument("--cores-per-node", type=int, default=64, help="default 64")
    parser.add_argument("--latency-us", type=float, default=2.0,
                        help="of one message between nodes, default 2 (RDMA; Ethernet: 20 to 50)")
    parser.add_argument("--network-gb-per-s", type=float, default=12.5,
                        help="of one node, each direction, default 12.5 (100 Gbit/s)")
    parser.add_argument("--efficiency", type=float, default=0.8,
                        help="below this, scaling counts as broken; default 0.8")
    arguments = parser.parse_args()
    complete(parser, arguments)
    return arguments


def read_json(parser, path):
    try:
        with open(path, encoding="utf-8") as file:
            measured = json.load(file)
    except (OSError, ValueError) as error:
        parser.error(f"{path}: {error}")
    if not isinstance(measured, dict):
        parser.error(f"{path}: is not an object with keys")
    return measured


def complete(parser, arguments):
    """An option first, then the file, then what may be missing."""
    measured = {} if arguments.step is None else read_json(parser, arguments.step)
    missing = []
    asked = arguments.micro_batches
    for key, kind in MEASURED.items():
        value = getattr(arguments, key)
        if value is None:
            value = measured.get(key, OPTIONAL.get(key))
        if value is None:
            missing.append("--" + key.replace("_", "-"))
            continue
        try:
            setattr(arguments, key, kind(value))
        except (TypeError, ValueError):
            parser.error(f"{key}: {value!r} is not a number")
    if missing:
        parser.error(f"measured, but neither in a file nor given: {' '.join(missing)}")
    for key in ("micro_batches", "compute_us_per_micro_batch", "n_floats", "threads",
                "memory_gb_per_s", "network_gb_per_s", "cores_per_node"):
        if getattr(arguments, key) <= 0:
            parser.error(f"{key} must be positive")
    for key in ("reduce_update_us", "barrier_us", "serial_us", "cache_mb", "latency_us"):
        if getattr(arguments, key) < 0:
            parser.error(f"{key} must not be negative")
    if asked is not None and asked != measured.get("micro_batches", asked):
        there = measured["micro_batches"]
        arguments.reduce_update_us *= (asked + UPDATE_VECTORS) / (there + UPDATE_VECTORS)
        arguments.step_us = 0.0


# ---- the model: {cause: microseconds} besides the useful work ----


def microseconds(n_bytes, gb_per_s):
    return n_bytes / gb_per_s / 1e3


def memory_us(a, n_bytes, working_set):
    if working_set <= a.cache_mb * 1e6:
        return 0.0
    return microseconds(n_bytes, a.memory_gb_per_s)


def one_core(a):
    """Compute and reduction of the whole batch on one core: the work there is."""
    return a.micro_batches * a.compute_us_per_micro_batch, a.reduce_update_us * a.threads


def barrier_us(a, cores):
    return a.barrier_us * math.log2(cores) / max(1.0, math.log2(a.threads))


def node_step(a, cores, micro_batches):
    """A step of one node on its share of the micro-batches, by parts."""
    vector = 4 * a.n_floats
    slots = vector * micro_batches
    update = vector * UPDATE_VECTORS
    rounds = math.ceil(micro_batches / cores) * a.compute_us_per_micro_batch
    # Only the sum of slots shrinks with a node's share; the update is every node's whole own.
    share = (micro_batches + UPDATE_VECTORS) / (a.micro_batches + UPDATE_VECTORS)
    reduce = a.reduce_update_us * a.threads * share / cores
    written, read = memory_us(a, 2 * slots, slots), memory_us(a, slots + update, slots + update)
    return {
        "compute": rounds,
        "slots": max(0.0, written - rounds),
        "reduce": max(reduce, read),
        "barrier": barrier_us(a, cores),
        "serial": a.serial_us,
    }


def exchange(a, nodes):
    """Latency and transfer time of summing a vector over nodes; the cheaper of two ways."""
    levels = math.ceil(math.log2(nodes))
    vector = microseconds(4 * a.n_floats, a.network_gb_per_s)
    whole = (levels * a.latency_us, levels * vector)
    halved = (2 * levels * a.latency_us, 2 * vector * (nodes - 1) / nodes)
    return min(whole, halved, key=sum)


def losses(a, step, workers):
    """What a step takes beyond its share of the work of one core, by cause."""
    compute, reduce = one_core(a)
    beyond = {
        "idle": step["compute"] - compute / workers,
        "reduce": step["reduce"] - reduce / workers,
        "serial": a.serial_us * (1 - 1 / workers),
    }
    return {cause: max(0.0, beyond.get(cause, step.get(cause, 0.0))) for cause in CAUSES}


def cores_row(a, cores):
    step = node_step(a, cores, a.micro_batches)
    return sum(step.values()), losses(a, step, cores)


def nodes_row(a, nodes):
    step = node_step(a, a.cores_per_node, math.ceil(a.micro_batches / nodes))
    step["latency"], step["network"] = exchange(a, nodes)
    return sum(step.values()), losses(a, step, nodes * a.cores_per_node)


# ---- output ----


def table(a, title, counts, row, one_us):
    """Prints a table; returns the first count below the wanted efficiency and why, if any."""
    print(f"\n{title}\n{'':>6} {'step us':>10} {'speed-up':>9} {'efficiency':>10}  lost most to")
    broken = None
    for count in counts:
        step_us, lost = row(a, count)
        speed_up = one_us / step_us
        efficiency = speed_up / count
        worst = max(lost, key=lost.get)
        share = lost[worst] / step_us
        note = f"{worst} {100 * share:.0f} %" if share >= 0.005 else "-"
        print(f"{count:>6} {step_us:>10.1f} {speed_up:>9.2f} {100 * efficiency:>8.0f} %  {note}")
        if broken is None and efficiency < a.efficiency:
            broken = (count, worst)
    return broken


def say_broken(what, broken, a):
    if broken is None:
        print(f"{what}: efficiency stays at {100 * a.efficiency:.0f} % or more")
    else:
        count, cause = broken
        print(f"{what}: below {100 * a.efficiency:.0f} % from {count} on; first: {CAUSES[cause]}")


def onsets(a):
    """Since when each limit is felt, whether it comes first or not."""
    print("\nEach limit alone:")
    print(f"  more cores than micro-batches: from {a.micro_batches + 1} cores on")
    compute, reduce = one_core(a)
    vector = 4 * a.n_floats
    slots, update = vector * a.micro_batches, vector * UPDATE_VECTORS
    for what, work, floor in (
        ("the reduction reads", reduce, memory_us(a, slots + update, slots + update)),
        ("compute writes", compute, memory_us(a, 2 * slots, slots)),
    ):
        since = "never, they fit into the shared cache"
        if floor > 0:
            since = f"from {math.floor(work / floor) + 1} cores on"
        print(f"  {what} {slots / 1e6:.1f} MB of slots faster than memory allows: {since}")
    since = "never"
    if a.serial_us > 0:
        since = f"from {math.ceil((compute + reduce) / (9 * a.serial_us))} cores on"
    print(f"  the serial part is 10 % of a step that scales perfectly: {since}")
    for nodes in NODES[1:]:
        step_us = nodes_row(a, nodes)[0]
        latency, transfer = exchange(a, nodes)
        if latency + transfer > 0.1 * step_us:
            worse = "latency" if latency > transfer else "bandwidth"
            print(f"  the exchange is 10 % of a step: from {nodes} nodes on, mostly {worse}")
            return
    print(f"  the exchange is 10 % of a step: not up to {NODES[-1]} nodes")


def main():
    a = parse_arguments()
    one_us = cores_row(a, 1)[0]
    node_us = nodes_row(a, 1)[0]
    print(
        f"{a.micro_batches} micro-batches of {a.compute_us_per_micro_batch:.1f} us,"
        f" {a.n_floats} floats: {4e-6 * a.n_floats * a.micro_batches:.1f} MB of slots"
    )
    if a.step_us > 0:
        model_us = cores_row(a, a.threads)[0]
        print(
            f"check: threads {a.threads}, measured {a.step_us:.1f} us, model {model_us:.1f} us"
            f" ({100 * (model_us / a.step_us - 1):+.0f} %)"
        )
    cores = table(a, "One node, cores:", CORES, cores_row, one_us)
    nodes = table(a, f"Nodes of {a.cores_per_node} cores, against one of them:", NODES, nodes_row,
                  node_us)
    print("\nWhat breaks first:")
    say_broken("  cores", cores, a)
    say_broken("  nodes", nodes, a)
    onsets(a)
    return 0


if __name__ == "__main__":
    sys.exit(main())
