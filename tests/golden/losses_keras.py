"""What real Keras computes for its other losses: per sample, and the gradient of the mean.

    python tests/golden/losses_keras.py    # keras 3.15, tensorflow-cpu 2.21; writes losses_keras.h5

Keras computes in float64, in a graph, as fit() does: there a crossentropy finds the logits behind a
sigmoid. Layout as in losses.h5 (losses.py):

    /cases/<loss>/<mode>/<case>    mode: logits, probabilities or values; settings as attributes
        pred                       float32 [n,c]
        classes | values           int32 [n] | float32 [n,c]: the targets
        loss                       float64 [n], per sample
        diff                       float64 [n,c]: gradient of mean(loss)
        activated                  float64 [n,c], logits only: softmax or sigmoid of them
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")

SEED = 16


def one_hot(labels, c):
    return np.eye(c, dtype=np.float32)[labels]


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def soft_rows(rng, n, c):
    t = rng.random((n, c))
    return (t / t.sum(1, keepdims=True)).astype(np.float32)


def numbers(rng):
    """name -> predictions, targets, settings; of any sign."""

    def pair(n, c, spread):
        pred = spread * rng.standard_normal((n, c))
        return pred, pred + rng.standard_normal((n, c)), {}

    exact = rng.standard_normal((3, 2))
    return {
        "batch_1": pair(1, 1, 1),
        "one_output": pair(9, 1, 3),
        "outputs": pair(6, 3, 3),
        "1000_outputs": pair(1, 1000, 3),
        "large": pair(4, 3, 80),
        "exact": (exact, exact, {}),
    }


def with_zero_targets(rng):
    cases = numbers(rng)
    pred = rng.standard_normal((4, 3))
    return {**cases, "zero_targets": (pred, np.round(pred) * 0, {})}


def from_zero_on(rng):
    cases = {name: (np.abs(p) + 0.01, np.abs(t), s) for name, (p, t, s) in numbers(rng).items()}
    return cases


def from_zero_on_or_below(rng):
    cases = from_zero_on(rng)
    return {**cases, "below_zero": (rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), {})}


def with_delta(rng):
    cases = numbers(rng)
    for name, delta in (("delta_half", 0.5), ("delta_3", 3.0)):
        pred, targets, _ = numbers(rng)["outputs"]
        cases[name] = (pred, targets, dict(delta=delta))
    return cases


def signs(rng):
    def pair(n, c, low, spread=1.0):
        return spread * rng.standard_normal((n, c)), rng.choice([low, 1.0], (n, c)), {}

    return {
        "batch_1": pair(1, 1, -1.0),
        "signs": pair(7, 1, -1.0),
        "several_signs": pair(6, 5, -1.0, 2.0),
        "zeros_and_ones": pair(7, 1, 0.0),
        "several_zeros_and_ones": pair(6, 5, 0.0, 2.0),
        "all_zeros": (rng.standard_normal((3, 2)), np.zeros((3, 2)), {}),
    }


def class_scores(rng):
    def some(n, c):
        return rng.integers(0, c, n).astype(np.int32)

    z = rng.standard_normal((6, 4))
    equal = np.full((3, 4), 0.25)
    return {
        "batch_1": (rng.standard_normal((1, 3)), some(1, 3), {}),
        "classes": (z, some(6, 4), {}),
        "one_hot": (z, one_hot(some(6, 4), 4), {}),
        "soft": (z, soft_rows(rng, 6, 4), {}),
        "far": (20 * z, some(6, 4), {}),
        "probabilities": (softmax(z), some(6, 4), {}),
        "ties": (equal, np.int32([0, 1, 3]), {}),
        "1000_classes": (rng.standard_normal((2, 1000)), some(2, 1000), {}),
    }


def distributions(rng):
    def some(n, c):
        return rng.integers(0, c, n).astype(np.int32)

    def pred(n, c, spread=2.0):
        return softmax(spread * rng.standard_normal((n, c)))

    sure = one_hot([3, 3, 0], 10)
    return {
        "batch_1": (pred(1, 5), some(1, 5), {}),
        "classes": (pred(7, 10), some(7, 10), {}),
        "one_hot": (pred(7, 10), one_hot(some(7, 10), 10), {}),
        "soft": (pred(7, 5), soft_rows(rng, 7, 5), {}),
        "1000_classes": (pred(2, 1000, 3.0), some(2, 1000), {}),
        "zeros_and_ones": (sure, np.int32([3, 4, 9]), {}),
        "not_normalized": (pred(6, 4) * rng.uniform(0.1, 5.0, (6, 1)), soft_rows(rng, 6, 4), {}),
    }


def directions(rng):
    cases = numbers(rng)
    cases["short"] = (1e-9 * rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), {})
    cases["same_direction"] = (3 * cases["outputs"][1], cases["outputs"][1], {})
    return cases


def focal_classes(mode):
    def make(rng):
        def pred(n, c, spread=2.0):
            z = spread * rng.standard_normal((n, c))
            return softmax(z) if mode == "probabilities" else z

        def some(n, c):
            return rng.integers(0, c, n).astype(np.int32)

        cases = {
            "batch_1": (pred(1, 5), some(1, 5), {}),
            "two": (pred(5, 2), some(5, 2), {}),
            "classes": (pred(7, 10), some(7, 10), {}),
            "one_hot": (pred(7, 10), one_hot(some(7, 10), 10), {}),
            "soft": (pred(7, 5), soft_rows(rng, 7, 5), dict(gamma=0.5, alpha=1.0)),
            "smoothed": (pred(6, 5), some(6, 5), dict(label_smoothing=0.1, gamma=3.0)),
            "gamma_0": (pred(6, 5), some(6, 5), dict(gamma=0.0, alpha=0.6)),
            "1000_classes": (pred(2, 1000, 3.0), some(2, 1000), {}),
        }
        if mode == "probabilities":
            cases["zeros_and_ones"] = (one_hot([3, 3, 0], 10), np.int32([3, 4, 9]), {})
            scaled = pred(6, 4) * rng.uniform(0.1, 5.0, (6, 1))
            cases["not_normalized"] = (scaled, soft_rows(rng, 6, 4), {})
        else:
            cases["extreme"] = (np.where(rng.random((8, 10)) < 0.5, -80.0, 80.0), some(8, 10), {})
        return cases

    return make


def focal_answers(mode):
    def make(rng):
        def pred(n, c, spread=2.0):
            z = spread * rng.standard_normal((n, c))
            return sigmoid(z) if mode == "probabilities" else z

        def some(n, c):
            return rng.integers(0, 2, (n, c)).astype(np.float32)

        balanced = dict(apply_class_balancing=True)
        cases = {
            "batch_1": (pred(1, 1), some(1, 1), {}),
            "one_output": (pred(9, 1), some(9, 1), {}),
            "outputs": (pred(6, 7), some(6, 7), balanced),
            "soft": (pred(6, 3), rng.random((6, 3)), dict(gamma=0.5)),
            "smoothed": (pred(6, 3), some(6, 3), dict(label_smoothing=0.1, gamma=3.0)),
            "balanced": (pred(6, 3), some(6, 3), dict(balanced, alpha=0.7, gamma=1.0)),
            "gamma_0": (pred(6, 3), some(6, 3), dict(gamma=0.0)),
            "1000_outputs": (pred(1, 1000, 3.0), some(1, 1000), {}),
        }
        if mode == "logits":
            cases["far"] = (np.array([[-30.0], [30.0], [-30.0], [30.0]]), np.array([[0.0], [1], [1], [0]]), {})
        return cases

    return make


LOSSES = {
    ("mean_absolute_error", "values"): numbers,
    ("mean_absolute_percentage_error", "values"): with_zero_targets,
    ("mean_squared_logarithmic_error", "values"): from_zero_on_or_below,
    ("huber", "values"): with_delta,
    ("log_cosh", "values"): numbers,
    ("poisson", "probabilities"): from_zero_on,  # of any size: positive is what matters
    ("hinge", "values"): signs,
    ("squared_hinge", "values"): signs,
    ("categorical_hinge", "values"): class_scores,
    ("kl_divergence", "probabilities"): distributions,
    ("cosine_similarity", "values"): directions,
    ("binary_focal_crossentropy", "probabilities"): focal_answers("probabilities"),
    ("binary_focal_crossentropy", "logits"): focal_answers("logits"),
    ("categorical_focal_crossentropy", "probabilities"): focal_classes("probabilities"),
    ("categorical_focal_crossentropy", "logits"): focal_classes("logits"),
}


def keras_says(name, pred, targets, settings):
    function = getattr(keras.losses, name)

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(tf.constant(targets), x, **settings)
            mean = tf.reduce_mean(value)
        return value, tape.gradient(mean, x)

    value, diff = run(tf.constant(pred))
    return value.numpy(), diff.numpy()


def store(f, name, mode, case, pred, targets, settings):
    pred, targets = np.asarray(pred, np.float32), np.asarray(targets)
    group = f.create_group("cases/%s/%s/%s" % (name, mode, case))
    numbered = targets.ndim == 1
    targets = targets if numbered else targets.astype(np.float32)
    group["pred"] = pred
    group["classes" if numbered else "values"] = targets
    for key, value in settings.items():
        group.attrs[key] = float(value)
    rows = one_hot(targets, pred.shape[1]) if numbered else targets
    if mode == "logits":
        settings = dict(settings, from_logits=True)
        activation = sigmoid if name.startswith("binary") else softmax
        group["activated"] = activation(pred.astype(np.float64))
    value, diff = keras_says(name, pred.astype(np.float64), rows.astype(np.float64), settings)
    assert np.isfinite(value).all() and np.isfinite(diff).all(), group.name
    group["loss"], group["diff"] = value, diff


def main():
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="latest") as f:
        for number, ((name, mode), cases) in enumerate(LOSSES.items()):
            for case, what in cases(np.random.default_rng((SEED, number))).items():
                store(f, name, mode, case, *what)


if __name__ == "__main__":
    main()
