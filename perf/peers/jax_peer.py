"""JAX by hand, as a peer of trainer (serve.py). Needs jax and NumPy.

No library on top: parameters as a list of dictionaries, the network as a function, one jitted step
that picks its batch, computes loss and gradient, and updates, with its buffers donated. Channels
last throughout. Poolings whose windows do not overlap are a reshape and a maximum or mean, which
XLA's CPU backend differentiates far faster than reduce_window.

--variant hand. Threads: XLA takes its number from XLA_FLAGS and the CPUs that perf/compare leaves.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from serve import Work, arguments, serve, timed

# ---- parameters: of each layer what is trained, and its moving statistics ----


def make_weights(layer, shape, random):
    """For a source of that shape (without the batch)."""
    keys, weights, statistics = layer.keys, {}, {}
    if layer.type in ("conv2d", "dense"):
        size = (*keys.get("kernel_size", ()), shape[-1])
        n = keys.get("filters") or keys.get("units")
        fan_in, fan_out = int(np.prod(size)), int(np.prod(size[:-1], initial=1)) * n
        limit = np.sqrt(6 / (fan_in + fan_out))
        weights["w"] = random.uniform(-limit, limit, (*size, n)).astype(np.float32)
        if keys["use_bias"]:
            weights["b"] = np.zeros(n, np.float32)
    elif layer.type == "depthwise_conv2d":
        size = (*keys["kernel_size"], 1, shape[-1])
        limit = np.sqrt(6 / (np.prod(size[:2]) * (1 + shape[-1])))
        weights["w"] = random.uniform(-limit, limit, size).astype(np.float32)
        if keys["use_bias"]:
            weights["b"] = np.zeros(shape[-1], np.float32)
    elif layer.type == "batch_normalization":
        one, zero = np.ones(shape[-1], np.float32), np.zeros(shape[-1], np.float32)
        weights, statistics = {"gamma": one, "beta": zero}, {"mean": zero, "variance": one}
    return weights, statistics


# ---- layers ----


def pool(layer, x):
    size, strides = layer.keys["pool_size"], layer.keys["strides"]
    largest, (n, h, w, c) = layer.type == "max_pooling2d", x.shape
    if size == strides and (layer.keys["padding"] == "valid" or h % size[0] == w % size[1] == 0):
        rows, columns = h // size[0], w // size[1]
        x = x[:, : rows * size[0], : columns * size[1]]
        x = x.reshape(n, rows, size[0], columns, size[1], c)
        return x.max((2, 4)) if largest else x.mean((2, 4))
    window = partial(lax.reduce_window, window_dimensions=(1, *size, 1),
                     window_strides=(1, *strides, 1), padding=layer.keys["padding"].upper())
    if largest:
        return window(x, -jnp.inf, lax.max)
    return window(x, 0.0, lax.add) / window(jnp.ones_like(x), 0.0, lax.add)


def normalize(layer, weights, statistics, x, training):
    mean, variance, moving = statistics["mean"], statistics["variance"], statistics
    if training:
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axes)
        variance = jnp.square(x).mean(axes) - jnp.square(mean)
        keep = layer.keys["momentum"]
        moving = {"mean": keep * statistics["mean"] + (1 - keep) * lax.stop_gradient(mean),
                  "variance": keep * statistics["variance"]
                  + (1 - keep) * lax.stop_gradient(variance)}
    scale = weights["gamma"] * lax.rsqrt(variance + layer.keys["epsilon"])
    return x * scale + (weights["beta"] - mean * scale), moving


def convolve(layer, w, x, groups=1):
    return lax.conv_general_dilated(x, w, layer.keys["strides"], layer.keys["padding"].upper(),
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                                    feature_group_count=groups)


def apply_layer(layer, weights, statistics, sources, training):
    """Its result and its statistics from now on."""
    x = sources[0]
    if layer.type == "conv2d":
        x = convolve(layer, weights["w"], x)
    elif layer.type == "depthwise_conv2d":
        x = convolve(layer, weights["w"], x, groups=x.shape[-1])
    elif layer.type == "dense":
        x = x @ weights["w"]
    elif layer.type in ("max_pooling2d", "average_pooling2d"):
        x = pool(layer, x)
    elif layer.type == "global_average_pooling2d":
        x = x.mean((1, 2))
    elif layer.type == "flatten":
        x = x.reshape(len(x), -1)
    elif layer.type == "add":
        x = sum(sources)
    elif layer.type == "batch_normalization":
        x, statistics = normalize(layer, weights, statistics, x, training)
    if "b" in weights:
        x = x + weights["b"]
    functions = {"relu": jax.nn.relu, "relu6": jax.nn.relu6, "tanh": jnp.tanh}
    return functions.get(layer.activation, lambda x: x)(x), statistics


def network(layers, weights, statistics, x, training):
    values, moved = [x], []
    for layer, own, moving in zip(layers, weights, statistics):
        sources = [values[number] for number in layer.sources]
        value, moving = apply_layer(layer, own, moving, sources, training)
        values.append(value)
        moved.append(moving)
    return values[-1], moved


def build_weights(job):
    random, all_weights, all_statistics = np.random.default_rng(0), [], []
    shapes = [job.input_shape]
    for layer in job.layers:
        weights, statistics = make_weights(layer, shapes[layer.sources[0]], random)
        sources = [jax.ShapeDtypeStruct((1, *shapes[n]), jnp.float32) for n in layer.sources]
        result = jax.eval_shape(
            lambda *xs: apply_layer(layer, weights, statistics, xs, False)[0], *sources)
        shapes.append(result.shape[1:])
        all_weights.append(weights)
        all_statistics.append(statistics)
    return jax.tree.map(jnp.asarray, (all_weights, all_statistics))


# ---- the optimizer: slots are two trees like the weights' ----


def update(job, step, weights, slots, gradients):
    s, rate = job.settings, job.settings["learning_rate"]
    if job.optimizer == "sgd":
        velocity = jax.tree.map(lambda v, g: s["momentum"] * v - rate * g, slots[0], gradients)

        def move(w, v, g):
            ahead = s["momentum"] * v - rate * g if s["nesterov"] else v
            return w - rate * s["weight_decay"] * w + ahead

        return jax.tree.map(move, weights, velocity, gradients), (velocity, slots[1])
    b1, b2 = s["beta_1"], s["beta_2"]
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, slots[0], gradients)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, slots[1], gradients)
    corrected = rate * jnp.sqrt(1 - b2**step) / (1 - b1**step)
    weights = jax.tree.map(lambda w, m, v: w - corrected * m / (jnp.sqrt(v) + s["epsilon"]),
                           weights, m, v)
    return weights, (m, v)


# ---- epochs ----


def losses(outputs, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), labels[:, None], 1).sum()


def make_train_step(job):
    def loss(weights, statistics, x, labels):
        outputs, moved = network(job.layers, weights, statistics, x, True)
        return losses(outputs, labels) / len(x), (outputs, moved)

    @partial(jax.jit, donate_argnums=0)
    def step(state, x, y, rows):
        number, weights, statistics, slots, sums = state
        labels = y[rows]
        (value, (outputs, statistics)), gradients = jax.value_and_grad(loss, has_aux=True)(
            weights, statistics, x[rows], labels)
        weights, slots = update(job, number + 1, weights, slots, gradients)
        hits = (outputs.argmax(1) == labels).sum()
        return number + 1, weights, statistics, slots, sums + jnp.stack([value * len(rows), hits])

    return step


def make_work(job, mode, batch, x, y):
    jax.clear_caches()
    weights, statistics = build_weights(job)
    n_parameters = sum(w.size for w in jax.tree.leaves(weights))
    n = len(x)
    if mode == "train":
        step, random = make_train_step(job), np.random.default_rng(0)
        x, y = jnp.asarray(x), jnp.asarray(y)
        zeros = jax.tree.map(jnp.zeros_like, (weights, weights))
        state = [jnp.float32(0), weights, statistics, zeros, jnp.zeros(2)]

        def train():
            state[4] = jnp.zeros(2)
            order = random.permutation(n)
            for start in range(0, n, batch):
                state[:] = step(tuple(state), x, y, order[start : start + batch])
            return tuple(np.asarray(state[4]) / n)

        return Work(timed(train), n_parameters)

    @jax.jit
    def measure(sums, images, labels):
        outputs, _ = network(job.layers, weights, statistics, images, False)
        hits = (outputs.argmax(1) == labels).sum()
        return sums + jnp.stack([losses(outputs, labels), hits])

    starts = range(0, n, batch)
    batches = [(jnp.asarray(x[i : i + batch]), jnp.asarray(y[i : i + batch])) for i in starts]

    def evaluate():
        sums = jnp.zeros(2)
        for images, labels in batches:
            sums = measure(sums, images, labels)
        return tuple(np.asarray(sums) / n)

    return Work(timed(evaluate), n_parameters)


if __name__ == "__main__":
    arguments(("hand",))
    serve({"jax": jax.__version__}, make_work)
