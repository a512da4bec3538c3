"""Writes pictures of every kind that Pillow knows of the formats that it is compared in: OUT. See pillow.rs."""

import pathlib
import random
import struct
import sys

from PIL import Image

OUT = pathlib.Path(sys.argv[1])
WIDTH, HEIGHT = 67, 45
random.seed(5)
NOISE = bytes(random.randrange(256) for _ in range(WIDTH * HEIGHT * 8))


def picture(channels):
    """Slopes, edges and some noise."""
    places = [(x, y, c) for y in range(HEIGHT) for x in range(WIDTH) for c in range(channels)]
    level = [(x * (3 + c) + y * 5) // 3 + 90 * ((x // 13 + y // 11) % 2) for x, y, c in places]
    return bytes((value + (noise & 15)) % 256 for value, noise in zip(level, NOISE))


def put(name, *parts):
    (OUT / name).write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in parts))


def pnm():
    grey, color, deep = picture(1), picture(3), NOISE[: WIDTH * HEIGHT * 2]
    size = f"{WIDTH} {HEIGHT}\n"
    bits = NOISE[: (WIDTH + 7) // 8 * HEIGHT]
    put("p4.pbm", "P4\n# a comment\n", size, bits)
    put("p1.pbm", "P1\n", size, "# a comment\n", "".join("01"[byte & 1] for byte in grey))
    for white in (255, 254, 100, 17, 1, 256, 1000, 65534, 65535):
        below = [value % (white + 1) for (value,) in struct.iter_unpack(">H", NOISE)]
        for kind, samples in ((2, WIDTH * HEIGHT), (3, WIDTH * HEIGHT * 3)):
            words = "\n".join(map(str, below[:samples]))
            put(f"p{kind}-{white}.pnm", f"P{kind}\n{size}{white}\n{words}\n")
            packed = struct.pack(f">{samples}{'B' if white < 256 else 'H'}", *below[:samples])
            put(f"p{kind + 3}-{white}.pnm", f"P{kind + 3}\r{size}{white} ", packed)
    put("above-white.pgm", "P5\n", size, "100\n", grey)
    put("above-white-16.pgm", "P5\n", size, "1000\n", deep)
    put("above-white.ppm", "P6\n", size, "100\n", color)
    put("words.ppm", "P3 # three\n2#and\r 1\n 2", "55\n1 2#\n3 4 5\t6 7")
    put("negative.pgm", f"P2 {size} 255 -1 ", "0 " * (WIDTH * HEIGHT))
    put("too-large.pgm", f"P2 {size} 100 101 ", "0 " * (WIDTH * HEIGHT))
    put("not-a-bit.pbm", "P1 2 1 1 0 2")
    for name, length in (("short", -1), ("long", 20)):
        put(f"{name}.ppm", "P6\n", size, "255\n", (color + NOISE)[: len(color) + length])
        put(f"{name}-scaled.ppm", "P6\n", size, "250\n", (color + NOISE)[: len(color) + length])
    floats = [(value - 20000) / 100 for (value,) in struct.iter_unpack(">H", NOISE)][: WIDTH * HEIGHT]
    floats[:4] = [float("nan"), float("inf"), float("-inf"), 254.999]
    for order, scale in (("<", "-1.0"), (">", "1"), ("<", "-0.003")):
        put(f"floats{scale}.pfm", f"Pf\n{size}{scale}\n", struct.pack(f"{order}{len(floats)}f", *floats))
    for white in (0, 65536):
        put(f"white-{white}.pgm", f"P5 {size} {white} ", deep)
    put("empty.ppm", "P6 0 4 255\n")


pnm()
