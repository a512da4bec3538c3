"""Deltas of a model against what zstd, bsdiff and ZipNN make of the same two files: bytes, MB/s on one core.

Fine-tunes are made here: SGD with momentum, under gradients that are drawn at random, of a mean and a size of its own
for each tensor. Called by scripts/bench delta.
"""

import argparse
import json
import subprocess
import time
import warnings
from pathlib import Path

import numpy

RATE, MOMENTUM = 0.01, 0.9
# The norm of the gradient of a whole network at the beginning of a fine-tune.
NORM = 3.0
FLOAT32, FLOAT16 = 1, 10
GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW = 1, 2, 8, 9
CLASSES = 10


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field, value):
    return varint(field << 3) + varint(value)


def nested(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def fields(message):
    """Number, content and raw bytes of each field of a message."""
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        start, tag = at, read()
        content = None
        if tag & 7 == 0:
            content = read()
        elif tag & 7 == 2:
            length = read()
            content, at = message[at : at + length], at + length
        else:
            at += {1: 8, 5: 4}[tag & 7]
        yield tag >> 3, content, message[start:at]


def rewritten(model, change, more=b""):
    """The model with each tensor of 32-bit floats changed, and with more fields at the end of its graph."""

    def tensor(message):
        found = list(fields(message))
        name = next((content.decode() for field, content, _ in found if field == NAME), "")
        dtype = next((content for field, content, _ in found if field == DATA_TYPE), 0)
        raw = next((content for field, content, _ in found if field == RAW), None)
        if dtype != FLOAT32 or raw is None:
            return message
        new = change(name, numpy.frombuffer(raw, numpy.float32))
        dtype = number(DATA_TYPE, FLOAT16 if new.dtype == numpy.float16 else FLOAT32)
        kept = b"".join(bytes(field[2]) for field in found if field[0] not in (DATA_TYPE, RAW))
        return kept + dtype + nested(RAW, new.tobytes())

    def graph(message):
        parts = [
            nested(field, tensor(content)) if field == INITIALIZER else bytes(raw)
            for field, content, raw in fields(message)
        ]
        return b"".join(parts) + more

    return b"".join(nested(field, graph(c)) if field == GRAPH else bytes(raw) for field, c, raw in fields(model))


def trained(steps, tensors):
    def change(name, weights):
        if weights.size < 2:
            return weights
        random = numpy.random.default_rng([steps, *name.encode()])
        size = NORM / numpy.sqrt(tensors * weights.size) * random.lognormal(0, 0.7)
        mean = (0.3 * size * random.standard_normal(weights.shape)).astype(numpy.float32)
        weights, velocity = weights.copy(), numpy.zeros_like(weights)
        for _ in range(steps):
            gradient = mean + numpy.float32(size) * random.standard_normal(weights.shape, dtype=numpy.float32)
            velocity = numpy.float32(MOMENTUM) * velocity + gradient
            weights -= numpy.float32(RATE) * velocity
        return weights

    return change


def head(width):
    """The weights of a new classifier, as fields of a graph."""
    random = numpy.random.default_rng(0)
    weights = (0.05 * random.standard_normal((CLASSES, width))).astype(numpy.float32)
    dims = number(DIMS, CLASSES) + number(DIMS, width)
    tensor = dims + number(DATA_TYPE, FLOAT32) + nested(NAME, b"new.weight") + nested(RAW, weights.tobytes())
    return nested(INITIALIZER, tensor)


def timed(work):
    started = time.process_time()
    return work(), time.process_time() - started


def peers(base, target, half, work):
    """Bytes and MB/s of each peer, made and undone."""
    import bsdiff4
    from zipnn import ZipNN

    old, new = base.read_bytes(), target.read_bytes()
    speed = lambda seconds: round(len(new) / 1e6 / max(seconds, 1e-9))  # noqa: E731
    rows = {}
    patch, out = work / "patch", work / "out"
    commands = [
        ["zstd", "-19", "-q", "-f", "--long=27", f"--patch-from={base}", str(target), "-o", str(patch)],
        ["zstd", "-d", "-q", "-f", "--long=27", f"--patch-from={base}", str(patch), "-o", str(out)],
    ]
    took = []
    for command in commands:
        started = time.monotonic()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        took.append(time.monotonic() - started)
    rows["zstd -19 --patch-from"] = (patch.stat().st_size, speed(took[0]), speed(took[1]))
    made, making = timed(lambda: bsdiff4.diff(old, new))
    _, applying = timed(lambda: bsdiff4.patch(old, made))
    rows["bsdiff4"] = (len(made), speed(making), speed(applying))
    dtype = "float16" if half else "float32"
    for name, options, delta in [
        ("zipnn", {}, {}),
        ("zipnn, delta", {"delta_compressed_type": "byte"}, {"delta_second_data": old}),
    ]:
        coder = lambda: ZipNN(input_format="byte", bytearray_dtype=dtype, threads=1, **options)  # noqa: B023, E731
        try:
            made, making = timed(lambda: coder().compress(bytes(new), **delta))  # noqa: B023
            kept = bytes(made)
            _, applying = timed(lambda: coder().decompress(kept, **delta))  # noqa: B023
        except Exception as error:  # a peer that fails is left out of the row, and named
            rows[name] = (None, str(error)[:40], None)
        else:
            rows[name] = (len(kept), speed(making), speed(applying))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    model = arguments.model.read_bytes()
    names = []
    rewritten(model, lambda name, weights: (names.append(name), weights)[1])
    half = lambda change: lambda name, weights: change(name, weights).astype(numpy.float16)  # noqa: E731
    plain = lambda _, weights: weights  # noqa: E731
    bases = {"fp32": rewritten(model, plain), "fp16": rewritten(model, half(plain))}
    cases = [("fp32", "new head", rewritten(model, plain, head(1280)))]
    for steps in (1, 100):
        change = trained(steps, len(names))
        cases.append(("fp32", f"{steps} steps", rewritten(model, change)))
        cases.append(("fp16", f"{steps} steps", rewritten(model, half(change))))
    for kind, what, target in cases:
        old, new = arguments.work / "base.onnx", arguments.work / "target.onnx"
        old.write_bytes(bases[kind])
        new.write_bytes(target)
        ours = json.loads(subprocess.run([arguments.measure, old, new], check=True, capture_output=True).stdout)
        rows = {"ours": (ours["bytes"], ours["encode_mb_s"], ours["apply_mb_s"])}
        if not arguments.no_peers:
            rows |= peers(old, new, kind == "fp16", arguments.work)
        if arguments.json:
            print(json.dumps({"case": f"{kind}, {what}", "bytes": len(target), "ours": ours, "rows": rows}), flush=True)
            continue
        print(f"{kind}, {what}: {len(target)} bytes; {ours['encode_mib']} and {ours['apply_mib']} MiB of memory")
        for name, (size, making, applying) in rows.items():
            share = f"{size:>10} {100 * size / len(target):7.2f} %" if size else " " * 20
            print(f"  {name:<24} {share}   made at {making} MB/s, applied at {applying} MB/s", flush=True)


if __name__ == "__main__":
    main()
