"""Pictures of every kind, and what PIL makes of them: tests/pictures/test_picture_golden.c.

    python3 tests/golden/pictures.py    # writes pictures.h5 beside it; packages python3-pil, python3-h5py

Layout: /NAME/file uint8 [bytes], the picture as a file; for each way to read it /NAME/WAY uint8
[h,w,c], its attributes `fit` (absent: at its own size) beside the shape saying what was asked for.
What is seen: ImageOps.exif_transpose(), pasted on white where there is alpha, convert("L") or ("RGB"),
then ImageOps.fit(), ImageOps.pad() or resize() with Resampling.BILINEAR.
"""
import io
import itertools
from pathlib import Path

import h5py
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

rng = np.random.default_rng(17)
BILINEAR = Image.Resampling.BILINEAR


def smooth(h, w, c):
    """Something like a photo: waves, an edge, a little noise."""
    y, x = np.mgrid[:h, :w]
    planes = [127 + 90 * np.sin(x / (3 + 2 * k) + k) * np.cos(y / (5 + k)) for k in range(c)]
    pixels = np.stack(planes, -1) + 40 * (x > w // 2)[..., None] + rng.normal(size=(h, w, c)) * 5
    return pixels.clip(0, 255).astype(np.uint8)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def oriented(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif.tobytes()


def files():
    rgb, grey = Image.fromarray(smooth(37, 53, 3)), Image.fromarray(smooth(37, 53, 1)[..., 0])
    alpha = Image.fromarray(rng.integers(0, 256, (37, 53), np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey_alpha = Image.merge("LA", (grey, alpha))
    yield "jpeg", saved(rgb, "JPEG", quality=85)
    yield "jpeg_444", saved(rgb, "JPEG", quality=95, subsampling=0)
    yield "jpeg_progressive", saved(rgb, "JPEG", quality=70, progressive=True)
    yield "jpeg_grey", saved(grey, "JPEG", quality=80)
    yield "jpeg_cmyk", saved(rgb.convert("CMYK"), "JPEG", quality=90)
    yield "jpeg_1x1", saved(Image.new("RGB", (1, 1), (200, 30, 60)), "JPEG")
    yield "jpeg_wide", saved(Image.fromarray(smooth(2, 90, 3)), "JPEG")
    yield "jpeg_large", saved(Image.fromarray(smooth(301, 207, 3)), "JPEG", quality=60)
    for turn in range(1, 9):
        yield f"jpeg_turn{turn}", saved(rgb, "JPEG", quality=85, exif=oriented(turn))
    yield "png_rgb", saved(rgb, "PNG")
    yield "png_grey", saved(grey, "PNG")
    yield "png_rgba", saved(rgba, "PNG")
    yield "png_grey_alpha", saved(grey_alpha, "PNG")
    yield "png_palette", saved(rgb.quantize(37), "PNG")
    yield "png_palette_clear", saved(rgb.quantize(16), "PNG", transparency=3)
    yield "png_grey_clear", saved(Image.fromarray(np.arange(240, dtype=np.uint8).reshape(12, 20) // 40 * 40),
                                  "PNG", transparency=80)
    yield "png_1bit", saved(grey.convert("1"), "PNG")
    yield "png_2bit", saved(grey.quantize(4), "PNG", bits=2)
    yield "png_16", saved(Image.fromarray((smooth(9, 11, 1)[..., 0].astype(np.uint16) << 8) + 77), "PNG")
    yield "png_turn6", saved(rgb, "PNG", exif=oriented(6))
    yield "png_interlaced", interlaced(np.asarray(rgba))
    yield "gif", saved(rgb.quantize(29), "GIF")
    yield "gif_clear", saved(rgb.quantize(16), "GIF", transparency=5)
    yield "gif_moving", saved(rgb.quantize(9), "GIF", save_all=True, append_images=[grey.quantize(9)])
    yield "bmp", saved(rgb, "BMP")
    yield "bmp_palette", saved(rgb.quantize(37), "BMP")
    yield "ppm", saved(rgb, "PPM")
    yield "pgm", saved(grey, "PPM")


def interlaced(pixels):
    """PIL writes none: Adam7 by hand, RGBA, no filters."""
    import struct
    import zlib

    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    h, w, _ = pixels.shape
    rows = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                           (1, 0, 2, 1)):
        part = pixels[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 6, 0, 0, 1))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def seen(content, mode):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if image.mode.startswith("I"):  # PIL clips these where 16 bits become 8
        image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    return image.convert("RGB").convert(mode) if mode == "L" and image.mode != "L" else image.convert(mode)


def fitted(image, fit, h, w):
    if fit == "crop":
        return ImageOps.fit(image, (w, h), BILINEAR)
    if fit == "pad":
        return ImageOps.pad(image, (w, h), BILINEAR)
    return image.resize((w, h), BILINEAR)


def array(image):
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


SIZES = ((16, 16), (7, 20), (37, 53), (64, 48), (1, 1))

with h5py.File(Path(__file__).with_name("pictures.h5"), "w") as out:
    for name, content in files():
        out.create_dataset(f"{name}/file", data=np.frombuffer(content, np.uint8), track_times=False)
        for mode in ("RGB", "L"):
            image = seen(content, mode)
            if name != "jpeg_large":
                out.create_dataset(f"{name}/{mode}", data=array(image), track_times=False, compression=9)
            few = name not in ("jpeg", "jpeg_large", "jpeg_turn6", "png_rgba", "jpeg_wide", "jpeg_turn3")
            if few and mode == "L":
                continue
            for fit, (h, w) in itertools.product(("crop", "pad", "stretch"), SIZES[:2] if few else SIZES):
                if fit == "pad" and min(image.width / image.height * h, image.height / image.width * w) < 0.5:
                    continue  # PIL makes it 0 pixels, which it cannot
                pixels = array(fitted(image, fit, h, w))
                made = out.create_dataset(f"{name}/{mode}_{fit}_{h}x{w}", data=pixels, track_times=False)
                made.attrs["fit"] = fit
