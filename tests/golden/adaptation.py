"""What adapt() of Keras's Normalization finds: tests/engine/test_adaptation.c.

    python tests/golden/adaptation.py    # keras 3.15, tensorflow-cpu 2.21; writes adaptation.h5 beside it

The images are those of whitening.h5, of which the first 30 are the training samples, pixel / 255 the input. /images: mean and variance [3]
of them; /pooled: of the maxima of 2 x 2; /result [40,9,7,3]: what a layer adapted on the 30 makes of all.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
from pathlib import Path

import h5py
import keras
import numpy as np

here = Path(__file__)
with h5py.File(here.with_name("whitening.h5")) as f:
    pixels = f["images"][()].astype(np.float32) / np.float32(255)
pooled = pixels[:, :8, :6].reshape(40, 4, 2, 3, 2, 3).max((2, 4))
with h5py.File(here.with_suffix(".h5"), "w", libver="earliest") as f:
    for name, values in [("images", pixels), ("pooled", pooled)]:
        layer = keras.layers.Normalization()
        layer.adapt(values[:30])
        f[f"{name}/mean"] = np.array(layer.mean, np.float32).ravel()
        f[f"{name}/variance"] = np.array(layer.variance, np.float32).ravel()
        if name == "images":
            f["result"] = np.array(layer(values), np.float32)
