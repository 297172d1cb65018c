"""graph.py FORMAT -- a small network with shortcuts, every merging layer, normalisations and a frozen layer, as the Keras of this
Python writes it: graph_v<version>.<FORMAT>, h5 or keras; and what it predicts: graph_v<version>_io.h5 (kept: that of 3.15.1; they agree within 1e-6). Weights are numbers of their
own, so that one in another's place is seen: the layers side by side have the same shapes."""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py  # noqa: E402
import numpy as np  # noqa: E402

try:
    import tf_keras as keras
except ImportError:
    import keras

L = keras.layers


def network():
    entry = keras.Input((9, 7, 3), name="in")
    third = L.Conv2D(4, 1, name="third")
    main = L.BatchNormalization(momentum=0.9, name="b1")(L.Conv2D(4, 3, padding="same", use_bias=False, name="c1")(entry))
    main = L.ReLU(name="r1")(main)
    total = L.Add(name="total")([main, L.Conv2D(4, 1, trainable=False, name="short")(entry)])
    left, right = L.Conv2D(4, 1, activation="tanh", name="left")(total), L.Conv2D(4, 1, name="right")(total)
    most = L.Maximum(name="most")([right, left])
    mean = L.Average(name="mean")([L.Multiply(name="product")([most, main]), total, third(entry)])
    joined = L.Concatenate(name="joined")([L.GroupNormalization(2, name="gn")(mean), L.LayerNormalization(name="ln")(mean), entry])
    vector = L.Concatenate(name="vector")([L.GlobalMaxPooling2D(name="top")(joined), L.GlobalAveragePooling2D(name="middle")(joined)])
    return keras.Model(entry, L.Dense(3, activation="softmax", name="out")(L.BatchNormalization(name="b2")(vector)), name="graph")


model = network()
for layer in model.layers:
    r = np.random.RandomState(sum(map(ord, layer.name)))
    layer.set_weights([np.abs(r.standard_normal(w.shape)) + 0.5 if k == 3 else 0.4 * r.standard_normal(w.shape) for k, w in enumerate(layer.get_weights())])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
name = "graph_v" + keras.__version__
model.save(name + "." + sys.argv[1])
x = np.random.RandomState(1).standard_normal((5, 9, 7, 3)).astype("f4")
with h5py.File(name + "_io.h5", "w") as f:
    f["x"], f["y_pred"] = x, model.predict(x, verbose=0)
