#!/usr/bin/env python3
"""random_shapes.py TRAINER FOLDER [COUNT [SEED]] -- kernels of our own on shapes nobody chose.

Makes COUNT networks (20) of random sizes, windows, strides, paddings, channel counts and functions,
and lets `trainer bench --verify` compare every operation of each with plain C: under fast and
portable, Winograd's algorithm where it is taken and forbidden, and the sets of this machine. Prints
the first network that is wrong, and fails. A longer run by hand: COUNT 1000.
"""
import pathlib
import random
import subprocess
import sys

trainer, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
count = int(sys.argv[3]) if len(sys.argv) > 3 else 20
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1

FUNCTIONS = ["linear", "relu", "relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "gelu",
             "hard_sigmoid", "softplus", "swish"]
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 17, 24, 31, 32, 33, 48, 64]


def window(rng, size, most):
    return rng.choice([1, 1, 2, 3, 3, 3, 3, 4, 5, min(size, most)])


def convolution(rng, h, w):
    """(text, height, width of its result)"""
    kernel = (3, 3) if rng.random() < 0.5 else (window(rng, h, 7), window(rng, w, 7))
    strides = (1, 1) if rng.random() < 0.7 else (rng.randint(1, 4), rng.randint(1, 4))
    same = kernel[0] > h or kernel[1] > w or rng.random() < 0.6
    text = (f"type = conv2d\nfilters = {rng.choice(CHANNELS)}\nkernel_size = {kernel[0]}, {kernel[1]}\n"
            f"strides = {strides[0]}, {strides[1]}\npadding = {'same' if same else 'valid'}\n"
            f"activation = {rng.choice(FUNCTIONS)}\nuse_bias = {rng.choice(['true', 'false'])}\n")
    return (text, *size(same, (h, w), kernel, strides))


def pooling(rng, h, w):
    kernel = (2, 2) if rng.random() < 0.5 else (window(rng, h, 5), window(rng, w, 5))
    strides = kernel if rng.random() < 0.5 else (rng.randint(1, 3), rng.randint(1, 3))
    same = kernel[0] > h or kernel[1] > w or rng.random() < 0.4
    kind = rng.choice(["max_pooling2d", "max_pooling2d", "average_pooling2d"])
    text = (f"type = {kind}\npool_size = {kernel[0]}, {kernel[1]}\n"
            f"strides = {strides[0]}, {strides[1]}\npadding = {'same' if same else 'valid'}\n")
    return (text, *size(same, (h, w), kernel, strides))


def size(same, image, kernel, strides):
    if same:
        return tuple(-(-i // s) for i, s in zip(image, strides))
    return tuple(-(-(i - k + 1) // s) for i, k, s in zip(image, kernel, strides))


def network(rng):
    h, w, layers = rng.randint(1, 20), rng.randint(1, 20), []
    shape = f"{h}, {w}, {rng.choice(CHANNELS[:12])}"
    for i in range(rng.randint(1, 4)):
        text, h, w = (pooling if i > 0 and rng.random() < 0.3 else convolution)(rng, h, w)
        layers.append(f"[layer.l{i}]\n{text}")
    layers.append("[layer.flat]\ntype = flatten\n")
    for i in range(rng.randint(1, 2)):
        layers.append(f"[layer.d{i}]\ntype = dense\nunits = {rng.choice(CHANNELS + [10, 100, 129])}\n"
                      f"activation = {rng.choice(FUNCTIONS)}\n")
    return (f"[data]\nfile = none.h5\n[model]\ninput_shape = {shape}\n{''.join(layers)}"
            "[compile]\nloss = mean_squared_error\noptimizer = sgd\n"
            f"[engine]\nmicro_batch = {rng.choice([1, 2, 3, 8, 8, 11])}\n"
            f"[output]\ndirectory = none\n")


def main():
    folder.mkdir(parents=True, exist_ok=True)
    ini, checked = folder / "network.ini", 0
    for i in range(count):
        rng = random.Random(1000003 * seed + i)
        ini.write_text(network(rng))
        for engine in (["kernels=fast"], ["kernels=portable", "convolution=direct"],
                       ["kernels=portable", "isa=scalar"]):
            command = [trainer, "bench", "--verify", "-c", ini]
            for key in engine:
                command += ["--set", f"engine.{key}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode != 0 or "all right" not in done.stdout:
                print(f"network {i} of seed {seed}, {engine}: exit code {done.returncode}\n"
                      f"{ini.read_text()}\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
                return 1
            checked += int(done.stdout.rsplit("\n", 2)[-2].split()[0])
    print(f"{count} networks, {checked} operations, all right")
    return 0


sys.exit(main())
