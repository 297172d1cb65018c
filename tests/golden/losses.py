"""Golden values of the losses: per sample, and the gradient of their mean. NumPy, float64.

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
"""

from pathlib import Path

import h5py
import numpy as np

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


def main():
    rng = np.random.default_rng(SEED)
    with h5py.File(Path(__file__).with_suffix(".h5"), "w") as f:
        for name, case in logits_cases(rng).items():
            store(f, "logits", name, from_logits, *case)
        for name, case in probabilities_cases(rng).items():
            store(f, "probabilities", name, from_probabilities, *case)


if __name__ == "__main__":
    main()
