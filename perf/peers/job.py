"""The job that an INI file of trainer describes, read for its peers: network, optimizer, scale.

Knows no framework; NumPy is needed for the images alone. Read are the sections that decide about
the work: [data] scale, [model], [layer.*], [compile], [optimizer]; images, batch and number of
epochs are for `perf/compare` to say, [engine] and [output] are trainer's own affair. What has no
counterpart in every peer is refused, so that two programs never do different jobs unnoticed. That
the file is right as a whole is for `trainer check` to say.
"""

import configparser
from dataclasses import dataclass


class Refused(Exception):
    """This job cannot be done here; the text says why."""


# ---- the file ----


def read_ini(path, overrides=()):
    """The sections as {name: {key: text}}, in file order; an override is SECTION.KEY=VALUE."""
    ini = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    ini.optionxform = str
    try:
        with open(path, encoding="utf-8-sig") as file:
            ini.read_file(file)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise Refused(str(error)) from error
    sections = {name: dict(ini[name]) for name in ini.sections()}
    for override in overrides:
        place, equals, value = override.partition("=")
        section, dot, key = place.rpartition(".")
        if not (equals and dot):
            raise Refused(f"--set {override}: is not SECTION.KEY=VALUE")
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
    return text.lower() in ("true", "yes", "on", "1")


# ---- layers ----


@dataclass
class Layer:
    """`sources`: numbers of the values it reads; value 0 is the image, value i + 1 the result of
    layer i. `keys`: its settings, parsed, every default filled in."""

    name: str
    type: str
    sources: list
    activation: str
    keys: dict


WINDOW = {"pool_size": (pair, "2"), "strides": (pair, None), "padding": (str, "valid")}
TYPES = {
    "conv2d": {"filters": (int, ""), "kernel_size": (pair, ""), "strides": (pair, "1"),
               "padding": (str, "valid"), "use_bias": (truth, "true")},
    "depthwise_conv2d": {"kernel_size": (pair, ""), "strides": (pair, "1"),
                         "padding": (str, "valid"), "use_bias": (truth, "true")},
    "max_pooling2d": WINDOW,
    "average_pooling2d": WINDOW,
    "global_average_pooling2d": {},
    "batch_normalization": {"momentum": (float, "0.99"), "epsilon": (float, "0.001")},
    "activation": {},
    "add": {},
    "flatten": {},
    "dense": {"units": (int, ""), "use_bias": (truth, "true")},
}
ACTIVATIONS = ("linear", "relu", "relu6", "tanh")


def read_layer(name, section, before, numbers):
    where, keys = f"[layer.{name}]", dict(section)
    kind, activation = keys.pop("type", None), keys.pop("activation", "linear")
    if kind not in TYPES:
        raise Refused(f"{where} type = {kind}: only {', '.join(TYPES)} have a counterpart")
    inputs = [source.strip() for source in keys.pop("inputs", before).split(",")]
    unknown = [source for source in inputs if source not in numbers]
    if unknown:
        raise Refused(f"{where} inputs: no layer {unknown[0]} stands above")
    settings = {}
    for key, (parse, default) in TYPES[kind].items():
        text = keys.pop(key, default)
        if text == "":
            raise Refused(f"{where} {key} is missing")
        settings[key] = None if text is None else parse(text)
    if keys:
        raise Refused(f"{where} {', '.join(keys)}: no counterpart")
    if "pool_size" in settings:
        settings["strides"] = settings["strides"] or settings["pool_size"]
    return Layer(name, kind, [numbers[source] for source in inputs], activation, settings)


def read_layers(ini):
    layers, numbers, before = [], {"input": 0}, "input"
    for section, keys in ini.items():
        if section.startswith("layer."):
            before = section[len("layer.") :]
            layers.append(read_layer(before, keys, layers[-1].name if layers else "input", numbers))
            numbers[before] = len(layers)
    if not layers or (layers[-1].type, layers[-1].activation) != ("dense", "softmax"):
        raise Refused("the last layer must be dense with activation = softmax")
    for layer in layers[:-1]:
        if layer.activation not in ACTIVATIONS:
            raise Refused(f"[layer.{layer.name}] activation = {layer.activation}: only"
                          f" {', '.join(ACTIVATIONS)} and a final softmax have a counterpart")
    layers[-1].activation = "linear"  # the loss takes logits, in every peer
    return layers


# ---- the optimizer ----


def first_rate(schedule):
    """Of a schedule its first rate: it costs nothing, and speed is measured over few epochs."""
    return schedule.get("initial_learning_rate") or schedule["values"].split(",")[0]


OPTIMIZERS = {
    "adam": {"learning_rate": (float, "0.001"), "beta_1": (float, "0.9"),
             "beta_2": (float, "0.999"), "epsilon": (float, "1e-7")},
    "sgd": {"learning_rate": (float, "0.01"), "momentum": (float, "0"),
            "nesterov": (truth, "false"), "weight_decay": (float, "0")},
}


def read_optimizer(ini):
    """Its name and its settings, under Keras's names."""
    name, texts = ini.get("compile", {}).get("optimizer"), dict(ini.get("optimizer", {}))
    if name not in OPTIMIZERS:
        raise Refused(f"[compile] optimizer: only {', '.join(OPTIMIZERS)} have a counterpart")
    if "learning_rate" in ini:
        texts["learning_rate"] = first_rate(ini["learning_rate"])
    settings = {key: parse(texts.pop(key, default))
                for key, (parse, default) in OPTIMIZERS[name].items()}
    if texts:
        raise Refused(f"[optimizer] {', '.join(texts)}: no counterpart")
    return name, settings


# ---- the whole ----


@dataclass
class Job:
    scale: float
    input_shape: tuple  # height, width, channels
    layers: list
    optimizer: str
    settings: dict  # of the optimizer

    @property
    def n_classes(self):
        return self.layers[-1].keys["units"]


def read_job(path, overrides=()):
    """Defaults are trainer's."""
    ini = read_ini(path, overrides)
    try:
        if ini["compile"]["loss"] != "sparse_categorical_crossentropy":
            raise Refused("[compile] loss: only sparse_categorical_crossentropy has a counterpart")
        return Job(
            ratio(ini["data"].get("scale", "1")),
            tuple(int(n) for n in ini["model"]["input_shape"].split(",")),
            read_layers(ini),
            *read_optimizer(ini),
        )
    except KeyError as error:
        raise Refused(f"{path}: the key or section {error} is missing") from error
    except (Refused, ValueError) as error:
        raise Refused(f"{path}: {error}") from error


def load_images(job, path, part):
    """Images, scaled float32 [n,h,w,c], and labels int32 [n], of part 'train' or 'test'."""
    import numpy as np

    with np.load(path) as arrays:
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    x = x.reshape(-1, *job.input_shape).astype(np.float32)
    x *= np.float32(job.scale)
    return x, y.astype(np.int32)
