"""Samples/s that one core serves at `jpeg-crop`, against photos/s that one core decodes; interleaved, in one run.

The server has the first core to itself, and the client, which verifies every sample and throws it away, has the others.
The decoder runs alone on the first core, from memory, and decodes whole photos to RGB: nothing is fetched, resized or
sent.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

from processor import processor_seconds

ROUNDS = 5
EPOCHS = 4


def lines(command: list, cores: set[int]) -> list[dict]:
    """What a program of ours prints, run on these cores."""
    done = subprocess.run(
        [str(word) for word in command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def rate(rows: list[dict]) -> float:
    return sum(row["samples"] for row in rows) / sum(row["seconds"] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--drain", "--decode", "--photos"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = {cores[0]}, set(cores[1:]) or set(cores)

    def served(cut: str) -> list[dict]:
        return lines([args.drain, args.server, "bench", cut, "imagenet-train", EPOCHS], theirs)

    served("jpeg-crop")  # fills caches and what is not in the index yet
    rounds, used, bytes_each, asked = [], 0.0, 0, 0
    for _ in range(ROUNDS):
        before = processor_seconds(args.server_pid)
        rows = served("jpeg-crop")
        used += processor_seconds(args.server_pid) - before
        bytes_each = sum(row["bytes"] for row in rows) / sum(row["samples"] for row in rows)
        asked = sum(row["as_asked"] for row in rows) / sum(row["samples"] for row in rows)
        rounds.append((rate(rows), rate(lines([args.decode, args.photos, 1], ours)), rate(served("cropped"))))
        samples = sum(row["samples"] for row in rows)
    crops, decodes, pixels = (statistics.median(column) for column in zip(*rounds))
    result = {
        "photos": args.name,
        "jpeg_crop_per_second": round(crops, 1),
        "decodes_per_second": round(decodes, 1),
        "ratio": round(statistics.median(crop / decode for crop, decode, _ in rounds), 2),
        "cropped_per_second": round(pixels, 1),
        "server_microseconds": round(used / (samples * ROUNDS) * 1e6, 1),
        "bytes_per_sample": round(bytes_each),
        "share_cropped_as_jpeg": round(asked, 4),
    }
    if args.json:
        print(json.dumps(result))
        return
    print(f"\n  {args.name}")
    print(
        f"  jpeg-crop served, one core     {crops:9.0f} samples/s   {result['server_microseconds']:.0f} us of CPU each"
    )
    print(f"  photos decoded, one core       {decodes:9.0f} photos/s")
    print(f"  ratio                          {result['ratio']:9.1f}   (median of {ROUNDS} pairs)")
    print(f"  cropped served, one core       {pixels:9.0f} samples/s   (decoded from the index)\n")


if __name__ == "__main__":
    main()
