"""What real Keras says of its metrics for whole sets of samples, weighted or not.

    python tests/golden/metrics_keras.py    # keras 3.15, tensorflow-cpu 2.21; writes metrics_keras.h5

Keras computes in float64, from float32 predictions and targets, in two updates.

    /results/<case>     attribute config: [compile] and [metric.NAME] as trainer reads them
        pred            float32 [n,c]
        classes | values    int32 [n] | float32 [n,c]: the targets
        weights         float32 [n]; used where config says weighted_metrics
        result          float64 [1]
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np

keras.backend.set_floatx("float64")
M = keras.metrics

rng = np.random.default_rng(17)
N = 23


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def answers(c, logits=False):
    """Outputs that are right more often than not."""
    t = rng.integers(0, 2, (N, c)).astype(np.float32)
    z = 2 * t - 1 + 1.5 * rng.standard_normal((N, c))
    return (z if logits else sigmoid(z)).astype(np.float32), t


def classes(c):
    t = rng.integers(0, c, N)
    return softmax(rng.standard_normal((N, c)) + 1.5 * np.eye(c)[t]).astype(np.float32), np.eye(c, dtype=np.float32)[t]


def numbers(c):
    t = np.abs(rng.standard_normal((N, c))) + 0.1
    return (t * rng.uniform(0.5, 1.5, (N, c))).astype(np.float32), t.astype(np.float32)


def edges():
    """On thresholds, at both ends, and beyond them."""
    p = np.tile([0.0, 1.0, 0.5, 0.25, 1e-8, 1 - 1e-7, 0.9999, -0.2, 1.3], 3)[:N].astype(np.float32)
    return p[:, None], rng.integers(0, 2, (N, 1)).astype(np.float32)


# case: metric of Keras, of trainer, its keys, predictions and targets
CASES = {}


def case(name, theirs, ours, data, loss="mean_squared_error", **keys):
    for weighted in (False, True):
        CASES[name + ("_weighted" if weighted else "")] = (theirs, ours, data, loss, weighted, keys)


for curve in ("ROC", "PR"):
    for method in ("interpolation", "minoring", "majoring"):
        keys = dict(curve=curve, summation_method=method)
        case("auc_%s_%s" % (curve, method), M.AUC, "auc", answers(1), **keys)
    case("auc_%s_edges" % curve, M.AUC, "auc", edges(), num_thresholds=5, curve=curve)
    case("auc_%s_labels" % curve, M.AUC, "auc", answers(3), multi_label=True, curve=curve, num_thresholds=20)
    case("auc_%s_together" % curve, M.AUC, "auc", classes(4), curve=curve)
case("auc_logits", M.AUC, "auc", answers(2, True), from_logits=True)
case("auc_two_thresholds", M.AUC, "auc", answers(1), num_thresholds=2)
case("auc_one_kind", M.AUC, "auc", (answers(1)[0], np.ones((N, 1), np.float32)))
case("auc_pr_one_kind", M.AUC, "auc", (answers(1)[0], np.zeros((N, 1), np.float32)), curve="PR")
for theirs, ours in (
    (M.TruePositives, "true_positives"),
    (M.FalsePositives, "false_positives"),
    (M.TrueNegatives, "true_negatives"),
    (M.FalseNegatives, "false_negatives"),
):
    case("decisions_" + ours, theirs, ours, answers(2))
    case("decisions_%s_at_7" % ours, theirs, ours, answers(1), thresholds=0.7)
for theirs, ours in ((M.Precision, "precision"), (M.Recall, "recall")):
    case("decisions_" + ours, theirs, ours, answers(1))
    case("decisions_%s_classes" % ours, theirs, ours, classes(5))
    case("decisions_%s_class_2" % ours, theirs, ours, classes(5), class_id=2)
    case("decisions_%s_top_2" % ours, theirs, ours, classes(5), top_k=2)
    case("decisions_%s_top_2_of_class_1" % ours, theirs, ours, classes(5), top_k=2, class_id=1, thresholds=0.3)
    case("decisions_%s_at_03" % ours, theirs, ours, answers(3), thresholds=0.3)
    case("decisions_%s_of_none" % ours, theirs, ours, (answers(1)[0] * 0, np.zeros((N, 1), np.float32)))
    tied = (np.full((N, 4), 0.25, np.float32), classes(4)[1])
    case("decisions_%s_ties" % ours, theirs, ours, tied, top_k=2)
for average in ("micro", "macro", "weighted"):
    case("f_%s" % average, M.F1Score, "f1_score", classes(4), average=average)
    case("f_%s_threshold" % average, M.F1Score, "f1_score", answers(3), average=average, threshold=0.4)
    case("f_beta_%s" % average, M.FBetaScore, "fbeta_score", classes(3), average=average, beta=2.0)
case("f_one_output", M.F1Score, "f1_score", answers(1), average="macro", threshold=0.5)
case("f_ties", M.F1Score, "f1_score", (np.full((N, 4), 0.25, np.float32), classes(4)[1]), average="macro")
case("f_zeros", M.F1Score, "f1_score", (np.zeros((N, 4), np.float32), classes(4)[1]), average="micro")
case("rmse_one", M.RootMeanSquaredError, "root_mean_squared_error", numbers(1))
case("rmse_several", M.RootMeanSquaredError, "rmse", numbers(4))
case("accuracy_binary", M.BinaryAccuracy, "binary_accuracy", answers(3))
case("accuracy_binary_at_7", M.BinaryAccuracy, "binary_accuracy", answers(2), threshold=0.7)
case("accuracy_categorical", M.CategoricalAccuracy, "categorical_accuracy", classes(4))
for theirs, ours, data, keys in (
    (M.MeanSquaredError, "mse", numbers(3), {}),
    (M.MeanAbsoluteError, "mae", numbers(3), {}),
    (M.MeanAbsolutePercentageError, "mape", numbers(3), {}),
    (M.MeanSquaredLogarithmicError, "msle", numbers(3), {}),
    (M.LogCoshError, "logcosh", numbers(3), {}),
    (M.CosineSimilarity, "cosine_similarity", numbers(3), {}),
    (M.Poisson, "poisson", numbers(2), {}),
    (M.KLDivergence, "kld", classes(4), {}),
    (M.Hinge, "hinge", answers(2, True), {}),
    (M.SquaredHinge, "squared_hinge", answers(2, True), {}),
    (M.CategoricalHinge, "categorical_hinge", classes(4), {}),
    (M.BinaryCrossentropy, "binary_crossentropy", answers(2), dict(label_smoothing=0.1)),
    (M.BinaryCrossentropy, "bce", answers(2, True), dict(from_logits=True)),
    (M.CategoricalCrossentropy, "categorical_crossentropy", classes(4), dict(label_smoothing=0.2)),
):
    case("loss_" + ours + ("_logits" if keys.get("from_logits") else ""), theirs, ours, data, **keys)
for ours, function, data, keys in (
    ("huber", keras.losses.huber, numbers(3), dict(delta=0.3)),
    ("binary_focal_crossentropy", keras.losses.binary_focal_crossentropy, answers(2), dict(gamma=1.5)),
    ("categorical_focal_crossentropy", keras.losses.categorical_focal_crossentropy, classes(4), dict(alpha=0.6)),
):
    case("loss_" + ours, lambda function=function, **k: M.MeanMetricWrapper(function, **k), ours, data, **keys)


def main():
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="latest") as f:
        for name, (theirs, ours, (pred, values), loss, weighted, keys) in CASES.items():
            weights = rng.uniform(0, 3, N).astype(np.float32)
            weights[4] = 0
            metric = theirs(**keys)
            for part in (slice(0, 10), slice(10, N)):
                w = weights[part].astype(np.float64) if weighted else None
                metric.update_state(values[part].astype(np.float64), pred[part].astype(np.float64), w)
            result = float(metric.result())
            assert np.isfinite(result), name
            group = f.create_group("results/" + name)
            lines = "".join("%s = %s\n" % (k, str(v).lower() if isinstance(v, bool) else v) for k, v in keys.items())
            group.attrs["config"] = "[compile]\nloss = %s\noptimizer = sgd\n%smetrics = %s\n" % (loss, "weighted_" if weighted else "", ours) + (
                "[metric.%s]\n%s" % (ours, lines) if lines else ""
            )
            group["pred"], group["values"], group["weights"] = pred, values, weights
            group["result"] = [result]
    print(len(CASES))


if __name__ == "__main__":
    main()
