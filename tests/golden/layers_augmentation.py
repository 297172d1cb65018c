"""What real Keras makes of images where its random numbers are ours.

    python tests/golden/layers_augmentation.py    # keras 3.15, tensorflow-cpu 2.21; writes layers_augmentation.h5

Layout: keras_layers.py, forward only. The numbers of sample i at seed 0, update 0, layer 0 are words of a Philox written from the paper
(order.py): counter (k / 4, sample, update, 5 + 256 layer), each word's upper 24 bits over 2^24. They are handed to Keras's layers in place
of its own, one image at a time, in float32. No case hangs on a last bit: numbers that lie 2e-7 apart give the same images.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
from pathlib import Path

import h5py
import keras
import numpy as np
from order import philox

AUGMENT = 5
L = keras.layers


def chances(sample, count=8, layer=0):
    words = [w for k in range(0, count, 4) for w in philox([k // 4, sample, 0, AUGMENT | layer << 8], [0, 0])]
    return np.array([w >> 8 for w in words], np.float32) / np.float32(2**24)


class Random:
    """keras.random with given numbers."""

    def __init__(self, numbers):
        self.numbers = list(numbers)

    def uniform(self, shape, minval=0.0, maxval=1.0, **_):
        count = int(np.prod(shape))
        taken, self.numbers = self.numbers[:count], self.numbers[count:]
        return np.float32(minval) + np.array(taken, np.float32).reshape(shape) * np.float32(maxval - minval)



class Backend:
    """What a layer calls its backend, with other random numbers."""

    def __init__(self, backend, random):
        self.__dict__.update(own=backend, random=random)

    def __getattr__(self, name):
        return getattr(self.own, name)


def apply(layer, image, numbers):
    """One image [h, w, c] through a layer in training."""
    images = keras.ops.convert_to_tensor(image[None])
    layer.backend = Backend(layer.backend, Random(numbers))
    change = layer.get_random_transformation(images, training=True)
    return np.array(layer.transform_images(images, change, training=True))[0]


def simple(make, first=0):
    return lambda image, numbers: apply(make(), image, numbers[first:])


def flip_both(image, numbers):
    return apply(L.RandomFlip("vertical"), apply(L.RandomFlip("horizontal"), image, numbers), numbers[1:])


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


CASES = {}  # name: samples, shape, keys, function (image, numbers) -> image


def case(name, n, shape, function, source=normal, **keys):
    CASES[name] = (n, shape, function, source, keys)


case("random_flip_both", 9, (4, 5, 3), flip_both)
case("random_flip_horizontal", 5, (3, 7, 1), simple(lambda: L.RandomFlip("horizontal")), mode="horizontal")
case("random_flip_vertical", 5, (6, 1, 17), simple(lambda: L.RandomFlip("vertical"), 1), mode="vertical")
case("random_crop", 6, (9, 8, 3), simple(lambda: L.RandomCrop(4, 5)), height=4, width=5)
case("random_crop_to_one_pixel", 3, (2, 3, 1), simple(lambda: L.RandomCrop(1, 1)), height=1, width=1)
FILLS = ["reflect", "wrap", "constant", "nearest"]
for fill in FILLS:
    for how in ["nearest", "bilinear"]:
        keys = dict(fill_mode=fill, interpolation=how, fill_value=0.75)
        for name, layer, factors in [
            ("random_translation", L.RandomTranslation, dict(height_factor=0.9, width_factor=(-1.0, 0.5))),
            ("random_rotation", L.RandomRotation, dict(factor=0.6)),
            ("random_zoom", L.RandomZoom, dict(height_factor=(-0.6, 0.9), width_factor=0.7)),
        ]:
            both = factors | keys
            case(f"{name}_{fill}_{how}", 6, (5, 7, 3), simple(lambda layer=layer, both=both: layer(**both)), **both)
case("random_translation_1x1", 4, (1, 1, 1), simple(lambda: L.RandomTranslation(0.3, 0.2)), height_factor=0.3, width_factor=0.2)
case("random_translation_large", 3, (28, 28, 1), simple(lambda: L.RandomTranslation((-0.2, 0.3), 0.1)), height_factor=(-0.2, 0.3), width_factor=0.1)
case("random_rotation_1x1", 4, (1, 1, 3), simple(lambda: L.RandomRotation(0.5)), factor=0.5)
case("random_rotation_row", 4, (1, 8, 1), simple(lambda: L.RandomRotation((0.1, 0.2), fill_mode="constant")), factor=(0.1, 0.2), fill_mode="constant")
case("random_rotation_large", 3, (30, 33, 1), simple(lambda: L.RandomRotation(0.1)), factor=0.1)
case("random_zoom_even", 5, (6, 4, 17), simple(lambda: L.RandomZoom(0.4)), height_factor=0.4)
for fill in FILLS:
    keys = dict(x_factor=0.8, y_factor=(0.1, 0.6), fill_mode=fill, fill_value=-1.5)
    case(f"random_shear_{fill}", 5, (5, 7, 3), simple(lambda keys=keys: L.RandomShear(**keys)), **keys)


def bytes_of(rng, shape):
    return rng.integers(0, 256, shape).astype(np.float32)


def unit(rng, shape):
    return rng.random(shape, np.float32)


UNIT = dict(source=unit, value_range=(0, 1))
case("random_contrast", 5, (4, 6, 3), simple(lambda: L.RandomContrast((0.6, 0.6))), bytes_of, factor=0.6)
case("random_contrast_two_ends", 5, (5, 3, 1), simple(lambda: L.RandomContrast((0.1, 0.9), value_range=(0, 1))), factor=(0.1, 0.9), **UNIT)
case("random_contrast_1x1", 3, (1, 1, 17), simple(lambda: L.RandomContrast((0.5, 0.5), value_range=(0, 1))), factor=0.5, **UNIT)
case("random_brightness", 5, (4, 6, 3), simple(lambda: L.RandomBrightness(0.5)), bytes_of, factor=0.5)
case("random_brightness_two_ends", 5, (5, 3, 1), simple(lambda: L.RandomBrightness((-0.7, 0.1), value_range=(0, 1))), factor=(-0.7, 0.1), **UNIT)
case("random_color_degeneration", 5, (4, 5, 3), simple(lambda: L.RandomColorDegeneration(0.9, value_range=(0, 1))), factor=0.9, **UNIT)
case("random_sharpness", 5, (4, 5, 3), simple(lambda: L.RandomSharpness((0.0, 1.0), value_range=(0, 1))), factor=(0.0, 1.0), **UNIT)
case("random_sharpness_1x1", 3, (1, 1, 1), simple(lambda: L.RandomSharpness(1.0, value_range=(0, 1))), factor=1.0, **UNIT)
case("random_sharpness_row", 3, (1, 6, 17), simple(lambda: L.RandomSharpness(0.4)), bytes_of, factor=0.4)
case("random_grayscale", 8, (4, 5, 3), simple(lambda: L.RandomGrayscale(0.6)), unit, factor=0.6)
case("random_invert", 8, (4, 5, 2), simple(lambda: L.RandomInvert((0.2, 0.9))), bytes_of, factor=(0.2, 0.9))
case("random_erasing_filled", 9, (8, 9, 3), simple(lambda: L.RandomErasing((0.6, 1.0), fill_value=(0.5, 0.25, 2.0), value_range=(0, 1))), factor=(0.6, 1.0), fill_value=(0.5, 0.25, 2.0), **UNIT)
case("random_erasing_one_value", 6, (7, 5, 1), simple(lambda: L.RandomErasing((1.0, 1.0), scale=(0.1, 0.8), fill_value=30)), bytes_of, factor=(1.0, 1.0), scale=(0.1, 0.8), fill_value=30)


def plain(make):
    return lambda image, numbers: np.array(make()(image[None]))[0]


for name, shape, size in [("smaller", (9, 8, 3), (4, 5)), ("larger", (3, 4, 17), (7, 9)), ("to_one_pixel", (5, 3, 1), (1, 1)), ("of_one_pixel", (1, 1, 3), (3, 2))]:
    for how in ["nearest", "bilinear"]:
        keys = dict(height=size[0], width=size[1], interpolation=how)
        case(f"resizing_{name}_{how}", 2, shape, plain(lambda keys=keys: L.Resizing(**keys)), **keys)
case("center_crop_odd", 2, (9, 8, 3), plain(lambda: L.CenterCrop(4, 5)), height=4, width=5)
case("center_crop_one_pixel", 2, (2, 3, 1), plain(lambda: L.CenterCrop(1, 1)), height=1, width=1)


def text(value):
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def underscored(name):
    return next(t for t in sorted(TYPES, key=len, reverse=True) if name.startswith(t))


TYPES = ["random_flip", "random_crop", "random_translation", "random_rotation", "random_zoom", "random_shear", "random_contrast", "random_brightness",
         "random_color_degeneration", "random_sharpness", "random_grayscale", "random_invert", "random_erasing", "resizing", "center_crop"]


def main():
    with h5py.File(Path(__file__).with_suffix(".h5"), "w", libver="earliest") as file:
        for name, (n, shape, function, source, keys) in CASES.items():
            rng = np.random.default_rng([17, *name.encode()])
            src = source(rng, (n, *shape))
            dst = np.stack([function(src[i], chances(i)) for i in range(n)])
            for near in (np.float32(-2e-7), np.float32(2e-7)):
                moved = np.stack([function(src[i], chances(i) + near) for i in range(n)])
                assert np.abs(moved - dst).max() < 1e-4, (name, np.abs(moved - dst).max())
            group = file.create_group(name)
            group.attrs["ini"] = f"type = {underscored(name)}\n" + "".join(f"{k} = {text(v)}\n" for k, v in keys.items())
            group.attrs["input_shape"] = np.array(shape, np.int32)
            group.attrs["forward_only"] = np.int32(1)
            group["src"], group["dst"] = src, np.ascontiguousarray(dst, np.float32)
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
