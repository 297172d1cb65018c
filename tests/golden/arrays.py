#!/usr/bin/env python3
"""arrays.npz, arrays_packed.npz: small arrays as NumPy stores them; element k of each is k % 11 - 2
(unsigned: k % 11)."""
import os

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def made(dtype, *shape):
    k = np.arange(int(np.prod(shape))) % 11
    return (k if dtype == "u1" else k - 2).astype(dtype).reshape(shape)


np.savez("arrays.npz", x_train=made("u1", 5, 4, 3), y_train=made("i8", 5),
         x_test=made("f8", 2, 4, 3), y_test=made("i4", 2, 1))
np.savez_compressed("arrays_packed.npz", x_train=made("f4", 500, 4, 3, 2), y_train=made("u1", 500))
