"""Epochs over a bucket that is far away (5 ms, 20 MB/s): the first against the bandwidth, and the second, all of which
is kept, against the first; in one run. In memory and on disk.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def epoch(drain: pathlib.Path, server: str, cut: str) -> dict:
    began = time.monotonic()
    done = subprocess.run(
        [str(drain), server, "bench", cut, "imagenet-train", "1"], check=True, stdout=subprocess.PIPE, text=True
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seconds = sum(row["seconds"] for row in rows)
    return {"samples": sum(row["samples"] for row in rows), "seconds": seconds, "whole": time.monotonic() - began}


def cache(profiler: pathlib.Path, server: str) -> dict:
    command = [str(profiler), "cache", "--servers", server, "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)["caches"][0]


def measure(args: argparse.Namespace, store: str, settings: list[str], work: pathlib.Path) -> dict:
    keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
    port = work / "port"
    command = [args.bin / "storage-server", "serve", "--data", "s3://bucket/", "--dataset", "bench"]
    command += ["--listen", "127.0.0.1:0", "--port-file", port, "--cache-dir", work / "cache", *settings]
    server = subprocess.Popen(
        [str(word) for word in command], env={**os.environ, **keys, "AWS_ENDPOINT_URL": store, "HEADWATER_LOG": "error"}
    )
    try:
        while not port.exists():
            if server.poll() is not None:
                sys.exit("the server ended")
            time.sleep(0.02)
        address = f"127.0.0.1:{port.read_text().strip()}"
        rows = [epoch(args.drain, address, args.cut) for _ in range(4)]
        said = cache(args.bin / "profiler", address)
    finally:
        server.terminate()
        server.wait()
    first, later = rows[0], min(rows[1:], key=lambda row: row["seconds"])
    ideal = said["origin_bytes"] / args.rate
    return {
        "settings": " ".join(settings),
        "samples": first["samples"],
        "first_seconds": round(first["seconds"], 3),
        "bytes_over_bandwidth": round(ideal, 3),
        "first_over_ideal": round(first["seconds"] / ideal, 3),
        "second_seconds": round(later["seconds"], 3),
        "times_faster": round(first["seconds"] / later["seconds"], 1),
        "origin_reads": said["counts"].get("origin", 0),
        "stalled_seconds": round(said["stalled_seconds"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--drain", "--photos"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--cut", default="encoded")
    parser.add_argument("--delay", type=float, default=0.005)
    parser.add_argument("--rate", type=float, default=20e6)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    here = pathlib.Path(__file__).parent
    store = subprocess.Popen(
        [sys.executable, here / "slow_store.py", args.photos, "--delay", str(args.delay), "--rate", str(args.rate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    address = store.stdout.readline().strip()
    try:
        for settings in (["--cache-memory", "1GiB"], ["--cache-memory", "0B"]):
            with tempfile.TemporaryDirectory() as work:
                result = measure(args, address, settings, pathlib.Path(work))
            if args.json:
                print(json.dumps(result))
                continue
            print(f"\n  {result['settings']}: {result['samples']} samples at {args.cut}")
            print(
                f"  first epoch   {result['first_seconds']:8.2f} s   {result['first_over_ideal']:.2f} times its bytes"
            )
            print(f"  second epoch  {result['second_seconds']:8.2f} s   {result['times_faster']:.1f} times faster")
            print(f"  {result['origin_reads']} reads of the store, {result['stalled_seconds']:.2f} s stalled\n")
    finally:
        store.stdin.close()
        store.wait()


if __name__ == "__main__":
    main()
