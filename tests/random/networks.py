"""networks.py -- a random network: its layers as sections of an INI file, and the same in Keras.

A recipe per type draws keys that fit the shape it gets; a type without a recipe, new in the program, is tried with its defaults. Shapes
are Keras's: (h, w, c) or (n,). Sizes are small and odd, so that a network costs milliseconds and fills no vector.
"""
import keras
import numpy as np
from vocabulary import Call, class_of, for_keras, text

IMAGE_CHANGES = {
    "random_flip", "random_translation", "random_rotation", "random_zoom", "random_crop", "random_shear", "random_contrast", "random_brightness",
    "random_color_degeneration", "random_sharpness", "random_grayscale", "random_invert", "random_erasing",
}
RANDOM = {"dropout", "spatial_dropout2d", "gaussian_noise", "gaussian_dropout", "alpha_dropout"} | IMAGE_CHANGES  # of their own random numbers
MOST = 4000  # numbers of a result


class Layer:
    def __init__(self, name, kind, inputs, keys):
        self.name, self.kind, self.inputs, self.keys = name, kind, inputs, keys


class Network:
    def __init__(self, words, rng, with_randomness):
        self.words, self.rng, self.with_randomness = words, rng, with_randomness
        self.layers, self.shapes, self.unread, self.untried = [], {}, [], set()
        self.input_shape = self.draw_input()
        self.shapes["input"] = self.input_shape
        self.last = "input"
        self.kinds = [k for k in words.layers if with_randomness or k not in RANDOM]

    # ---- drawing ----

    def one(self, *of):
        return of[self.rng.integers(len(of))]

    def number(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def chance(self, share):
        return self.rng.random() < share

    def draw_input(self):
        if self.chance(0.1):
            return (self.number(1, 40),)
        return (self.number(1, 12), self.number(1, 12), self.one(1, 1, 2, 3, 3, 4, 5, 8, 16, 17))

    def activation(self, share=0.7):
        usable = [a for a in self.words.activations if a != "softmax"] if self.chance(0.9) else self.words.activations
        return self.one(*usable) if self.chance(share) else "linear"

    def channels(self):
        return self.one(1, 2, 3, 4, 5, 7, 8, 8, 11, 16, 16, 17, 24)

    def pair(self, low, high):
        a = self.number(low, high)
        return (a, a) if self.chance(0.5) else (a, self.number(low, high))

    # ---- recipes: keys, or None where the shape is none for it ----

    def windows(self, shape, stride=2, size=4):
        h, w, _ = shape
        padding = self.one("valid", "same")
        kernel = self.pair(1, size)
        if padding == "valid":
            kernel = (min(kernel[0], h), min(kernel[1], w))
        return padding, kernel, self.pair(1, stride)

    def conv2d(self, shape):
        padding, kernel, strides = self.windows(shape)
        keys = dict(filters=self.channels(), kernel_size=kernel, strides=strides, padding=padding, activation=self.activation())
        word = self.words.layers["conv2d"]
        if word.has("groups") and self.chance(0.3):
            groups = self.one(*(g for g in range(1, shape[2] + 1) if shape[2] % g == 0))
            keys.update(groups=groups, filters=groups * self.number(1, 3))
        if word.has("dilation_rate") and self.chance(0.25):
            rate = self.pair(1, 3)
            fits = padding == "same" or all((k - 1) * d < s for k, d, s in zip(kernel, rate, shape))
            keys.update(dilation_rate=rate if fits else (1, 1), strides=(1, 1))
        return self.weighted("conv2d", keys)

    def depthwise_conv2d(self, shape):
        padding, kernel, strides = self.windows(shape)
        keys = dict(kernel_size=kernel, strides=(strides[0], strides[0]), padding=padding, depth_multiplier=self.one(1, 1, 2, 3), activation=self.activation())
        return self.weighted("depthwise_conv2d", keys)

    def separable_conv2d(self, shape):
        return self.weighted("separable_conv2d", self.depthwise_conv2d(shape) | dict(filters=self.channels()))

    def conv2d_transpose(self, shape):
        padding, kernel, strides = self.windows(shape)
        keys = dict(filters=self.channels(), kernel_size=kernel, strides=strides, padding=padding, activation=self.activation())
        if self.chance(0.4):  # as much as lets a convolution come back to the source's size
            odd = [k % 2 if padding == "same" else 1 for k in kernel]
            keys["output_padding"] = tuple(self.number(1 - o, st - o) for o, st in zip(odd, strides))
        return self.weighted("conv2d_transpose", keys)

    def max_pooling2d(self, shape):
        padding, kernel, strides = self.windows(shape, 3, 3)
        return dict(pool_size=kernel, strides=strides, padding=padding)

    average_pooling2d = max_pooling2d

    def global_average_pooling2d(self, shape):
        return dict(keepdims=self.chance(0.4))

    global_max_pooling2d = global_average_pooling2d

    def sides(self, most):
        return ((self.number(0, most), self.number(0, most)), (self.number(0, most), self.number(0, most)))

    def zero_padding2d(self, shape):
        return dict(padding=self.sides(2))

    def cropping2d(self, shape):
        h, w, _ = shape
        return dict(cropping=self.sides(1)) if h > 2 and w > 2 else None

    def up_sampling2d(self, shape):
        size = self.pair(1, 3)
        return dict(size=size, interpolation=self.one("nearest", "bilinear")) if np.prod(shape) * size[0] * size[1] < MOST else None

    def reshape(self, shape):
        n = int(np.prod(shape))
        if self.chance(0.2):
            return dict(target_shape=(n,))
        c = self.one(*(d for d in range(1, min(n, 40) + 1) if n % d == 0))
        h = self.one(*(d for d in range(1, min(n // c, 40) + 1) if n // c % d == 0))
        return dict(target_shape=(h, n // c // h, c))

    def permute(self, shape):
        return dict(dims=tuple(int(d) + 1 for d in self.rng.permutation(3))) if len(shape) == 3 else None

    def rescaling(self, shape):
        return dict(scale=round(self.rng.uniform(0.5, 2), 3), offset=round(self.rng.uniform(-1, 1), 3))

    def normalization(self, shape):
        n = self.one(1, shape[-1])
        mean, variance = ([round(float(x), 3) for x in self.rng.uniform(low, 2, n)] for low in (-1, 0.2))
        return dict(mean=mean[0], variance=variance[0]) if n == 1 else dict(mean=mean, variance=variance)

    def dense(self, shape):
        return self.weighted("dense", dict(units=self.channels(), activation=self.activation()))

    def dropout(self, shape):
        return dict(rate=round(self.rng.uniform(0, 0.6), 2))

    spatial_dropout2d = gaussian_dropout = alpha_dropout = dropout

    def gaussian_noise(self, shape):
        return dict(stddev=round(self.rng.uniform(0.1, 1), 2))

    def resizing(self, shape):
        return dict(height=self.number(1, 12), width=self.number(1, 12), interpolation="bilinear")

    def center_crop(self, shape):
        return dict(height=self.number(1, shape[0]), width=self.number(1, shape[1]))

    def random_flip(self, shape):
        return dict(mode=self.one("horizontal", "vertical", "horizontal_and_vertical"))

    def factor(self, most):
        ends = sorted(round(float(x), 2) for x in self.rng.uniform(-most, most, 2))
        return abs(ends[1]) if self.chance(0.5) else tuple(ends)

    def filling(self):
        return dict(fill_mode=self.one("reflect", "wrap", "constant", "nearest"), interpolation=self.one("nearest", "bilinear"), fill_value=self.one(0.0, 0.5))

    def random_translation(self, shape):
        return dict(height_factor=self.factor(0.5), width_factor=self.factor(0.5)) | self.filling()

    random_zoom = random_translation

    def random_rotation(self, shape):
        return dict(factor=self.factor(0.5)) | self.filling()

    def random_shear(self, shape):
        return dict(x_factor=self.one(0.0, 0.4), y_factor=self.one(0.2, (0.1, 0.3))) | self.filling()

    def random_contrast(self, shape):
        return dict(factor=self.one((0.3, 0.3), (0.1, 0.6)), value_range=self.one((0, 255), (-1, 1)))

    def random_brightness(self, shape):
        return dict(factor=self.factor(0.5), value_range=(-1, 1))

    def random_color_degeneration(self, shape):
        return dict(factor=self.one(0.5, (0.2, 1.0)), value_range=(-2, 2)) if shape[2] == 3 else None

    def random_sharpness(self, shape):
        return dict(factor=self.one(1.0, (0.3, 0.8)), value_range=(-2, 2))

    def random_grayscale(self, shape):
        return dict(factor=self.one(0.5, 0.2)) if shape[2] == 3 else None

    def random_invert(self, shape):
        return dict(factor=self.one(0.5, (0.1, 0.9)), value_range=(0, 1))

    def random_erasing(self, shape):
        return dict(factor=self.one(1.0, (0.5, 1.0)), value_range=(-1, 1)) | self.one(dict(), dict(fill_value=0.5, scale=(0.1, 0.5)))

    def random_crop(self, shape):
        """Of the whole: Keras 3.15 does not cut outside of training."""
        return dict(height=shape[0], width=shape[1])

    def batch_normalization(self, shape):
        keys = dict(momentum=self.one(0.9, 0.99, 0.5), epsilon=self.one(1e-3, 1e-2, 0.1), center=self.chance(0.8), scale=self.chance(0.8))
        return self.weighted("batch_normalization", keys)

    def layer_normalization(self, shape):
        return self.weighted("layer_normalization", dict(epsilon=self.one(1e-3, 1e-2, 0.1), center=self.chance(0.8), scale=self.chance(0.8)))

    def group_normalization(self, shape):
        groups = self.one(1, -1, *(g for g in range(1, shape[-1] + 1) if shape[-1] % g == 0))
        return self.weighted("group_normalization", dict(groups=groups, epsilon=self.one(1e-2, 0.1), center=self.chance(0.8), scale=self.chance(0.8)))

    def activation_layer(self, shape):
        return dict(activation=self.one(*self.words.activations))

    def leaky_re_lu(self, shape):
        return dict(negative_slope=self.one(0.3, 0.01, 0.2))

    def elu(self, shape):
        return dict(alpha=self.one(1.0, 0.5, 2.0))

    def re_lu(self, shape):
        return self.one(dict(), dict(max_value=6.0), dict(max_value=1.5, negative_slope=0.1), dict(threshold=0.25), dict(max_value=2.0, threshold=0.5, negative_slope=0.2))

    def prelu(self, shape):
        axes = [(1, 2), (1,), (2,)] if len(shape) == 3 else []
        shared = self.one(None, *axes)
        return self.weighted("prelu", {} if shared is None else dict(shared_axes=shared))

    def weighted(self, kind, keys):
        """What every layer with weights may have: a penalty, a constraint, no bias, no training."""
        word = self.words.layers[kind]
        if word.has("use_bias") and self.chance(0.25):
            keys["use_bias"] = False
        if word.has("trainable") and self.chance(0.1):
            keys["trainable"] = False
        for key in sorted(word.keys):
            if key.endswith("_regularizer") and self.chance(0.1):
                name = self.one("l1", "l2", "l1_l2")
                rate = self.one(0.01, 0.001)
                keys[key] = Call(keras.regularizers, name, **{k: rate for k in (["l1", "l2"] if name == "l1_l2" else [name])})
            elif key.endswith("_constraint") and self.chance(0.07):
                keys[key] = Call(keras.constraints, self.one("non_neg", "max_norm", "unit_norm", "min_max_norm"))
        return {k: v for k, v in keys.items() if word.has(k)}

    # ---- building ----

    def shape_of(self, kind, keys, shapes):
        try:
            with keras.device("cpu"):
                layer = self.make("probe", kind, keys)
                inputs = [keras.KerasTensor((None, *s)) for s in shapes]
                out = layer.compute_output_spec(inputs if len(inputs) > 1 else inputs[0])
            return tuple(int(d) for d in out.shape[1:])
        except (ValueError, TypeError):
            return None

    def make(self, name, kind, keys, **more):
        cls = getattr(keras.layers, self.words.layers[kind].keras)
        return cls(name=name, **{k: for_keras(v) for k, v in keys.items()}, **more)

    def append(self, kind, inputs, keys, most=MOST):
        shapes = [self.shapes[i] for i in inputs]
        shape = self.shape_of(kind, keys, shapes)
        if shape is None or np.prod(shape) > most or np.prod(shape) == 0 or len(shape) not in (1, 3):
            return False
        name = "%s%d" % (kind[:1] + kind.split("_")[-1][:3], len(self.layers))
        self.layers.append(Layer(name, kind, inputs, keys))
        self.unread = [i for i in self.unread if i not in inputs] + [name]
        self.shapes[name] = shape
        self.last = name
        return True

    def draw_single(self):
        kind = self.one(*self.kinds)
        source = self.last if self.chance(0.8) else self.one(*self.shapes)
        shape = self.shapes[source]
        recipe = getattr(self, "activation_layer" if kind == "activation" else kind, None)
        flat = {"dense", "batch_normalization", "layer_normalization", "activation", "reshape", "rescaling", "normalization", "elu", "re_lu", "leaky_re_lu", "prelu"} | RANDOM - IMAGE_CHANGES
        if recipe is None or kind == "flatten":
            if any(k.required for k in self.words.layers[kind].keys.values()):
                self.untried.add(kind)
                return
            keys = {}
        elif len(shape) == 1 and (kind not in flat or kind == "spatial_dropout2d"):
            return
        else:
            keys = recipe(shape)
        if keys is not None:
            self.append(kind, [source], keys)

    def fits(self, a, b, kind):
        if len(a) != len(b):
            return False
        if kind == "concatenate":
            return a[:-1] == b[:-1]
        return a[-1] == b[-1] and all(x == y or 1 in (x, y) for x, y in zip(a, b))

    def draw_merge(self, kind):
        shape = self.shapes[self.last]
        others = [n for n, s in self.shapes.items() if n != self.last and self.fits(shape, s, kind)]
        if not others:
            return False
        inputs = [self.last] + [self.one(*others) for _ in range(self.number(1, 2))]
        order = self.rng.permutation(len(inputs))
        return self.append(kind, [inputs[i] for i in order], {})

    def finish(self, units, activation):
        """Everything that nobody reads flows into the head."""
        ends = list(self.unread) or ["input"]
        for i, name in enumerate(ends):
            if len(self.shapes[name]) == 3:
                small = np.prod(self.shapes[name]) < 300
                self.append("flatten" if small or self.chance(0.5) else "global_average_pooling2d", [name], {}, 10 * MOST)
                ends[i] = self.last
        if len(ends) > 1:
            self.append("concatenate", ends, {}, 100 * MOST)
        self.append("dense", [self.last if len(ends) > 1 else ends[0]], dict(units=units, activation=activation))

    def draw(self, n_layers, units, activation):
        merging = [k for k in ("add", "multiply", "average", "maximum", "concatenate", "subtract", "minimum") if k in self.words.layers]
        self.kinds = [k for k in self.kinds if k not in merging]
        for _ in range(n_layers):
            if not (self.chance(0.25) and self.draw_merge(self.one(*merging))):
                self.draw_single()
        self.finish(units, activation)
        return self

    # ---- in both languages ----

    def ini(self):
        lines = ["[model]", "input_shape = " + text(self.input_shape)]
        before = "input"
        for layer in self.layers:
            lines += ["", "[layer.%s]" % layer.name, "type = " + layer.kind]
            if layer.inputs != [before]:
                lines.append("inputs = " + ", ".join(layer.inputs))
            lines += ["%s = %s" % (k, text(v)) for k, v in layer.keys.items()]
            before = layer.name
        return "\n".join(lines) + "\n"

    def keras(self):
        """With the floats that Keras's floatx says."""
        results = {"input": keras.Input(self.input_shape)}
        for layer in self.layers:
            sources = [results[i] for i in layer.inputs]
            results[layer.name] = self.make(layer.name, layer.kind, layer.keys)(sources if len(sources) > 1 else sources[0])
        return keras.Model(results["input"], results[self.layers[-1].name])
