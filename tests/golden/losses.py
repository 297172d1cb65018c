"""Golden values of losses and metrics: per sample, and the gradient of the mean. NumPy, float64;
losses are cross-checked with PyTorch before they are written.

    /usr/bin/python3 tests/golden/losses.py    # writes losses.h5 beside it

sparse_categorical_crossentropy, the two ways Keras computes it:

    from logits           L = logsumexp(z) - z[label];   gradient of the mean (softmax(z) - t) / n.
                          This is also what a softmax output layer fused with the loss gives.
    from probabilities    q = p / sum(p), then clipped to [1e-7, 1 - 1e-7]; L = -log q[label].
                          The gradient is zero where q was clipped.

Layout of losses.h5: one group per case,

    /from_logits/<case>          logits float32 [n,c], labels int32 [n]
        loss                     float64 [n], per sample
        diff_logits              float64 [n,c]: gradient of mean(loss)
        hits                     int32 [n]: 1 where the first largest logit is the label's
    /from_probabilities/<case>   probabilities float32 [n,c], labels int32 [n],
                                 loss, diff_probabilities, hits in the same way

The other losses, and what is common to all, in every mode:

    /cases/<loss>/<mode>/<case>  mode is logits, probabilities or values; attribute label_smoothing
        pred                     float32 [n,c]
        classes | values         int32 [n] | float32 [n,c]: the targets
        loss                     float64 [n], per sample
        diff                     float64 [n,c]: gradient of mean(loss)
        activated                float64 [n,c], logits only: softmax or sigmoid of them

    /metrics/<metric>/<case>     attribute k
        pred, classes | values   likewise; some rows hold NaN
        value                    float64 [n], per sample; a row with NaN is never right
"""

from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F

EPSILON = 1e-7
SEED = 11


def one_hot(labels, c):
    return np.eye(c)[labels]


def from_logits(logits, labels):
    z = logits.astype(np.float64)
    n, c = z.shape
    z -= z.max(1, keepdims=True)
    total = np.exp(z).sum(1, keepdims=True)
    loss = np.log(total[:, 0]) - z[np.arange(n), labels]
    # For the label p - 1 cancels; minus the sum of the others does not.
    diff = np.exp(z) / total
    diff[np.arange(n), labels] = 0
    diff[np.arange(n), labels] = -diff.sum(1)
    return loss, diff / n


def from_probabilities(probabilities, labels):
    p = probabilities.astype(np.float64)
    n, c = p.shape
    total = p.sum(1, keepdims=True)
    q = p / total
    clipped = np.clip(q, EPSILON, 1 - EPSILON)
    loss = -np.log(clipped[np.arange(n), labels])
    # dL/dq is -1/q at the label, where not clipped; q = p / sum(p) spreads it over the row:
    # dq_j/dp_i = (delta_ij - q_j) / sum(p).
    diff_q = np.where(clipped == q, -one_hot(labels, c) / clipped, 0)
    diff = (diff_q - (diff_q * q).sum(1, keepdims=True)) / total
    return loss, diff / n


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def random_logits(rng, n, c, spread):
    """Logits and labels; about half of the labels are the largest logit's."""
    z = spread * rng.standard_normal((n, c))
    return z, np.where(rng.random(n) < 0.5, z.argmax(1), rng.integers(0, c, n))


def logits_cases(rng):
    def random(n, c, spread):
        return random_logits(rng, n, c, spread)

    extreme = np.where(rng.random((8, 10)) < 0.5, -80.0, 80.0)
    ties = np.zeros((6, 10))
    ties[1] = 3.0
    ties[2, [4, 7]] = 5.0
    ties[3, [4, 7]] = 5.0
    ties[4, 2:] = -80.0
    ties[5, [0, 9]] = 80.0
    one_hot_like = np.full((4, 10), -80.0)
    one_hot_like[[0, 1, 2, 3], [0, 9, 5, 5]] = 80.0
    return {
        "batch_1": random(1, 10, 2.0),
        "batch_16": random(16, 10, 2.0),
        "two_classes": random(5, 2, 1.0),
        "one_class": random(3, 1, 1.0),
        "1000_classes": random(3, 1000, 3.0),
        "large": random(8, 10, 30.0),
        "extreme": (extreme, rng.integers(0, 10, 8)),
        "right_and_wrong_at_80": (one_hot_like, [0, 9, 5, 4]),  # loss 0, 0, 0, 160
        "ties": (ties, [0, 9, 4, 7, 1, 9]),
    }


def probabilities_cases(rng):
    def random(n, c, spread):
        z, labels = random_logits(rng, n, c, spread)
        return softmax(z), labels

    not_normalized, labels = random(6, 10, 1.0)
    not_normalized *= rng.uniform(0.1, 5.0, (6, 1))
    zeros = np.full((5, 10), 0.0)
    zeros[0, 3] = 1.0  # label 3: clipped to 1 - epsilon
    zeros[1, 3] = 1.0  # label 4: clipped to epsilon
    zeros[2, [3, 4]] = 0.5
    zeros[3, [3, 4]] = 0.5  # label 5: clipped, although others are not
    zeros[4, [3, 4]] = [1.0, 1e-9]  # label 4: below epsilon but not zero
    return {
        "batch_1": random(1, 10, 2.0),
        "batch_16": random(16, 10, 2.0),
        "two_classes": random(5, 2, 1.0),
        "not_normalized": (not_normalized, labels),
        "clipped": (zeros, [3, 4, 3, 5, 4]),
        "ties": (np.full((3, 4), 0.25), [0, 1, 3]),
    }


def store(f, kind, name, reference, inputs, labels):
    inputs = np.asarray(inputs, np.float32)
    labels = np.asarray(labels, np.int32)
    loss, diff = reference(inputs, labels)
    group = f.create_group(f"from_{kind}/{name}")
    group[kind] = inputs
    group["labels"] = labels
    group["loss"] = loss
    group[f"diff_{kind}"] = diff
    group["hits"] = (inputs.argmax(1) == labels).astype(np.int32)


# ---- every loss, in every mode: loss(pred, t, smoothing) -> loss [n], gradient of the sum, [n,c]


def smooth_categorical(t, s):
    return t * (1 - s) + s / t.shape[1]


def categorical_logits(z, t, s):
    t = smooth_categorical(t, s)
    z = z - z.max(1, keepdims=True)
    total = np.exp(z).sum(1, keepdims=True)
    loss = (t * (np.log(total) - z)).sum(1)
    return loss, t.sum(1, keepdims=True) * np.exp(z) / total - t


def categorical_probabilities(p, t, s):
    t = smooth_categorical(t, s)
    total = p.sum(1, keepdims=True)
    q = p / total
    clipped = np.clip(q, EPSILON, 1 - EPSILON)
    diff_q = np.where(clipped == q, -t / clipped, 0)
    diff = (diff_q - (diff_q * q).sum(1, keepdims=True)) / total
    return -(t * np.log(clipped)).sum(1), diff


def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), 1 - 1 / (1 + np.exp(-np.abs(z))))


def binary_logits(z, t, s):
    t = t * (1 - s) + s / 2
    loss = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return loss.mean(1), (sigmoid(z) - t) / z.shape[1]


def binary_probabilities(p, t, s):
    t = t * (1 - s) + s / 2
    q = np.clip(p, EPSILON, 1 - EPSILON)
    diff = np.where(q == p, (1 - t) / (1 - q) - t / q, 0)
    return -(t * np.log(q) + (1 - t) * np.log(1 - q)).mean(1), diff / p.shape[1]


def squared_error(p, t, s):
    return ((p - t) ** 2).mean(1), 2 * (p - t) / p.shape[1]


# ---- the same, from PyTorch; Keras's own formulas where PyTorch has others


def torch_categorical_logits(z, t, s):
    return F.cross_entropy(z, t, label_smoothing=s, reduction="none")


def torch_categorical_probabilities(p, t, s):
    q = (p / p.sum(1, keepdim=True)).clip(EPSILON, 1 - EPSILON)
    return -((t * (1 - s) + s / t.shape[1]) * q.log()).sum(1)


def torch_binary_logits(z, t, s):
    t = t * (1 - s) + s / 2
    return F.binary_cross_entropy_with_logits(z, t, reduction="none").mean(1)


def torch_binary_probabilities(p, t, s):
    q = p.clip(EPSILON, 1 - EPSILON)
    return F.binary_cross_entropy(q, t * (1 - s) + s / 2, reduction="none").mean(1)


def torch_squared_error(p, t, s):
    return F.mse_loss(p, t, reduction="none").mean(1)


LOSSES = {
    ("sparse_categorical_crossentropy", "logits"): categorical_logits,
    ("sparse_categorical_crossentropy", "probabilities"): categorical_probabilities,
    ("categorical_crossentropy", "logits"): categorical_logits,
    ("categorical_crossentropy", "probabilities"): categorical_probabilities,
    ("binary_crossentropy", "logits"): binary_logits,
    ("binary_crossentropy", "probabilities"): binary_probabilities,
    ("mean_squared_error", "values"): squared_error,
}


def check_with_torch(name, pred, t, smoothing, reference, loss, diff):
    x = torch.tensor(pred, requires_grad=True)
    value = globals()["torch_" + reference.__name__](x, torch.tensor(t), smoothing)
    value.sum().backward()
    np.testing.assert_allclose(loss, value.detach().numpy(), 1e-9, 1e-12, err_msg=name)
    np.testing.assert_allclose(diff, x.grad.numpy(), 1e-9, 1e-12, err_msg=name)


def soft_rows(rng, n, c):
    t = rng.random((n, c)).astype(np.float32)
    return t / t.sum(1, keepdims=True)


def rows_of(classes, c):
    return one_hot(np.asarray(classes), c).astype(np.float32)


def class_cases(rng, probabilities):
    """name -> predictions, class numbers or rows, label smoothing."""

    def pred(n, c, spread):
        z = spread * rng.standard_normal((n, c))
        return softmax(z) if probabilities else z

    def some(n, c):
        return rng.integers(0, c, n).astype(np.int32)

    cases = {
        "batch_1": (pred(1, 10, 2), some(1, 10), 0),
        "two": (pred(5, 2, 1), some(5, 2), 0),
        "classes": (pred(9, 10, 2), some(9, 10), 0),
        "1000_classes": (pred(2, 1000, 3), some(2, 1000), 0),
        "smoothed_classes": (pred(6, 10, 2), some(6, 10), 0.1),
        "one_hot": (pred(7, 10, 2), rows_of(some(7, 10), 10), 0),
        "soft": (pred(7, 5, 2), soft_rows(rng, 7, 5), 0),
        "smoothed_soft": (pred(7, 5, 2), soft_rows(rng, 7, 5), 0.25),
        "smoothed_whole": (pred(4, 3, 2), rows_of(some(4, 3), 3), 1),
        "1000_soft": (pred(1, 1000, 3), soft_rows(rng, 1, 1000), 0.05),
    }
    if probabilities:
        sure = one_hot(np.array([3, 3, 0]), 10)
        cases["zeros_and_ones"] = (sure, np.int32([3, 4, 9]), 0)
        cases["zeros_and_ones_rows"] = (sure, rows_of([3, 4, 9], 10), 0)
        cases["zeros_and_ones_smoothed"] = (sure, rows_of([3, 4, 9], 10), 0.2)
        scaled = pred(6, 4, 1) * rng.uniform(0.1, 5.0, (6, 1))
        cases["not_normalized"] = (scaled, some(6, 4), 0)
        cases["not_normalized_soft"] = (scaled, soft_rows(rng, 6, 4), 0.1)
    else:
        extreme = np.where(rng.random((8, 10)) < 0.5, -80.0, 80.0)
        cases["extreme"] = (extreme, some(8, 10), 0)
        cases["extreme_soft"] = (extreme, soft_rows(rng, 8, 10), 0.1)
    return cases


def yes_no_cases(rng, probabilities):
    def pred(n, c, spread):
        z = spread * rng.standard_normal((n, c))
        return sigmoid(z) if probabilities else z

    def some(n, c):
        return rng.integers(0, 2, (n, c)).astype(np.float32)

    both = np.float32([[0], [1], [0], [1], [0.5]])
    ends = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]])
    if not probabilities:
        ends = 160 * ends - 80
    return {
        "batch_1": (pred(1, 1, 2), some(1, 1), 0),
        "one_output": (pred(9, 1, 2), some(9, 1), 0),
        "outputs": (pred(6, 7, 2), some(6, 7), 0),
        "soft": (pred(6, 3, 2), rng.random((6, 3)).astype(np.float32), 0),
        "smoothed": (pred(6, 3, 2), some(6, 3), 0.1),
        "smoothed_whole": (pred(2, 3, 2), some(2, 3), 1),
        "1000_outputs": (pred(1, 1000, 3), some(1, 1000), 0),
        "ends": (ends, both, 0),
        "ends_smoothed": (ends, both, 0.2),
    }


def value_cases(rng):
    def pair(n, c, spread):
        pred = spread * rng.standard_normal((n, c))
        return pred, (pred + rng.standard_normal((n, c))).astype(np.float32), 0

    exact = rng.standard_normal((3, 2)).astype(np.float32)
    return {
        "batch_1": pair(1, 1, 1),
        "one_output": pair(9, 1, 3),
        "outputs": pair(6, 3, 3),
        "1000_outputs": pair(1, 1000, 3),
        "large": pair(4, 3, 80),
        "exact": (exact, exact, 0),
    }


def store_case(f, loss_name, mode, name, pred, targets, smoothing):
    pred = np.asarray(pred, np.float32)
    n, c = pred.shape
    group = f.create_group(f"cases/{loss_name}/{mode}/{name}")
    group.attrs["label_smoothing"] = float(smoothing)
    group["pred"] = pred
    group["classes" if targets.ndim == 1 else "values"] = targets
    t = (one_hot(targets, c) if targets.ndim == 1 else targets).astype(np.float64)
    reference = LOSSES[loss_name, mode]
    loss, diff = reference(pred.astype(np.float64), t, smoothing)
    check_with_torch(group.name, pred.astype(np.float64), t, smoothing, reference, loss, diff)
    group["loss"] = loss
    group["diff"] = diff / n
    if mode == "logits":
        activation = sigmoid if loss_name.startswith("binary") else softmax
        group["activated"] = activation(pred.astype(np.float64))


def store_losses(f, rng):
    for loss_name, mode in LOSSES:
        if loss_name == "mean_squared_error":
            cases = value_cases(rng)
        elif loss_name == "binary_crossentropy":
            cases = yes_no_cases(rng, mode == "probabilities")
        else:
            cases = class_cases(rng, mode == "probabilities")
        for name, case in cases.items():
            if loss_name.startswith("sparse") and (case[1].ndim > 1 or case[2] > 0):
                continue
            store_case(f, loss_name, mode, name, *case)


# ---- metrics, per sample


def binary_accuracy(pred, t, k):
    return (((pred > 0.5) == (t == 1)) & ((t == 0) | (t == 1)) & ~np.isnan(pred)).mean(1)


def categorical_accuracy(pred, t, k):
    return (pred.argmax(1) == t.argmax(1)) & ~np.isnan(pred).any(1)


def top_k_accuracy(pred, t, k):
    """Keras's: the class's prediction is not below the k-th largest."""
    own = np.take_along_axis(pred, t.argmax(1)[:, None], 1)[:, 0]
    return (own >= np.sort(pred, 1)[:, -k]) & ~np.isnan(pred).any(1)


def mean_squared(pred, t, k):
    return ((pred - t) ** 2).mean(1)


def mean_absolute(pred, t, k):
    return np.abs(pred - t).mean(1)


def metric_cases(rng):
    def with_nan(pred, *places):
        pred = np.array(pred)
        for place in places:
            pred[place] = np.nan
        return pred

    def some(n, c):
        return rng.integers(0, c, n).astype(np.int32)

    plain = softmax(rng.standard_normal((12, 10)))
    labels = np.where(rng.random(12) < 0.5, plain.argmax(1), some(12, 10)).astype(np.int32)
    ties = np.zeros((6, 4))
    ties[1:3, [1, 2]] = 0.5
    ties[3:, 3] = 0.25
    tie_labels = np.int32([0, 1, 2, 3, 0, 2])
    nan_rows = with_nan(np.tile([0.1, 0.7, 0.1, 0.1], (6, 1)), (0, 1), (1, 0), (2, 3), (3, 2))
    nan_rows[4] = np.nan
    nan_labels = np.int32([1, 1, 1, 0, 0, 1])
    yes = rng.random((9, 1))
    yes[:2] = 0.5  # no: not above
    yes_targets = rng.integers(0, 2, (9, 1)).astype(np.float32)
    many = rng.random((5, 7))
    many_targets = rng.integers(0, 2, (5, 7)).astype(np.float32)
    nan_yes = np.array([[np.nan], [np.nan], [0.7], [0.2]])
    nan_yes_targets = np.float32([[0], [1], [1], [0]])
    half_nan = with_nan(np.full((2, 2), 0.2), (0, 0))
    return {
        "binary_accuracy": {
            "one_output": (yes, yes_targets, 0),
            "outputs": (many, many_targets, 0),
            "soft_targets": (many[:2], np.full((2, 7), 0.5, np.float32), 0),
            "nan": (nan_yes, nan_yes_targets, 0),
            "half_nan": (half_nan, np.zeros((2, 2), np.float32), 0),
        },
        "categorical_accuracy": {
            "one_hot": (plain, rows_of(labels, 10), 0),
            "soft": (plain, soft_rows(rng, 12, 10), 0),
            "ties": (ties, rows_of(tie_labels, 4), 0),
            "nan": (nan_rows, rows_of(nan_labels, 4), 0),
        },
        "sparse_categorical_accuracy": {
            "classes": (plain, labels, 0),
            "ties": (ties, tie_labels, 0),
            "nan": (nan_rows, nan_labels, 0),
        },
        "top_k_categorical_accuracy": {
            "k_1": (plain, rows_of(labels, 10), 1),
            "k_3": (plain, rows_of(labels, 10), 3),
            "ties": (ties, rows_of(tie_labels, 4), 2),
            "nan": (nan_rows, rows_of(nan_labels, 4), 3),
        },
        "sparse_top_k_categorical_accuracy": {
            "k_1": (plain, labels, 1),
            "k_5": (plain, labels, 5),
            "ties": (ties, tie_labels, 2),
            "nan": (nan_rows, nan_labels, 3),
        },
        "mean_squared_error": {
            "one_output": (yes, yes_targets, 0),
            "outputs": (many, many_targets, 0),
            "classes": (ties, tie_labels, 0),
            "nan": (nan_yes, nan_yes_targets, 0),
        },
        "mean_absolute_error": {
            "one_output": (yes, yes_targets, 0),
            "outputs": (many, many_targets, 0),
            "classes": (ties, tie_labels, 0),
            "nan": (nan_yes, nan_yes_targets, 0),
        },
    }


METRICS = {
    "binary_accuracy": binary_accuracy,
    "categorical_accuracy": categorical_accuracy,
    "sparse_categorical_accuracy": categorical_accuracy,
    "top_k_categorical_accuracy": top_k_accuracy,
    "sparse_top_k_categorical_accuracy": top_k_accuracy,
    "mean_squared_error": mean_squared,
    "mean_absolute_error": mean_absolute,
}


def check_top_k_with_torch(pred, t, k):
    """As Keras's torch backend computes it, where no NaN is."""
    x, target = torch.tensor(pred), torch.tensor(t.argmax(1))[:, None]
    kept = torch.topk(x, k).values
    right = (torch.take_along_dim(x, target, -1) >= kept).any(-1).numpy()
    fine = ~np.isnan(pred).any(1)
    assert (right == top_k_accuracy(pred, t, k))[fine].all()


def store_metrics(f, rng):
    for metric, cases in metric_cases(rng).items():
        for name, (pred, targets, k) in cases.items():
            pred = np.asarray(pred, np.float32)
            group = f.create_group(f"metrics/{metric}/{name}")
            group.attrs["k"] = k
            group["pred"] = pred
            group["classes" if targets.ndim == 1 else "values"] = targets
            wide = pred.astype(np.float64)
            t = one_hot(targets, pred.shape[1]) if targets.ndim == 1 else targets
            t = t.astype(np.float64)
            if k > 0:
                check_top_k_with_torch(wide, t, k)
            group["value"] = METRICS[metric](wide, t, k).astype(np.float64)


def main():
    rng = np.random.default_rng(SEED)
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="latest") as f:
        for name, case in logits_cases(rng).items():
            store(f, "logits", name, from_logits, *case)
        for name, case in probabilities_cases(rng).items():
            store(f, "probabilities", name, from_probabilities, *case)
        rng = np.random.default_rng(SEED + 1)  # what stands above stays as it was
        store_losses(f, rng)
        store_metrics(f, rng)


if __name__ == "__main__":
    main()
