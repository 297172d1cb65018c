#!/usr/bin/env python3
"""pictures.py TRAINER [N [SIZE]] -- what `convert images` costs beside decoding alone.

Makes N (8) JPEGs of 12 MPixel, half of them turned by EXIF, and takes turns: a program that decodes
them to rows of RGB by libjpeg-turbo and drops them, and `trainer convert images --size SIZE`
(224x224) with one child. Prints the CPU time of both, the best of five, and their ratio. Needs
python3-pil and python3-numpy.
"""
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

trainer, n, size = sys.argv[1], int((sys.argv[2:3] or [8])[0]), (sys.argv[3:4] or ["224x224"])[0]


def make_photos(folder):
    rng = np.random.default_rng(0)
    for i in range(n):
        far = Image.fromarray(rng.integers(0, 256, (47, 63, 3), np.uint8)).resize((4000, 3000), Image.BICUBIC)
        near = Image.fromarray(rng.integers(0, 256, (750, 1000, 3), np.uint8)).resize((4000, 3000), Image.BICUBIC)
        pixels = np.asarray(far).astype(np.int16) + (np.asarray(near).astype(np.int16) - 128) // 4
        pixels += rng.integers(-6, 7, pixels.shape, np.int16)
        exif = Image.Exif()
        exif[0x0112] = 6 if i % 2 else 1
        path = folder / "ab"[i % 2] / f"{i}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=88, exif=exif)


DECODE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
int main(int n, char **paths)
{
    for (int i = 1; i < n; i++) {
        struct jpeg_decompress_struct jpeg;
        struct jpeg_error_mgr errors;
        FILE *file = fopen(paths[i], "rb");
        jpeg.err = jpeg_std_error(&errors);
        jpeg_create_decompress(&jpeg);
        jpeg_stdio_src(&jpeg, file);
        jpeg_read_header(&jpeg, TRUE);
        jpeg_start_decompress(&jpeg);
        JSAMPROW row = malloc(3 * jpeg.output_width);
        while (jpeg.output_scanline < jpeg.output_height)
            jpeg_read_scanlines(&jpeg, &row, 1);
        jpeg_finish_decompress(&jpeg);
        jpeg_destroy_decompress(&jpeg);
        free(row);
        fclose(file);
    }
}
"""


def seconds_of(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


with tempfile.TemporaryDirectory() as name:
    root = Path(name) / "photos"
    root.mkdir()
    make_photos(root)
    subprocess.run(["cc", "-O2", "-x", "c", "-", "-ljpeg", "-o", f"{name}/decode"], input=DECODE, text=True, check=True)
    photos = sorted(map(str, root.glob("*/*.jpg")))
    times = [(seconds_of(f"{name}/decode", *photos),
              seconds_of(trainer, "convert", "images", root, f"{name}/out.h5", "--size", size, "--threads", "1"))
             for _ in range(5)]
    alone, ours = (min(column) / n * 1000 for column in zip(*times))
    print(f"{n} photos of 4000 x 3000 to {size}, CPU ms for each: decoding {alone:.1f}, "
          f"convert images {ours:.1f}, {ours / alone:.2f} times")
