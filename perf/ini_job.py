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
    data, fit = ini.get("data", {}), ini.get("fit", {})
    compiled, settings = ini.get("compile", {}), dict(ini.get("optimizer", {}))
    if compiled.get("loss") != "sparse_categorical_crossentropy":
        refuse(f"{path}: [compile] loss: only sparse_categorical_crossentropy has a counterpart")
    if compiled.get("optimizer") not in OPTIMIZERS:
        refuse(f"{path}: [compile] optimizer: only {', '.join(OPTIMIZERS)} have a counterpart")
    try:
        if "learning_rate" in ini:
            settings["learning_rate"] = first_rate(ini["learning_rate"])
        return SimpleNamespace(
            file=data["file"],
            names={k: data.get(k, k) for k in ("x_train", "y_train", "x_test", "y_test")},
            scale=ratio(data.get("scale", "1")),
            validation_split=float(data.get("validation_split", "0")),
            split_seed=int(data.get("split_seed", "0")),
            input_shape=tuple(int(n) for n in ini["model"]["input_shape"].split(",")),
            layers={n[len("layer.") :]: s for n, s in ini.items() if n.startswith("layer.")},
            optimizer=OPTIMIZERS[compiled["optimizer"]](settings),
            batch_size=int(fit.get("batch_size", "32")),
            shuffle=truth(fit.get("shuffle", "true")),
            evaluate_batch_size=int(ini.get("evaluate", {}).get("batch_size", "32")),
        )
    except KeyError as error:
        refuse(f"{path}: the key or section {error} is missing")
    except ValueError as error:
        refuse(f"{path}: {error}")


# ---- the optimizer ----


def first_rate(schedule):
    """Of a schedule its first rate: it costs nothing, and speed is measured over few epochs."""
    return schedule.get("initial_learning_rate") or schedule["values"].split(",")[0]


def adam(settings):
    """Its class and its arguments."""
    return torch.optim.Adam, {
        "lr": float(settings.pop("learning_rate", "0.001")),
        "betas": (float(settings.pop("beta_1", "0.9")), float(settings.pop("beta_2", "0.999"))),
        "eps": float(settings.pop("epsilon", "1e-7")),
    }


def sgd(settings):
    """PyTorch's weight decay passes through the momentum, which multiplies it; ours does not."""
    momentum = float(settings.pop("momentum", "0"))
    return torch.optim.SGD, {
        "lr": float(settings.pop("learning_rate", "0.01")),
        "momentum": momentum,
        "nesterov": truth(settings.pop("nesterov", "false")),
        "weight_decay": float(settings.pop("weight_decay", "0")) * (1 - momentum),
    }


def known_settings(make):
    def optimizer(settings):
        made = make(settings)
        if settings:
            refuse(f"[optimizer] {', '.join(settings)}: no counterpart here")
        return made

    return optimizer


OPTIMIZERS = {make.__name__: known_settings(make) for make in (adam, sgd)}


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


class Average(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Add(nn.Module):
    inplace = False

    def forward(self, first, *others):
        for other in others:
            first = first.add_(other) if self.inplace else first + other
        return first


class Graph(nn.Module):
    """Modules in order, each with the numbers of the values it reads: value 0 is the image, value
    i + 1 the result of module i."""

    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList()
        self.sources = []

    def append(self, module, sources):
        """The number of its result."""
        self.steps.append(module)
        self.sources.append(sources)
        return len(self.steps)

    def n_readers(self, value):
        return sum(sources.count(value) for sources in self.sources)

    def forward(self, x):
        values = [x]
        for module, sources in zip(self.steps, self.sources):
            values.append(module(*(values[number] for number in sources)))
        return values[-1]


def window_padding(where, padding, size, strides):
    """For odd windows. Of stride 1, `same` has as much padding on both sides, here as there; of
    longer strides an even image is padded on the far side there and on both here: as many windows
    and as much work, over other pixels."""
    if padding == "valid":
        return (0, 0)
    if padding != "same":
        refuse(f"{where} padding = {padding}: must be valid or same")
    if size[0] % 2 == 0 or size[1] % 2 == 0:
        refuse(f"{where} padding = same: only odd windows have a counterpart here")
    return (size[0] // 2, size[1] // 2)


def image_channels(where, x):
    if x.dim() != 4:
        refuse(f"{where} needs an image, but its source is a vector")
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


def global_average_pooling2d(where, keys, x, tuned):
    image_channels(where, x)
    return Average()


def batch_normalization(where, keys, x, tuned):
    return nn.BatchNorm2d(image_channels(where, x), float(keys.pop("epsilon", "0.001")),
                          1 - float(keys.pop("momentum", "0.99")))


def activation(where, keys, x, tuned):
    return nn.Identity()  # layer_modules() adds the function


def add(where, keys, x, tuned):
    return Add()


def flatten(where, keys, x, tuned):
    return FlattenAsStored() if tuned else nn.Flatten()


def dense(where, keys, x, tuned):
    if x.dim() != 2:
        refuse(f"{where} needs a vector; put flatten before it")
    return nn.Linear(x.shape[1], int(keys.pop("units")), truth(keys.pop("use_bias", "true")))


LAYERS = {
    f.__name__: f
    for f in (conv2d, max_pooling2d, global_average_pooling2d, batch_normalization, activation,
              add, flatten, dense)
}


def layer_modules(where, keys, x, tuned, is_last):
    """The modules of one section; x is a sample of what its first source gives."""
    kind, function = keys.pop("type", None), keys.pop("activation", "linear")
    if kind not in LAYERS:
        refuse(f"{where} type = {kind}: only {', '.join(LAYERS)} have a counterpart here")
    if is_last and (kind, function) != ("dense", "softmax"):
        refuse(f"{where} the last layer must be dense with activation = softmax")
    if not is_last and function not in ("linear", "relu"):
        refuse(f"{where} activation = {function}: only linear, relu and a final softmax do here")
    modules = [LAYERS[kind](where, keys, x, tuned)]
    if function == "relu":
        modules.append(nn.ReLU())
    if keys:
        refuse(f"{where} {', '.join(keys)}: unknown here")
    return [module for module in modules if not isinstance(module, nn.Identity)]


def relu_behind_pool(graph):
    """They commute, and behind the pool there is less to do."""
    steps = graph.steps
    for i in range(len(steps) - 1):
        if isinstance(steps[i], nn.ReLU) and isinstance(steps[i + 1], nn.MaxPool2d):
            if graph.sources[i + 1] == [i + 1] and graph.n_readers(i + 1) == 1:
                steps[i], steps[i + 1] = steps[i + 1], steps[i]


def write_in_place(graph):
    """What nobody else reads is overwritten; the images are not."""
    for module, sources in zip(graph.steps, graph.sources):
        if isinstance(module, (nn.ReLU, Add)):
            module.inplace = sources[0] > 0 and graph.n_readers(sources[0]) == 1


def source_names(where, keys, before, known):
    names = [name.strip() for name in keys.pop("inputs", before).split(",")]
    for name in names:
        if name not in known:
            refuse(f"{where} inputs: no layer {name} stands above")
    return names


def build_network(job, tuned):
    """The layers in order, up to the logits: the final softmax is left to the loss."""
    height, width, channels = job.input_shape
    graph = Graph()
    numbers, samples = {"input": 0}, [torch.zeros(1, channels, height, width)]
    before = "input"
    for i, (name, section) in enumerate(job.layers.items()):
        where, keys = f"[layer.{name}]", dict(section)
        sources = [numbers[source] for source in source_names(where, keys, before, numbers)]
        try:
            x = samples[sources[0]]
            for module in layer_modules(where, keys, x, tuned, i == len(job.layers) - 1):
                with torch.no_grad():
                    samples.append(module.eval()(*(samples[number] for number in sources)))
                sources = [graph.append(module.train(), sources)]
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            refuse(f"{where} {error}")
        numbers[name] = sources[0]
        before = name
    if tuned:
        relu_behind_pool(graph)
        write_in_place(graph)
    return graph.to(memory_format=torch.channels_last)
