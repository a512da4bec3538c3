"""Writes pictures of every kind that Pillow knows of the formats that it is compared in: OUT. See pillow.rs."""

import pathlib
import random
import struct
import sys
import zlib

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


def bmp():
    def file(bits, rows, *behind, height=HEIGHT, compression=0, colors=0, palette=b"", offset=None):
        header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(rows), 0, 0, colors, 0)
        head = header + b"".join(behind) + palette
        return struct.pack("<2sIII", b"BM", 0, 0, 14 + len(head) if offset is None else offset) + head + rows

    palette = bytes(value for index in range(256) for value in (index, index * 3 % 256, 255 - index, 9))
    for bits in (1, 4, 8, 16, 24, 32):
        rows = NOISE[: (WIDTH * bits + 31) // 32 * 4 * HEIGHT]
        colors = palette[: 4 << bits] if bits <= 8 else b""
        put(f"{bits}.bmp", file(bits, rows, palette=colors))
        put(f"{bits}-top.bmp", file(bits, rows, height=-HEIGHT, palette=colors))
        put(f"{bits}-short.bmp", file(bits, rows[:-4], palette=colors))
        put(f"{bits}.dib", file(bits, rows, palette=colors)[14:])
    put("few-colors.bmp", file(8, NOISE[: 68 * HEIGHT], colors=100, palette=palette[:400]))
    put("offset.bmp", file(8, NOISE[: 68 * HEIGHT], palette=palette, offset=54))
    for bits, *masks in (
        (16, 0xF800, 0x7E0, 0x1F),
        (16, 0x7C00, 0x3E0, 0x1F),
        (16, 0xF00, 0xF0, 0xF),
        (24, 0xFF0000, 0xFF00, 0xFF),
        (32, 0xFF0000, 0xFF00, 0xFF),
        (32, 0xFF000000, 0xFF0000, 0xFF00),
        (32, 0xFF000000, 0xFF00, 0xFF),
        (32, 0xFF, 0xFF00, 0xFF0000),
        (32, 0, 0, 0),
    ):
        rows = NOISE[: (WIDTH * bits + 31) // 32 * 4 * HEIGHT]
        name = "-".join(f"{mask:x}" for mask in (bits, *masks))
        put(f"{name}.bmp", file(bits, rows, struct.pack("<3I", *masks), compression=3))
        for alpha in (0xFF000000, 0xFF, 0xFF0000):
            head = struct.pack("<IiiHHIIiiII4I", 56, WIDTH, HEIGHT, 1, bits, 3, len(rows), 0, 0, 0, 0, *masks, alpha)
            put(f"{name}-{alpha:x}.bmp", struct.pack("<2sIII", b"BM", 0, 0, 70), head, rows)
    for coding in (1, 2):
        for form in range(8):
            runs, rng = b"", random.Random(form)
            while len(runs) < 2500:
                value = rng.randrange(256)
                kind = rng.randrange(12)
                count = rng.randrange(3, 40)
                literal = count if coding == 1 else (count + 1) // 2
                if kind == 0:
                    runs += b"\0\0"
                elif kind == 1:
                    runs += bytes((0, 2, rng.randrange(9), rng.randrange(2)))
                elif kind < 5:
                    runs += bytes((0, count)) + NOISE[value : value + literal + literal % 2]
                else:
                    runs += bytes((count, value))
            runs += b"\0\0" * HEIGHT if form % 2 else b"\0\1"
            bits = 8 // coding
            put(f"runs-{bits}-{form}.bmp", file(bits, runs, compression=coding, palette=palette[: 4 << bits]))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        image = Image.frombytes("RGB", (WIDTH, HEIGHT), picture(3)).convert(mode)
        image.save(OUT / f"saved-{mode}.bmp")
        image.save(OUT / f"saved-{mode}.dib")
    put("os2.bmp", struct.pack("<2sIIIIHHHH", b"BM", 0, 0, 26, 12, WIDTH, HEIGHT, 1, 24), NOISE[: 204 * HEIGHT])
    put("compressed.bmp", file(24, NOISE[:9000], compression=4))


def gif():
    color = Image.frombytes("RGB", (WIDTH, HEIGHT), picture(3)).convert("P", palette=Image.Palette.ADAPTIVE)
    grey = Image.frombytes("L", (WIDTH, HEIGHT), picture(1))
    for name, image in (("p", color), ("l", grey), ("1", grey.convert("1"))):
        for interlace in (0, 1):
            image.save(OUT / f"{name}-{interlace}.gif", interlace=interlace)
            image.save(OUT / f"{name}-{interlace}-clear.gif", interlace=interlace, transparency=7)
    color.save(OUT / "frames.gif", save_all=True, append_images=[grey, color.rotate(90)], disposal=2)
    whole = (OUT / "p-0.gif").read_bytes()
    put("cut.gif", whole[: len(whole) * 2 // 3])
    put("damaged.gif", whole[: len(whole) // 2], bytes(range(200)), whole[len(whole) // 2 + 200 :])
    # A frame that is not on all of the canvas, or beyond it; with and without palettes and a transparent index.
    codes = whole[whole.index(b"\x2c", 13 + 768) + 10 :]
    palette = NOISE[:768]
    control = b"!\xf9\x04\x01\0\0\x05\0"
    for name, width, height, x, y in (("inside", 100, 80, 9, 11), ("beyond", 60, 40, 9, 11), ("same", 67, 45, 0, 0)):
        for kind, screen, extension, local in (
            ("grey", 0, b"", b""),
            ("global", 0xF7, b"", b""),
            ("global-clear", 0xF7, control, b""),
            ("grey-clear", 0, control, b""),
            ("local", 0, b"!\xfe\x03abc\0", palette[::-1]),
            ("both", 0xF7, control, palette[::-1]),
            ("local-grey", 0xF7, control, bytes(index for index in range(256) for _ in range(3))),
        ):
            head = struct.pack("<6sHHBBB", b"GIF89a", width, height, screen, 3, 0) + palette * (screen > 0)
            frame = struct.pack("<cHHHHB", b",", x, y, WIDTH, HEIGHT, 0x87 * (local != b""))
            put(f"{name}-{kind}.gif", head, extension, frame, local, codes)
    put("no-frame.gif", struct.pack("<6sHHBBB", b"GIF89a", 4, 4, 0, 0, 0), b";")


def tiff_of(tags, chunks, order="<", big=False, tiled=False):
    """A TIFF of these tags, lists of numbers each, whose chunks lie behind the directory."""
    word = "Q" if big else "I"
    lengths = [len(chunk) for chunk in chunks]
    tags = {**tags, 325 if tiled else 279: lengths, 324 if tiled else 273: [0] * len(chunks)}

    def build(start):
        tags[324 if tiled else 273] = [start + sum(lengths[:index]) for index in range(len(chunks))]
        head = struct.pack(
            order + ("2sHHHQ" if big else "2sHI"),
            b"II" if order == "<" else b"MM",
            *((43, 8, 0, 16) if big else (42, 8)),
        )
        behind = len(head) + (8 if big else 2) + len(tags) * (20 if big else 12) + (8 if big else 4)
        entries, values = b"", b""
        for tag, numbers in sorted(tags.items()):
            kind = 3 if max(numbers) < 65536 and tag not in (273, 324) else 16 if big else 4
            packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == 3 else word}", *numbers)
            inline = 8 if big else 4
            if len(packed) > inline:
                place, values = behind + len(values), values + packed
                packed = struct.pack(order + word, place)
            entries += struct.pack(order + "HH" + word, tag, kind, len(numbers)) + packed.ljust(inline, b"\0")
        count = struct.pack(order + ("Q" if big else "H"), len(tags))
        return head + count + entries + struct.pack(order + word, 0) + values

    return build(len(build(0))) + b"".join(chunks)


def tiff():
    color = [NOISE[:256][index] * 256 + index for index in range(256)]
    kinds = [
        (photometric, bits, form, 1, ())
        for photometric in (0, 1)
        for bits, form in ((1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (12, 1), (16, 1), (16, 2), (32, 1), (32, 2), (32, 3))
    ]
    kinds += [(3, bits, 1, 1, ()) for bits in (1, 2, 4, 8)]
    kinds += [(1, 8, 1, 2, (kind,)) for kind in (0, 2)] + [(3, 8, 1, 2, (kind,)) for kind in (0, 2)]
    kinds += [(2, 8, 1, 3, ()), (2, 16, 1, 3, ()), (2, 8, 1, 4, ()), (2, 16, 1, 4, ()), (2, 8, 1, 4, (999,))]
    kinds += [(2, bits, 1, 4, (kind,)) for bits in (8, 16) for kind in (0, 1, 2)]
    kinds += [(2, 8, 1, 5, (kind, 0)) for kind in (0, 1, 2)] + [(2, 8, 1, 6, (kind, 0, 0)) for kind in (0, 1, 2)]
    kinds += [(5, 8, 1, 4, ()), (5, 8, 1, 5, (0,)), (5, 8, 1, 6, (0, 0)), (5, 16, 1, 4, ())]
    kinds += [(2, 8, 1, 7, (0, 0, 0, 0)), (2, 32, 1, 3, ()), (9, 8, 1, 3, ()), (1, 64, 3, 1, ())]
    for photometric, bits, form, samples, extra in kinds:
        for variant in range(8):
            # Pillow does not know a BigTIFF of the other byte order.
            order = "<" if variant == 5 else "<>"[variant % 2]
            tiled, big, planar = variant in (2, 3), variant in (4, 5), variant in (6, 7) and samples in (3, 4)
            coding = (1, 1, 8, 1, 32773, 8, 1, 8)[variant]
            # Pillow reads planes of 16 bits as bytes, and has no name for some planes of alpha, where libtiff does not.
            if variant == 6 and (bits == 16 or extra and extra[0] < 2):
                continue
            # Pillow unpacks what libtiff has turned to the machine's order in the file's.
            if order == ">" and coding != 1 and form > 1:
                continue
            width, height = (32, 16) if tiled else (WIDTH, 20)
            across, down = -(-WIDTH // width), -(-HEIGHT // height)
            per_row = (width * (1 if planar else samples) * bits + 7) // 8
            chunks = []
            for number in range(across * down * (samples if planar else 1)):
                rows = height if tiled else min(height, HEIGHT - number % down * height)
                chunk = NOISE[number * 7 : number * 7 + per_row * rows]
                if coding == 8:
                    chunk = zlib.compress(chunk)
                if coding == 32773:
                    chunk = b"".join(bytes((len(part) - 1,)) + part for part in cut(chunk, per_row, 100))
                chunks.append(chunk)
            tags = {256: [WIDTH], 257: [HEIGHT], 258: [bits] * samples, 259: [coding], 262: [photometric]}
            tags.update({277: [samples], 339: [form] * samples, 284: [2 if planar else 1], 274: [variant + 1]})
            tags.update({322: [width], 323: [height]} if tiled else {278: [height]})
            if extra:
                tags[338] = list(extra)
            if photometric == 3:
                tags[320] = [color[index * 7 % 256] for index in range(3 << bits)]
            name = f"{photometric}-{bits}-{form}-{samples}{''.join(map(str, extra))}-{variant}.tif"
            put(name, tiff_of(tags, chunks, order, big, tiled))
    image = Image.frombytes("RGB", (WIDTH, HEIGHT), picture(3))
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LA"):
        saved = image.convert("L").convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
        for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4"):
            if (mode, compression) == ("LA", "jpeg"):
                continue  # Is refused.
            for predictor in (1, 2):
                name = f"saved-{mode.replace(';', '')}-{compression}-{predictor}.tif"
                try:
                    saved.save(OUT / name, compression=compression, tiffinfo={317: predictor})
                except (OSError, ValueError, KeyError, SystemError):  # What Pillow does not write is no picture.
                    (OUT / name).unlink(missing_ok=True)
    whole = (OUT / "saved-RGB-tiff_lzw-1.tif").read_bytes()
    put("cut.tif", whole[: len(whole) * 2 // 3])
    put("damaged.tif", whole[: len(whole) // 2], bytes(range(200)), whole[len(whole) // 2 + 200 :])
    put("no-directory.tif", b"II*\0\xff\xff\xff\0")


def cut(chunk, row, length):
    """A chunk in parts that end with its rows."""
    for start in range(0, len(chunk), row):
        line = chunk[start : start + row]
        yield from (line[at : at + length] for at in range(0, len(line), length))


pnm()
bmp()
gif()
tiff()
