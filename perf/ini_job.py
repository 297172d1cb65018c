"""The job that an INI file of trainer describes, for PyTorch; compare_pytorch.py runs it.

Read are the sections that decide about the work: [data], [model], [layer.*], [compile],
[optimizer], [fit], [evaluate]; [engine] and [output] are trainer's own affair. What this kit has
no counterpart for is refused, so that the two programs never do different jobs unnoticed. That the
file is right as a whole is for `trainer check` to say.
"""

import configparser
import math
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import torch
from torch import nn

TRUE_WORDS = ("true", "yes", "on", "1")


def refuse(reason):
    print(f"compare_pytorch: {reason}", file=sys.stderr)
    sys.exit(2)


# ---- the file ----


def read_ini(path, overrides=()):
    """The sections as {name: {key: text}}, in file order; an override is SECTION.KEY=VALUE."""
    ini = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    ini.optionxform = str
    try:
        with open(path, encoding="utf-8-sig") as file:
            ini.read_file(file)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        refuse(error)
    sections = {name: dict(ini[name]) for name in ini.sections()}
    for override in overrides:
        place, equals, value = override.partition("=")
        section, dot, key = place.rpartition(".")
        if not (equals and dot):
            refuse(f"--set {override}: is not SECTION.KEY=VALUE")
        sections.setdefault(section.strip(), {})[key.strip()] = value.strip()
    return sections


def ratio(text):
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def pair(text):
    """'3, 5' and, for both the same, '3'."""
    numbers = [int(part) for part in text.split(",")]
    return (numbers[0], numbers[-1])


def truth(text):
    return text.lower() in TRUE_WORDS


def read_job(path, overrides=()):
    """All that decides about the work, as attributes. Defaults are trainer's."""
    ini = read_ini(path, overrides)
    data, fit, adam = (ini.get(name, {}) for name in ("data", "fit", "optimizer"))
    wanted = {"loss": "sparse_categorical_crossentropy", "optimizer": "adam"}
    for key, value in wanted.items():
        if ini.get("compile", {}).get(key) != value:
            refuse(f"{path}: [compile] {key}: only {value} has a counterpart here")
    try:
        return SimpleNamespace(
            file=data["file"],
            names={k: data.get(k, k) for k in ("x_train", "y_train", "x_test", "y_test")},
            scale=ratio(data.get("scale", "1")),
            validation_split=float(data.get("validation_split", "0")),
            split_seed=int(data.get("split_seed", "0")),
            input_shape=tuple(int(n) for n in ini["model"]["input_shape"].split(",")),
            layers={n[len("layer.") :]: s for n, s in ini.items() if n.startswith("layer.")},
            learning_rate=float(adam.get("learning_rate", "0.001")),
            betas=(float(adam.get("beta_1", "0.9")), float(adam.get("beta_2", "0.999"))),
            epsilon=float(adam.get("epsilon", "1e-7")),
            batch_size=int(fit.get("batch_size", "32")),
            shuffle=truth(fit.get("shuffle", "true")),
            evaluate_batch_size=int(ini.get("evaluate", {}).get("batch_size", "32")),
        )
    except KeyError as error:
        refuse(f"{path}: the key or section {error} is missing")
    except ValueError as error:
        refuse(f"{path}: {error}")


# ---- the images ----


def training_rows(n, job):
    """Which of n samples are trained on: those that trainer and scikit-learn take."""
    if job.validation_split == 0:
        return np.arange(n)
    n_validation = math.ceil(job.validation_split * n)
    return np.random.RandomState(job.split_seed).permutation(n)[n_validation:]


def load_images(job, part):
    """Images, scaled float32 [n,h,w,c], and labels [n] of part 'train' or 'test'.

    Rows of such a tensor, permuted to [n,c,h,w], are channels_last without being copied."""
    try:
        with h5py.File(job.file, "r") as file:
            x = file[job.names[f"x_{part}"]][:]
            y = file[job.names[f"y_{part}"]][:]
    except (OSError, KeyError) as error:
        refuse(f"{job.file}: {error}")
    if x[:1].size != math.prod(job.input_shape):
        refuse(f"{job.file}: images of shape {x.shape[1:]}, [model] input_shape {job.input_shape}")
    if part == "train":
        rows = training_rows(len(x), job)
        x, y = x[rows], y[rows]
    x = x.reshape(-1, *job.input_shape).astype(np.float32)
    x *= np.float32(job.scale)
    return torch.from_numpy(x), torch.from_numpy(y.reshape(-1).astype(np.int64))


# ---- the network ----


class FlattenAsStored(nn.Module):
    """Flattens a channels_last tensor in the order in which it lies in memory: nothing is moved."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x


def window_padding(where, padding, size, strides):
    if padding == "valid":
        return (0, 0)
    if padding != "same":
        refuse(f"{where} padding = {padding}: must be valid or same")
    if strides != (1, 1) or size[0] % 2 == 0 or size[1] % 2 == 0:
        refuse(f"{where} padding = same: only odd windows of stride 1 have a counterpart here")
    return (size[0] // 2, size[1] // 2)


def image_channels(where, x):
    if x.dim() != 4:
        refuse(f"{where} needs an image, but stands behind flatten")
    return x.shape[1]


def conv2d(where, keys, x, tuned):
    size, strides = pair(keys.pop("kernel_size")), pair(keys.pop("strides", "1"))
    padding = window_padding(where, keys.pop("padding", "valid"), size, strides)
    bias = truth(keys.pop("use_bias", "true"))
    filters = int(keys.pop("filters"))
    return nn.Conv2d(image_channels(where, x), filters, size, strides, padding, bias=bias)


def max_pooling2d(where, keys, x, tuned):
    size = pair(keys.pop("pool_size", "2"))
    strides = pair(keys.pop("strides")) if "strides" in keys else size
    padding = window_padding(where, keys.pop("padding", "valid"), size, strides)
    image_channels(where, x)
    return nn.MaxPool2d(size, strides, padding)


def flatten(where, keys, x, tuned):
    return FlattenAsStored() if tuned else nn.Flatten()


def dense(where, keys, x, tuned):
    if x.dim() != 2:
        refuse(f"{where} needs a vector; put flatten before it")
    return nn.Linear(x.shape[1], int(keys.pop("units")), truth(keys.pop("use_bias", "true")))


LAYERS = {f.__name__: f for f in (conv2d, max_pooling2d, flatten, dense)}


def layer_modules(where, keys, x, tuned, is_last):
    """The modules of one section; x is a sample of what comes in."""
    kind, activation = keys.pop("type", None), keys.pop("activation", "linear")
    if kind not in LAYERS:
        refuse(f"{where} type = {kind}: only {', '.join(LAYERS)} have a counterpart here")
    if is_last and (kind, activation) != ("dense", "softmax"):
        refuse(f"{where} the last layer must be dense with activation = softmax")
    if not is_last and activation not in ("linear", "relu"):
        refuse(f"{where} activation = {activation}: only linear, relu and a final softmax do here")
    modules = [LAYERS[kind](where, keys, x, tuned)]
    if activation == "relu":
        modules.append(nn.ReLU(inplace=tuned))
    if keys:
        refuse(f"{where} {', '.join(keys)}: unknown here")
    return modules


def relu_behind_pool(modules):
    """They commute, and behind the pool there is less to do."""
    for i in range(len(modules) - 1):
        if isinstance(modules[i], nn.ReLU) and isinstance(modules[i + 1], nn.MaxPool2d):
            modules[i], modules[i + 1] = modules[i + 1], modules[i]


def build_network(job, tuned):
    """The layers in order, up to the logits: the final softmax is left to the loss."""
    height, width, channels = job.input_shape
    x = torch.zeros(1, channels, height, width)
    modules = []
    for i, (name, section) in enumerate(job.layers.items()):
        where = f"[layer.{name}]"
        try:
            added = layer_modules(where, dict(section), x, tuned, i == len(job.layers) - 1)
            with torch.no_grad():
                x = nn.Sequential(*added)(x)
        except (KeyError, ValueError, RuntimeError) as error:
            refuse(f"{where} {error}")
        modules += added
    if tuned:
        relu_behind_pool(modules)
    return nn.Sequential(*modules).to(memory_format=torch.channels_last)
