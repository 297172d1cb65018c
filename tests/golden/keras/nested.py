"""A body among the layers of a model, as fine-tuning in Keras leaves it: nested_v<version>.h5, .weights.h5.

    python tests/golden/keras/nested.py    # keras 3.15.1; 2.15 writes the .h5 alone

Sequential([Input((8, 8, 2)), body, Flatten, Dense(3, "head")]); body: Conv2D(4, "c1"), BatchNormalization("b1"),
Conv2D(5, "c2"). In the .h5 all weights of the body are listed as the layer "body", the trained ones before the others.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
try:
    import keras
except ImportError:
    from tensorflow import keras

keras.utils.set_random_seed(17)
layers = keras.layers
body = keras.Sequential(
    [
        layers.Conv2D(4, 3, name="c1"),
        layers.BatchNormalization(name="b1"),
        layers.Conv2D(5, 3, activation="relu", name="c2"),
    ],
    name="body",
)
model = keras.Sequential([keras.Input((8, 8, 2)), body, layers.Flatten(), layers.Dense(3, name="head")])
model.compile("sgd", "mse")
here = Path(__file__).parent
model.save(here / f"nested_v{keras.__version__}.h5")
if keras.__version__ >= "3":
    model.save_weights(here / f"nested_v{keras.__version__}.weights.h5")
