"""vocabulary.py -- what the program says it has, out of `trainer help`; and a value of ours as text and as Keras's object.

    words = Vocabulary("build/release/trainer")
    words.layers["conv2d"].keys["padding"].choices      words.losses, words.optimizers: likewise
"""
import re
import subprocess


class Key:
    def __init__(self, name, doc):
        self.name, self.doc = name, doc
        found = re.search(r"one of ([\w, .]+?)(?: \(|;|$)", doc)  # a long list is cut: "..."
        self.choices = [c for c in found.group(1).split(", ") if c != "..."] if found else []
        default = re.search(r"\(([^()]*(?:\([^()]*\))?[^()]*)\)$", doc)
        self.default = default.group(1) if default else None
        self.required = self.default == "required"


class Word:
    def __init__(self, name, keras):
        self.name, self.keras, self.keys = name, keras, {}

    def has(self, key):
        return key in self.keys


def read(trainer, what):
    """{name: Word} and the keys that all of them have."""
    text = subprocess.run([trainer, "help", what], capture_output=True, text=True, check=True).stdout
    words, every, at = {}, {}, None
    for line in text.splitlines():
        head = re.match(r"(?:type|loss|optimizer) = (\w+)(?: \(.*?\))? -- (.*)$", line)
        key = re.match(r"    (\w+) +(.*)$", line)
        if head:
            keras = re.search(r"; Keras's (\w+)$", head.group(2))
            at = words[head.group(1)] = Word(head.group(1), keras.group(1) if keras else None)
        elif key and at is not None:
            at.keys[key.group(1)] = Key(key.group(1), key.group(2))
        elif key:
            every[key.group(1)] = Key(key.group(1), key.group(2))
        else:
            at = None
    return words, every


class Vocabulary:
    def __init__(self, trainer):
        self.layers, _ = read(trainer, "layers")
        self.losses, _ = read(trainer, "losses")
        self.optimizers, self.every_optimizer = read(trainer, "optimizers")
        metrics = subprocess.run([trainer, "help", "metrics"], capture_output=True, text=True, check=True).stdout
        self.metrics = re.findall(r"^ {4}(\w+)", metrics, re.M)
        self.activations = self.layers["activation"].keys["activation"].choices


def class_of(module, name):
    """schedule_free_adamw -> the class of that module of Keras, or None."""
    for found in dir(module):
        if found.lower() == name.replace("_", "") and isinstance(getattr(module, found), type):
            return getattr(module, found)
    return None


def text(value):
    """As an INI file has it. A Call is a function with arguments."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        flat = [v for pair in value for v in (pair if isinstance(pair, (tuple, list)) else [pair])]
        return ", ".join(text(v) for v in flat)
    return "%.9g" % value if isinstance(value, float) else str(value)


class Call:
    """l2(0.01): one of a module of Keras."""

    def __init__(self, module, name, **arguments):
        self.module, self.name, self.arguments = module, name, arguments

    def __str__(self):
        return "%s(%s)" % (self.name, ", ".join("%s=%s" % (k, text(v)) for k, v in self.arguments.items()))

    def keras(self):
        return class_of(self.module, self.name)(**self.arguments)


def for_keras(value):
    return value.keras() if isinstance(value, Call) else value
