"""How real Keras trains with class weights and sample weights: what fit() and evaluate() report.

    python tests/golden/weights_trace.py    # keras 3.15, tensorflow-cpu 2.21; writes weights_trace.h5

The file is the dataset itself, of 37 training, 23 validation and 19 test images of 2 x 3 x 1:

    x_train, x_validation, x_test     float32
    y_..., hot_..., yes_...           class numbers, one-hot rows, 0 or 1
    w_train, w_validation, w_test     float32, sample weights, zeros among them
    cases/<case>                      attributes data, config: keys of [data]; what is behind
        names                         attribute of `history`: what its columns are
        history                       float64 [epochs, columns]
        test                          float64 [columns / 2]: evaluate(), in the order of the first
        kernel, bias                  float32, behind the last step

One dense layer from zeros, plain SGD, batches of 10 in the order of the file, three epochs.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py
import keras
import numpy as np

rng = np.random.default_rng(18)
PARTS = {"train": 37, "validation": 23, "test": 19}
DATA = {}
for part, n in PARTS.items():
    y = rng.choice(4, n, p=[0.5, 0.25, 0.15, 0.1]).astype(np.int32)
    DATA["x_" + part] = (rng.standard_normal((n, 2, 3, 1)) + 0.5 * y[:, None, None, None]).astype(np.float32)
    DATA["y_" + part] = y
    DATA["hot_" + part] = np.eye(4, dtype=np.float32)[y]
    DATA["yes_" + part] = (y > 0).astype(np.float32)[:, None]
    DATA["w_" + part] = np.round(rng.uniform(0, 3, n), 2).astype(np.float32)
    DATA["w_" + part][::7] = 0

counts = np.bincount(DATA["y_train"])
BALANCED = len(DATA["y_train"]) / (4 * counts)
FOUR = [0.5, 1.0, 2.0, 3.5]
SOFTMAX, SIGMOID = ("softmax", 4), ("sigmoid", 1)
SPARSE, HOT, YES = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"
# case: targets, last layer, loss, metrics, weighted metrics, class weights as Keras and we take them, sample weights
CASES = {
    "classes": ("y", SOFTMAX, SPARSE, ["accuracy"], ["accuracy"], FOUR, "0.5, 1, 2, 3.5", False),
    "balanced": ("y", SOFTMAX, SPARSE, ["accuracy"], ["sparse_categorical_crossentropy"], BALANCED, "balanced", False),
    "rows": ("hot", SOFTMAX, HOT, ["auc"], ["auc", "mse"], FOUR, "0.5, 1, 2, 3.5", False),
    "yes_no": ("yes", SIGMOID, YES, ["accuracy", "precision"], ["recall"], [1.0, 3.0], "1, 3", False),
    "samples": ("y", SOFTMAX, SPARSE, ["accuracy"], ["accuracy"], None, "", True),
    "samples_of_rows": ("hot", SOFTMAX, "huber", ["mae"], ["mae", "f1_score"], None, "", True),
}


def metric(name):
    return keras.metrics.F1Score(average="macro") if name == "f1_score" else name


def run(f, name, targets, last, loss, metrics, weighted, class_weight, ours, samples):
    model = keras.Sequential(
        [keras.Input((2, 3, 1)), keras.layers.Flatten(), keras.layers.Dense(last[1], activation=last[0], kernel_initializer="zeros", name="d")]
    )
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=[metric(m) for m in metrics], weighted_metrics=[metric(m) for m in weighted])

    def part(p):
        return (DATA["x_" + p], DATA[targets + "_" + p]) + ((DATA["w_" + p],) if samples else ())

    x, y, *w = part("train")
    history = model.fit(
        x, y, batch_size=10, epochs=3, shuffle=False, verbose=0, sample_weight=w[0] if w else None,
        class_weight=None if class_weight is None else dict(enumerate(class_weight)), validation_data=part("validation"), validation_batch_size=10,
    ).history
    x, y, *w = part("test")
    test = model.evaluate(x, y, batch_size=10, sample_weight=w[0] if w else None, verbose=0, return_dict=True)
    names = [n for n in history if not n.startswith("val_")]
    group = f.create_group("cases/" + name)
    keys = "".join("y_%s = %s_%s\n" % (p, targets, p) for p in PARTS)
    keys += "".join("sample_weight_%s = w_%s\n" % (p, p) for p in PARTS) if samples else ""
    group.attrs["data"] = keys
    group.attrs["config"] = (
        "[layer.d]\ntype = dense\nunits = %d\nactivation = %s\nkernel_initializer = zeros\n[compile]\nloss = %s\noptimizer = sgd\nmetrics = %s\n"
        "weighted_metrics = %s\n[optimizer]\nlearning_rate = 0.1\n[fit]\nbatch_size = 10\nepochs = 3\nshuffle = no\n%s[evaluate]\nbatch_size = 10\n"
        % (last[1], last[0], loss, ", ".join(metrics), ", ".join(weighted), "class_weight = %s\n" % ours if ours else "")
    )
    columns = names + ["val_" + n for n in names]
    group["history"] = np.array([[history[c][e] for c in columns] for e in range(3)])
    group["history"].attrs["names"] = ",".join(columns)
    group["test"] = np.array([test[n] for n in names])
    group["kernel"], group["bias"] = model.get_layer("d").get_weights()
    print(name, columns, group["history"][-1])


def main():
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="latest") as f:
        for name, values in DATA.items():
            f[name] = values
        for name, case in CASES.items():
            run(f, name, *case)


if __name__ == "__main__":
    main()
