#!/usr/bin/env python3
"""arrays.npz, arrays_packed.npz, arrays_other.npz and .npy: small arrays as NumPy stores them; element k of each is
k % 11 - 2 (unsigned: k % 11; bool: k % 2)."""
import os

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def made(dtype, *shape):
    k = np.arange(int(np.prod(shape))) % 11
    return (k if "u" in dtype else k - 2).astype(dtype).reshape(shape)


np.savez("arrays.npz", x_train=made("u1", 5, 4, 3), y_train=made("i8", 5),
         x_test=made("f8", 2, 4, 3), y_test=made("i4", 2, 1))
np.savez_compressed("arrays_packed.npz", x_train=made("f4", 500, 4, 3, 2), y_train=made("u1", 500))

# Names of MedMNIST, types that no other file here has: half precision in Fortran order, big-endian, bool.
np.savez("arrays_other.npz", train_images=np.asfortranarray(made("f2", 5, 4, 3)), train_labels=np.arange(5) % 2 == 1,
         val_images=made(">i2", 2, 4, 3), val_labels=made("u2", 2), test_images=np.asfortranarray(made(">f8", 3, 4, 3)),
         test_labels=made("u8", 3))
np.save("arrays_other.npy", made(">u4", 3))
