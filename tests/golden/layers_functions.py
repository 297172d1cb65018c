"""What real Keras answers for activations and for layers that are a function of each element.

    python tests/golden/layers_functions.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_functions.h5

Layout and drawing: keras_layers.py.
"""

import keras
from keras_layers import Case, wide, write

Activation = keras.layers.Activation

CASES = {
    f"activation_keras_{name}": Case(2, (3, 5, 7), Activation, activation=name, source=wide)
    for name in ("relu", "leaky_relu", "elu", "selu", "gelu", "hard_sigmoid", "softplus", "swish")
}

write(__file__, CASES)
