"""training.py -- a random loss with targets and outputs that fit it, metrics, an optimizer with settings, a schedule; in both languages."""
import keras
import numpy as np
from vocabulary import class_of, text

# loss: (kind of targets, last activations)
LOSSES = {
    "sparse_categorical_crossentropy": ("classes", ["softmax"]),
    "categorical_crossentropy": ("one_hot", ["softmax"]),
    "categorical_focal_crossentropy": ("one_hot", ["softmax"]),
    "kl_divergence": ("one_hot", ["softmax"]),
    "binary_crossentropy": ("several", ["sigmoid"]),
    "binary_focal_crossentropy": ("several", ["sigmoid"]),
    "categorical_hinge": ("one_hot", ["linear", "tanh"]),
    "hinge": ("signs", ["tanh", "linear"]),
    "squared_hinge": ("signs", ["tanh", "linear"]),
    "poisson": ("counts", ["softplus"]),
    "mean_squared_error": ("values", ["linear", "tanh"]),
    "mean_absolute_error": ("values", ["linear"]),
    "mean_absolute_percentage_error": ("away", ["linear"]),
    "mean_squared_logarithmic_error": ("counts", ["softplus", "sigmoid"]),
    "huber": ("values", ["linear"]),
    "log_cosh": ("values", ["linear"]),
    "cosine_similarity": ("values", ["linear"]),
}
METRICS = {
    "classes": ["accuracy"],
    "one_hot": ["categorical_accuracy", "mean_squared_error", "mean_absolute_error"],
    "several": ["binary_accuracy", "mean_squared_error"],
}
VALUES = ["mean_squared_error", "mean_absolute_error"]
RATES = {"sgd": (1e-3, 5e-2), "adadelta": (1e-2, 1.0), "adagrad": (1e-3, 5e-2), "ftrl": (1e-3, 5e-2), "lion": (1e-5, 1e-3)}


class ScheduleFree(getattr(keras.optimizers, "ScheduleFreeAdamW", keras.optimizers.AdamW)):
    """As Keras writes it; on TensorFlow its `momentum_old` is the variable itself, which has changed by the time it is read."""

    def update_step(self, gradient, variable, learning_rate):
        i, t = self._get_variable_index(variable), float(self.iterations) + 1
        z, v = self._momentums[i], self._velocities[i]
        g, w, old = (np.asarray(a) for a in (gradient, variable, z))
        v.assign(np.asarray(v) + (g * g - np.asarray(v)) * (1 - self.beta_2))
        z.assign(old - float(learning_rate) * g / (np.sqrt(np.asarray(v) / (1 - self.beta_2**t)) + self.epsilon))
        x = (w - (1 - self.beta_1) * old) / self.beta_1
        variable.assign((1 - self.beta_1) * np.asarray(z) + self.beta_1 * ((1 - 1 / t) * x + np.asarray(z) / t))


class Muon(getattr(keras.optimizers, "Muon", keras.optimizers.AdamW)):
    """Keras's takes the root of two integers in float32, which TensorFlow does not multiply with float64."""

    def lr_adjust(self, x):
        if self.rms_rate is None:
            return x
        return x * float(max(x.shape[0], x.shape[1])) ** 0.5 * self.rms_rate


OWN = {"schedule_free_adamw": ScheduleFree, "muon": Muon}
ScheduleFree.__name__ = "ScheduleFreeAdamW"  # in files


class Training:
    def __init__(self, words, rng):
        self.words, self.rng = words, rng
        self.loss = self.one(*(name for name in words.losses if name in LOSSES))
        self.kind, activations = LOSSES[self.loss]
        self.activation = self.one(*activations)
        self.units = self.one(*((2, 3, 5, 10, 17) if self.kind in ("classes", "one_hot") else (1, 2, 3, 7)))
        if self.loss == "cosine_similarity":
            self.units = max(2, self.units)  # of one number it is the sign: its gradient is rounding
        self.loss_keys, self.keys, self.schedule = {}, {}, {}
        self.draw_loss(words.losses[self.loss])
        self.metrics = sorted({self.one(*METRICS.get(self.kind, VALUES)) for _ in range(int(rng.integers(0, 3)))})
        self.optimizer = self.one(*words.optimizers)
        self.draw_optimizer(words.optimizers[self.optimizer])

    def one(self, *of):
        return of[self.rng.integers(len(of))]

    def chance(self, share):
        return self.rng.random() < share

    def draw_loss(self, word):
        if word.has("from_logits") and self.chance(0.3):
            self.loss_keys["from_logits"], self.activation = True, "linear"
        for key, values in (("label_smoothing", (0.1, 0.25)), ("delta", (0.5, 2.0)), ("gamma", (1.0, 3.0)), ("alpha", (0.4, 0.1)), ("apply_class_balancing", (True,))):
            if word.has(key) and self.chance(0.3):
                self.loss_keys[key] = self.one(*values)

    def draw_optimizer(self, word):
        low, high = RATES.get(self.optimizer, (1e-4, 1e-2))
        rate = float("%.3g" % np.exp(self.rng.uniform(np.log(low), np.log(high))))
        if self.chance(0.2):
            self.draw_schedule(rate)
        else:
            self.keys["learning_rate"] = rate
        for key, values in (("momentum", (0.5, 0.9)), ("nesterov", (True,)), ("amsgrad", (True,)), ("centered", (True,)), ("rho", (0.8, 0.95)), ("beta_1", (0.8, 0.95)), ("beta_2", (0.95, 0.99)),
                            ("epsilon", (1e-3, 1e-2)), ("l1_regularization_strength", (0.01,)), ("l2_regularization_strength", (0.01,)), ("beta", (0.1,))):
            share = 0.7 if key == "epsilon" else 0.3
            if word.has(key) and self.chance(share):
                self.keys[key] = self.one(*values)
        if "nesterov" in self.keys and "momentum" not in self.keys:
            self.keys["momentum"] = 0.9
        if self.chance(0.25):
            key = self.one(*(k for k in ("clipnorm", "global_clipnorm", "clipvalue") if k in self.words.every_optimizer))
            self.keys[key] = self.one(0.05, 0.5, 2.0)
        if "weight_decay" in self.words.every_optimizer and self.chance(0.2):
            self.keys["weight_decay"] = self.one(0.01, 0.1)
        if "gradient_accumulation_steps" in self.words.every_optimizer and self.chance(0.08):
            self.keys["gradient_accumulation_steps"] = 2

    def draw_schedule(self, rate):
        self.schedule = self.one(
            ("exponential_decay", dict(initial_learning_rate=rate, decay_steps=3, decay_rate=0.7, staircase=self.chance(0.5))),
            ("inverse_time_decay", dict(initial_learning_rate=rate, decay_steps=2, decay_rate=0.5)),
            ("polynomial_decay", dict(initial_learning_rate=rate, decay_steps=4, end_learning_rate=rate / 10, power=self.one(1.0, 2.0))),
            ("piecewise_constant_decay", dict(boundaries=(1, 3), values=(rate, rate / 2, rate / 4))),
            ("cosine_decay", dict(initial_learning_rate=rate / 5, decay_steps=5, warmup_target=rate, warmup_steps=2)),
            ("cosine_decay_restarts", dict(initial_learning_rate=rate, first_decay_steps=3)),
        )

    # ---- data ----

    def targets(self, rng, n):
        if self.kind == "classes":
            return rng.integers(0, self.units, n).astype("i4")
        if self.kind == "one_hot":
            return np.eye(self.units, dtype="f4")[rng.integers(0, self.units, n)]
        shape = (n, self.units)
        if self.kind == "several":
            return rng.integers(0, 2, shape).astype("f4")
        if self.kind == "signs":
            return (2 * rng.integers(0, 2, shape) - 1).astype("f4")
        if self.kind == "counts":
            return rng.integers(0, 4, shape).astype("f4")
        values = rng.standard_normal(shape).astype("f4")
        return values + np.sign(values) if self.kind == "away" else values

    def for_keras(self, y):
        return y

    # ---- in both languages ----

    def ini(self):
        lines = ["[compile]", "loss = " + self.loss, "optimizer = " + self.optimizer, "metrics = " + ", ".join(self.metrics)]
        lines += ["", "[loss]"] * bool(self.loss_keys) + ["%s = %s" % (k, text(v)) for k, v in self.loss_keys.items()]
        lines += ["", "[optimizer]"] + ["%s = %s" % (k, text(v)) for k, v in self.keys.items()]
        if self.schedule:
            lines += ["", "[learning_rate]", "schedule = " + self.schedule[0]] + ["%s = %s" % (k, text(v)) for k, v in self.schedule[1].items()]
        return "\n".join(lines) + "\n"

    def said_again(self):
        """Settings that Keras leaves out of its files."""
        return ["loss.delta=%g" % self.loss_keys["delta"]] if "delta" in self.loss_keys else []

    def compile(self, model):
        keys = dict(self.keys)
        if self.schedule:
            name, settings = self.schedule
            lists = {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
            keys["learning_rate"] = class_of(keras.optimizers.schedules, name)(**lists)
        optimizer = (OWN.get(self.optimizer) or class_of(keras.optimizers, self.optimizer))(**keys)
        loss = class_of(keras.losses, self.loss)(**self.loss_keys)
        model.compile(optimizer, loss, metrics=list(self.metrics), run_eagerly=True)

    def our_name(self, name):
        return name

    def as_ours(self, history):
        return history
