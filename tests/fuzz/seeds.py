#!/usr/bin/env python3
"""seeds.py FOLDER -- what the fuzz targets start from, FOLDER/<target>/...

Made, not kept: from the configurations and golden files of the tree, and a few files written here.
Needs nothing but Python; of HDF5 the targets make their own.
"""
import base64
import gzip
import json
import pathlib
import random
import struct
import sys
import tarfile
import zipfile
import zlib

tree = pathlib.Path(__file__).resolve().parents[2]
golden = tree / "tests/golden"
folder = pathlib.Path(sys.argv[1])


def seed(target, name, content):
    to = folder / target
    to.mkdir(parents=True, exist_ok=True)
    (to / name).write_bytes(content)


def png(width, height, kind, pixels, depth=8):
    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    n = len(pixels) // height
    rows = b"".join(b"\0" + pixels[i * n : (i + 1) * n] for i in range(height))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def bmp(width, height):
    row = bytes(range(3 * width)) + b"\0" * (-3 * width % 4)
    size = len(row) * height
    return (b"BM" + struct.pack("<IHHI", 54 + size, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, size, 2835, 2835, 0, 0)
            + row * height)


# A grey JPEG of 8 x 8 pixels.
JPEG = """
/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/
wAALCAAIAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIh
MUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1
dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3
+Pn6/9oACAEBAAA/AP7+K//Z
"""

for path in sorted(tree.glob("configs/*.ini")) + sorted(tree.glob("perf/*.ini")):
    seed("fuzz_ini", path.name, path.read_bytes())
seed(
    "fuzz_ini",
    "graph",
    b"[data]\nfile = d.h5\n[model]\ninput_shape = 4, 4, 2\n[layer.a]\ntype = conv2d\n"
    b"filters = 2\nkernel_size = 1\n[layer.s]\ntype = add\ninputs = input, a\n[layer.c]\n"
    b"type = concatenate\ninputs = s, a, input\n[layer.f]\ntype = flatten\n"
    b"[compile]\nloss = mse\noptimizer = sgd\n[output]\ndirectory = o\n",
)
seed("fuzz_set", "some", b"fit.epochs=3\nlayer.c.filters=5\ndata.scale=1/255\noptimizer.momentum=0.9")
seed("fuzz_set", "more", b"compile.metrics=accuracy, mse\nmodel.input_shape=9, 9, 3\n"
     b"layer.c.kernel_size=3, 2\nlearning_rate.schedule=exponential_decay\noutput.directory=a;b #c")

for path in sorted(golden.glob("**/*.json")):
    seed("fuzz_keras", path.name, path.read_bytes())
for path in sorted(golden.glob("**/*.keras")):
    with zipfile.ZipFile(path) as archive:
        seed("fuzz_keras", path.name + ".json", archive.read("config.json"))
for path in sorted(golden.glob("keras/*.h5")):  # model_config and training_config lie in them as text
    content = path.read_bytes()
    at = content.find(b'{"module": "keras"')
    at = at if at >= 0 else content.find(b'{"class_name"')
    if at >= 0:
        try:
            model, _ = json.JSONDecoder().raw_decode(content[at:].decode("latin-1"))
            seed("fuzz_keras", path.name + ".json", json.dumps(model).encode())
        except ValueError:
            pass

for path in sorted(golden.glob("*.npz")):
    seed("fuzz_npz", path.name, path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            seed("fuzz_npy", path.name + "_" + name, archive.read(name)[:256])

images = struct.pack(">IIII", 0x803, 3, 2, 2) + bytes(range(12))
labels = struct.pack(">II", 0x801, 3) + bytes((0, 1, 2))
seed("fuzz_idx", "images", images)
seed("fuzz_idx", "labels", labels)
seed("fuzz_idx", "images.gz", gzip.compress(images, mtime=0))
seed("fuzz_idx", "labels.gz", gzip.compress(labels, mtime=0))

for path in sorted(golden.glob("cifar/*python*.tar.gz")):
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            seed("fuzz_pickle", path.name + "_" + member.name.replace("/", "_"), archive.extractfile(member).read())

seed("fuzz_csv", "plain", b"3,0,255,7,1\n0,1,2,3,4\n")
seed("fuzz_csv", "head", b"\"label\";p0;p1\r\n1;0.5;-2e3\r\n\r\n2;1;255\r\n")
seed("fuzz_csv", "last", b"p0\tp1\tclass\n1\t2\t0\n")

seed("fuzz_pnm", "p2", b"P2\n# grey\n3 2\n255\n0 1 2 3 4 255\n")
seed("fuzz_pnm", "p3", b"P3 1 2 7\n0 1 2 3 4 7\n")
seed("fuzz_pnm", "p5", b"P5 3 2 255\n" + bytes(range(6)))
seed("fuzz_pnm", "p6", b"P6 2 1 65535\n" + bytes(range(12)))
for kind, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
    seed("fuzz_picture", f"png{kind}", png(3, 2, kind, bytes(range(6 * channels))))
seed("fuzz_picture", "png16", png(2, 2, 0, bytes(range(8)), 16))
seed("fuzz_picture", "bmp", bmp(3, 2))
seed("fuzz_picture", "jpeg", base64.b64decode("".join(JPEG.split()) + "=="))

jpeg = base64.b64decode("".join(JPEG.split()) + "==")
exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, 6, 0) + b"\0\0\0\0"
seed("fuzz_photo", "jpeg", jpeg)
seed("fuzz_photo", "turned", jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + jpeg[2:])
seed("fuzz_photo", "exif", exif[6:])
for kind, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
    seed("fuzz_photo", f"png{kind}", png(3, 2, kind, bytes(range(6 * channels))))
seed("fuzz_photo", "png16", png(2, 2, 0, bytes(range(8)), 16))
seed("fuzz_photo", "png1", png(8, 2, 0, b"\x5a\xa5", 1))

draw = random.Random(1)
for target in ("fuzz_h5_dataset", "fuzz_h5_checkpoint"):
    for i in range(64):
        seed(target, str(i), draw.randbytes(6 + 3 * (i % 12)))
