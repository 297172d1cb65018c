"""Golden values of single layers, forward and backward, made with PyTorch in float64.

    /usr/bin/python3 tests/golden/layers.py    # writes layers.h5 beside it

Inputs and parameters are float32 numbers, so a float32 implementation starts from exactly the
same values; results are computed in float64 and stored as float32. Convolution and pooling use
TensorFlow's rule for `same`: out = ceil(in / stride), the odd row or column of padding comes
last, padding never wins a max-pool and is not counted by an average. All images are channels-last.
Dropout's masks come from the Philox of order.py, at seed 0, update 0, samples 0, 1, ... and the
layer's place in the network that the tests build: 0, or 1 behind the flatten of a flat case.

Layout of layers.h5: one group per case, named as in the tables below, with attributes

    ini           string: the body of the layer's section, "type = conv2d\\nfilters = 7\\n..."
    input_shape   int32 [3] h,w,c or [1] features: one sample, without n
    forward_only  int32, 1 or 0: no gradients stored, because the maximum of a window is tied

and datasets, all float32

    src           [n,h,w,c] or [n,features]
    gamma, beta, moving_mean, moving_variance
                  of a frozen batch_normalization: constants
    kernel, bias  as Keras stores them: HWIO or [in,out]; only where the layer has them
    dst           what the layer answers, its activation included
    diff_dst      a random gradient of dst
    diff_src, diff_kernel, diff_bias    gradient of sum(dst * diff_dst)

Random inputs are drawn until no gradient hangs on a rounding error: the inputs of a max-pool
are all different, and no argument of a ReLU is within 1e-4 of its kink.
"""

from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F

from order import philox

SEED = 7
KINK_MARGIN = 1e-4

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x: torch.softmax(x, -1),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "hard_sigmoid": lambda x: torch.clip(x / 6 + 0.5, 0, 1),
    "softplus": F.softplus,
    "swish": F.silu,
}
KINKS = {"relu": [0], "leaky_relu": [0], "selu": [0], "hard_sigmoid": [-3, 3]}

# name: (n, (h, w, c), keys of the layer)
CONV2D = {
    "conv2d_1x1": (2, (5, 7, 3), dict(filters=7, kernel_size="1, 1")),
    "conv2d_1x1_stride2": (2, (6, 5, 16), dict(filters=4, kernel_size="1, 1", strides="2, 2")),
    "conv2d_3x3_valid": (3, (8, 8, 1), dict(filters=7, kernel_size="3, 3")),
    "conv2d_3x3_same": (3, (7, 9, 3), dict(filters=16, kernel_size="3, 3", padding="same")),
    "conv2d_3x3_same_relu": (
        3,
        (6, 6, 16),
        dict(filters=17, kernel_size="3, 3", padding="same", activation="relu"),
    ),
    "conv2d_3x3_valid_sigmoid": (
        1,
        (5, 6, 17),
        dict(filters=3, kernel_size="3, 3", activation="sigmoid"),
    ),
    "conv2d_3x3_same_tanh": (
        2,
        (5, 5, 7),
        dict(filters=16, kernel_size="3, 3", padding="same", activation="tanh"),
    ),
    "conv2d_3x3_same_no_bias": (
        2,
        (6, 7, 3),
        dict(filters=8, kernel_size="3, 3", padding="same", use_bias="false"),
    ),
    "conv2d_3x3_valid_no_bias_relu": (
        1,
        (6, 5, 1),
        dict(filters=1, kernel_size="3, 3", activation="relu", use_bias="false"),
    ),
    "conv2d_3x3_same_stride2_even_input": (
        2,
        (8, 6, 3),
        dict(filters=7, kernel_size="3, 3", strides="2, 2", padding="same"),
    ),
    "conv2d_3x3_same_stride2_odd_input": (
        2,
        (7, 9, 3),
        dict(filters=7, kernel_size="3, 3", strides="2, 2", padding="same"),
    ),
    "conv2d_3x3_same_stride2x1": (
        2,
        (8, 7, 3),
        dict(filters=5, kernel_size="3, 3", strides="2, 1", padding="same", activation="relu"),
    ),
    "conv2d_4x4_same": (2, (7, 6, 3), dict(filters=7, kernel_size="4, 4", padding="same")),
    "conv2d_4x4_same_stride2": (
        2,
        (9, 8, 3),
        dict(filters=16, kernel_size="4, 4", strides="2, 2", padding="same", activation="relu"),
    ),
    "conv2d_4x4_valid_stride2": (
        1,
        (9, 10, 7),
        dict(filters=3, kernel_size="4, 4", strides="2, 2"),
    ),
    "conv2d_5x3_same": (3, (7, 8, 3), dict(filters=7, kernel_size="5, 3", padding="same")),
    "conv2d_5x3_valid_stride2x1": (
        1,
        (9, 6, 16),
        dict(filters=17, kernel_size="5, 3", strides="2, 1", activation="tanh"),
    ),
    "conv2d_2x2_same_stride3": (
        2,
        (8, 7, 3),
        dict(filters=5, kernel_size="2, 2", strides="3, 3", padding="same"),
    ),
    "conv2d_2x2_valid_stride3": (
        3,
        (7, 9, 7),
        dict(filters=16, kernel_size="2, 2", strides="3, 3", activation="relu"),
    ),
    "conv2d_3x3_same_1x1_input": (
        3,
        (1, 1, 16),
        dict(filters=17, kernel_size="3, 3", padding="same", activation="relu"),
    ),
    "conv2d_4x4_same_1x1_input": (
        1,
        (1, 1, 1),
        dict(filters=3, kernel_size="4, 4", padding="same"),
    ),
    "conv2d_whole_input": (2, (4, 4, 17), dict(filters=7, kernel_size="4, 4")),
    "conv2d_reference_conv1": (
        1,
        (28, 28, 1),
        dict(filters=32, kernel_size="3, 3", strides="1, 1", padding="same", activation="relu"),
    ),
    "conv2d_reference_conv2": (
        1,
        (14, 14, 32),
        dict(filters=64, kernel_size="3, 3", strides="1, 1", padding="same", activation="relu"),
    ),
}

# name: (n, (h, w, c), keys, kind of input)
MAX_POOLING2D = {
    "max_pooling2d_2x2": (3, (6, 8, 3), dict(pool_size="2, 2"), "distinct"),
    "max_pooling2d_2x2_odd_input": (2, (7, 5, 16), dict(pool_size="2, 2"), "distinct"),
    "max_pooling2d_2x2_same": (
        2,
        (7, 5, 17),
        dict(pool_size="2, 2", padding="same"),
        "distinct",
    ),
    "max_pooling2d_2x2_stride1_same": (
        1,
        (5, 4, 7),
        dict(pool_size="2, 2", strides="1, 1", padding="same"),
        "distinct",
    ),
    "max_pooling2d_3x3_stride2": (
        2,
        (9, 8, 3),
        dict(pool_size="3, 3", strides="2, 2"),
        "distinct",
    ),
    "max_pooling2d_3x3_stride2_same": (
        2,
        (8, 9, 16),
        dict(pool_size="3, 3", strides="2, 2", padding="same"),
        "distinct",
    ),
    "max_pooling2d_3x2": (3, (9, 6, 1), dict(pool_size="3, 2"), "distinct"),
    "max_pooling2d_2x2_stride3": (
        2,
        (8, 7, 3),
        dict(pool_size="2, 2", strides="3, 3"),
        "distinct",
    ),
    "max_pooling2d_2x2_stride3_same": (
        2,
        (8, 7, 3),
        dict(pool_size="2, 2", strides="3, 3", padding="same"),
        "distinct",
    ),
    "max_pooling2d_negative_same": (
        1,
        (5, 7, 7),
        dict(pool_size="3, 3", strides="2, 2", padding="same"),
        "negative",
    ),
    "max_pooling2d_1x1_input_same": (
        3,
        (1, 1, 16),
        dict(pool_size="2, 2", padding="same"),
        "negative",
    ),
    "max_pooling2d_ties": (2, (6, 6, 3), dict(pool_size="2, 2"), "tied"),
}

# name: (n, shape of a sample, keys)
DENSE = {
    "dense_1": (3, (7,), dict(units=1)),
    "dense_1_sigmoid": (1, (16,), dict(units=1, activation="sigmoid")),
    "dense_10_softmax": (3, (48,), dict(units=10, activation="softmax")),
    "dense_17_relu": (2, (33,), dict(units=17, activation="relu")),
    "dense_17_tanh": (1, (1,), dict(units=17, activation="tanh")),
    "dense_10_no_bias": (3, (17,), dict(units=10, use_bias="false")),
    "dense_10_no_bias_softmax": (2, (5,), dict(units=10, activation="softmax", use_bias="false")),
}

FLATTEN = {
    "flatten": (3, (3, 4, 5), {}),
    "flatten_17_channels": (1, (2, 3, 17), {}),
}

ACTIVATION = {
    "activation_relu": (3, (3, 5, 7), dict(activation="relu")),
    "activation_relu_flat": (2, (17,), dict(activation="relu")),
    "activation_sigmoid": (2, (4, 3, 16), dict(activation="sigmoid")),
    "activation_tanh": (1, (4, 4, 17), dict(activation="tanh")),
    "activation_softmax": (2, (3, 4, 10), dict(activation="softmax")),
    "activation_softmax_flat": (3, (10,), dict(activation="softmax")),
    "activation_linear": (1, (2, 2, 3), dict(activation="linear")),
}

AVERAGE_POOLING2D = {
    "average_pooling2d_2x2": (3, (6, 8, 3), dict(pool_size="2, 2")),
    "average_pooling2d_2x2_odd_input": (2, (7, 5, 16), dict(pool_size="2, 2")),
    "average_pooling2d_2x2_same": (2, (7, 5, 17), dict(pool_size="2, 2", padding="same")),
    "average_pooling2d_4x2_stride1_same": (
        1,
        (5, 4, 7),
        dict(pool_size="4, 2", strides="1, 1", padding="same"),
    ),
    "average_pooling2d_3x3_stride2": (2, (9, 8, 32), dict(pool_size="3, 3", strides="2, 2")),
    "average_pooling2d_3x3_stride2_same": (
        2,
        (8, 9, 16),
        dict(pool_size="3, 3", strides="2, 2", padding="same"),
    ),
    "average_pooling2d_3x2": (3, (9, 6, 1), dict(pool_size="3, 2")),
    "average_pooling2d_2x2_stride3": (2, (8, 7, 3), dict(pool_size="2, 2", strides="3, 3")),
    "average_pooling2d_2x2_stride3_same": (
        2,
        (8, 7, 3),
        dict(pool_size="2, 2", strides="3, 3", padding="same"),
    ),
    "average_pooling2d_1x1_input_same": (3, (1, 1, 16), dict(pool_size="2, 2", padding="same")),
}

GLOBAL_AVERAGE_POOLING2D = {
    "global_average_pooling2d": (2, (5, 7, 3), {}),
    "global_average_pooling2d_keepdims": (3, (4, 4, 17), dict(keepdims="true")),
    "global_average_pooling2d_large": (1, (28, 28, 16), {}),
    "global_average_pooling2d_1x1_input": (1, (1, 1, 10), {}),
}

GLOBAL_MAX_POOLING2D = {
    "global_max_pooling2d": (2, (5, 7, 3), {}, "distinct"),
    "global_max_pooling2d_keepdims": (3, (4, 4, 17), dict(keepdims="true"), "negative"),
    "global_max_pooling2d_large": (1, (28, 28, 16), {}, "distinct"),
    "global_max_pooling2d_1x1_input": (1, (1, 1, 10), {}, "negative"),
    "global_max_pooling2d_ties": (2, (4, 4, 3), {}, "tied"),
}

ZERO_PADDING2D = {
    "zero_padding2d": (2, (3, 4, 5), {}),
    "zero_padding2d_2x0": (1, (2, 3, 16), dict(padding="2, 0")),
    "zero_padding2d_uneven": (3, (5, 3, 1), dict(padding="1, 0, 3, 2")),
    "zero_padding2d_1x1_input": (1, (1, 1, 7), dict(padding="4")),
    "zero_padding2d_none": (2, (3, 2, 3), dict(padding="0")),
}

DROPOUT = {
    "dropout": (3, (7, 6, 5), dict(rate="0.25")),
    "dropout_blocks": (2, (9, 8, 16), dict(rate="0.5")),  # more elements than a block of the mask
    "dropout_flat": (4, (37,), dict(rate="0.9")),
    "dropout_1x1_input": (1, (1, 1, 1), dict(rate="0.1")),
    "dropout_nothing": (2, (3, 2, 3), dict(rate="0")),
}

DENSE_MORE = {
    f"dense_13_{name}": (3, (21,), dict(units=13, activation=name))
    for name in ("leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish")
}
CONV2D_MORE = {
    f"conv2d_3x2_same_{name}": (
        2,
        (5, 6, 4),
        dict(filters=10, kernel_size="3, 2", padding="same", activation=name),
    )
    for name in ("leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish")
}
ACTIVATION_MORE = {
    f"activation_{name}": (2, (4, 3, 11), dict(activation=name), "wide")
    for name in ("leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish")
}

# Frozen: the statistics are constants, and only src gets a gradient.
FROZEN = dict(trainable="false")
BATCH_NORMALIZATION = {
    "batch_normalization": (2, (5, 4, 7), FROZEN),
    "batch_normalization_blocks": (3, (6, 5, 32), FROZEN),
    "batch_normalization_flat": (4, (37,), FROZEN),
    "batch_normalization_1x1_input": (1, (1, 1, 3), dict(FROZEN, epsilon="0.1")),
    "batch_normalization_no_scale": (2, (3, 2, 17), dict(FROZEN, scale="false", momentum="0.5")),
    "batch_normalization_no_center": (2, (2, 3, 16), dict(FROZEN, center="false", epsilon="1e-5")),
    "batch_normalization_1_channel": (3, (4, 5, 1), FROZEN),
    "batch_normalization_statistics_alone": (1, (3, 3, 5), dict(FROZEN, center="false", scale="false")),
}


class NearKink(Exception):
    """A ReLU's argument came too close to zero; draw again."""


def activate(x, keys):
    name = keys.get("activation", "linear")
    for kink in KINKS.get(name, []):
        if (x.detach() - kink).abs().min() < KINK_MARGIN:
            raise NearKink
    return ACTIVATIONS[name](x)


def pair(text):
    a, b = text.split(",")
    return int(a), int(b)


def pad(x, window, strides, padding, value):
    """x [n,c,h,w] with TensorFlow's padding around it."""
    if padding == "valid":
        return x
    amounts = []
    for size, k, s in zip(x.shape[2:], window, strides):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        amounts = [total // 2, total - total // 2] + amounts  # F.pad wants the last axis first
    return F.pad(x, amounts, value=value)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def nchw(x):
    return x.permute(0, 3, 1, 2)


# Each forward takes the tensors src, kernel, bias by name and answers dst.


def conv2d(keys, src, kernel, bias=None):
    window, strides = pair(keys["kernel_size"]), pair(keys.get("strides", "1, 1"))
    x = pad(nchw(src), window, strides, keys.get("padding", "valid"), 0.0)
    return activate(nhwc(F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, strides)), keys)


def max_pooling2d(keys, src):
    window = pair(keys["pool_size"])
    strides = pair(keys.get("strides", keys["pool_size"]))
    x = pad(nchw(src), window, strides, keys.get("padding", "valid"), -np.inf)
    return nhwc(F.max_pool2d(x, window, strides))


def dense(keys, src, kernel, bias=None):
    y = src @ kernel
    return activate(y if bias is None else y + bias, keys)


def flatten(keys, src):
    return src.reshape(len(src), -1)


def activation(keys, src):
    return activate(src, keys)


def average_pooling2d(keys, src):
    window = pair(keys["pool_size"])
    strides = pair(keys.get("strides", keys["pool_size"]))
    padding = keys.get("padding", "valid")
    total = F.avg_pool2d(pad(nchw(src), window, strides, padding, 0.0), window, strides)
    real = F.avg_pool2d(
        pad(torch.ones_like(nchw(src)), window, strides, padding, 0.0), window, strides
    )
    return nhwc(total / real)


def global_average_pooling2d(keys, src):
    return src.mean((1, 2), keepdim=keys.get("keepdims") == "true")


def global_max_pooling2d(keys, src):
    return src.amax((1, 2), keepdim=keys.get("keepdims") == "true")


def zero_padding2d(keys, src):
    p = [int(k) for k in keys.get("padding", "1").split(",")]
    p = p * 4 if len(p) == 1 else [p[0], p[0], p[1], p[1]] if len(p) == 2 else p
    return nhwc(F.pad(nchw(src), (p[2], p[3], p[0], p[1])))


def keeps(sample, layer, element, keep):
    """Whether an element is kept: base/rng.h, tr_random_keeps()."""
    block, at = divmod(element, 512)
    counter = [block * 64 + at % 64, sample, 0, 3 | layer << 8]
    word = philox(counter, [0, 0])[at // 64 % 4]
    return (word >> 16 if at >= 256 else word & 0xFFFF) < keep


def dropout(keys, src):
    rate = float(keys["rate"])
    layer, n = int(src.dim() == 2), src[0].numel()
    keep = round((1 - rate) * 65536)
    mask = [[keeps(i, layer, e, keep) for e in range(n)] for i in range(len(src))]
    return src * torch.tensor(mask).reshape(src.shape) * 65536 / keep  # not 1 - rate: see dropping.c


def batch_normalization(keys, src, moving_mean, moving_variance, gamma=None, beta=None):
    x = nchw(src) if src.dim() == 4 else src
    epsilon = float(keys.get("epsilon", 1e-3))
    y = F.batch_norm(x, moving_mean, moving_variance, gamma, beta, training=False, eps=epsilon)
    return nhwc(y) if src.dim() == 4 else y


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


def source(rng, shape, kind="normal"):
    if kind == "normal":
        return normal(rng, shape)
    if kind == "wide":  # beyond the kinks of all activations
        return 3 * normal(rng, shape)
    count = int(np.prod(shape))
    if kind == "tied":  # few values, and windows that are constant throughout
        x = rng.integers(-1, 2, shape).astype(np.float32)
        x[:, :2, :4] = -0.5
        return x
    x = rng.permutation(count).reshape(shape) / 64 - count / 128
    if kind == "negative":
        x -= x.max() + 1
    return x.astype(np.float32)


def parameters(rng, layer, keys, n_in):
    """Kernels of a size that keeps the outputs near 1, and biases that are visible in them."""
    if layer is batch_normalization:
        names = ["gamma"] * (keys.get("scale") != "false") + ["beta"] * (keys.get("center") != "false")
        values = {name: normal(rng, (n_in,)) for name in names + ["moving_mean"]}
        values["moving_variance"] = np.square(normal(rng, (n_in,))) + np.float32(0.01)
        return values
    if layer not in (conv2d, dense):
        return {}
    if layer is conv2d:
        shape = (*pair(keys["kernel_size"]), n_in, keys["filters"])
    else:
        shape = (n_in, keys["units"])
    kernel = normal(rng, shape) / np.float32(np.sqrt(np.prod(shape[:-1])))
    if keys.get("use_bias") == "false":
        return {"kernel": kernel}
    return {"kernel": kernel, "bias": normal(rng, shape[-1:])}


def run(rng, layer, n, shape, keys, kind="normal"):
    inputs = {"src": source(rng, (n, *shape), kind)}
    inputs.update(parameters(rng, layer, keys, shape[-1]))
    tensors = {k: torch.tensor(a, dtype=torch.float64) for k, a in inputs.items()}
    for t in [tensors["src"]] if layer is batch_normalization else tensors.values():
        t.requires_grad_()
    dst = layer(keys, **tensors)
    arrays = {**inputs, "dst": dst.detach().numpy()}
    if kind != "tied":
        diff_dst = normal(rng, tuple(dst.shape))
        dst.backward(torch.tensor(diff_dst, dtype=torch.float64))
        arrays["diff_dst"] = diff_dst
        arrays.update({f"diff_{k}": t.grad.numpy() for k, t in tensors.items() if t.requires_grad})
    return arrays


def run_away_from_kinks(rng, *case):
    while True:
        try:
            return run(rng, *case)
        except NearKink:
            pass


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    tables = [  # new ones at the end: the numbers are drawn in this order
        (conv2d, CONV2D),
        (max_pooling2d, MAX_POOLING2D),
        (dense, DENSE),
        (flatten, FLATTEN),
        (activation, ACTIVATION),
        (activation, ACTIVATION_MORE),
        (dense, DENSE_MORE),
        (conv2d, CONV2D_MORE),
        (average_pooling2d, AVERAGE_POOLING2D),
        (global_average_pooling2d, GLOBAL_AVERAGE_POOLING2D),
        (zero_padding2d, ZERO_PADDING2D),
        (dropout, DROPOUT),
        (global_max_pooling2d, GLOBAL_MAX_POOLING2D),
        (batch_normalization, BATCH_NORMALIZATION),
    ]
    n_cases = 0
    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        for layer, table in tables:
            for name, (n, shape, keys, *kind) in table.items():
                arrays = run_away_from_kinks(rng, layer, n, shape, keys, *kind)
                group = f.create_group(name)
                lines = [f"type = {layer.__name__}"] + [f"{k} = {v}" for k, v in keys.items()]
                group.attrs["ini"] = "\n".join(lines) + "\n"
                group.attrs["input_shape"] = np.array(shape, np.int32)
                group.attrs["forward_only"] = np.int32("diff_dst" not in arrays)
                for key, a in arrays.items():
                    group[key] = np.ascontiguousarray(a, np.float32)
                n_cases += 1
    print(f"{n_cases} cases")


if __name__ == "__main__":
    main()
