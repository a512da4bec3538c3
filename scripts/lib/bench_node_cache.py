"""Hits of a node's cache against what else two processes share: one run, interleaved, medians.

A sample is a tensor of 110 kB; a hit is asked for and summed up, so that whoever maps instead of copying pays for that
here too. Peers: `multiprocessing.Manager().dict()` of tensors, and diskcache where it is installed.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import tempfile
import time
from typing import Any, Callable, Dict, List

import headwater
import torch

BYTES = 110_000
SAMPLES = 400


def samples() -> List[Any]:
    return [torch.full((BYTES // 4,), float(index)) for index in range(SAMPLES)]


def of_ours(data: List[Any], **settings: Any) -> Callable[[int], Any]:
    cached = headwater.CachedDataset(data, policy="lru", **settings)
    for index in range(SAMPLES):
        cached[index]
    return cached.__getitem__


def of_manager(data: List[Any]) -> Callable[[int], Any]:
    shared = multiprocessing.Manager().dict()
    shared.update(enumerate(data))
    return shared.__getitem__


def of_diskcache(data: List[Any], folder: pathlib.Path) -> Callable[[int], Any]:
    import diskcache

    cache = diskcache.Cache(str(folder), size_limit=1 << 32, eviction_policy="least-recently-used")
    for index, sample in enumerate(data):
        cache[index] = sample
    return cache.__getitem__


def peers(data: List[Any], folder: pathlib.Path) -> Dict[str, Callable[[int], Any]]:
    found = {
        "headwater, memory": of_ours(data, memory="128MiB"),
        "headwater, ssd": of_ours(data, memory=0, ssd="128MiB", path=folder / "ssd"),
        "Manager().dict()": of_manager(data),
    }
    try:
        found["diskcache"] = of_diskcache(data, folder / "diskcache")
    except ImportError:
        print("diskcache is not installed: pip install diskcache")
    return found


def measure(get: Callable[[int], Any], rounds: int) -> List[float]:
    times = []
    for step in range(rounds):
        index = step * 37 % SAMPLES
        begin = time.perf_counter()
        total = float(get(index).sum())
        times.append(time.perf_counter() - begin)
        assert total == float(index) * (BYTES // 4)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        gets = peers(samples(), pathlib.Path(folder))
        times: Dict[str, List[float]] = {name: [] for name in gets}
        for _ in range(options.rounds):
            for name, get in gets.items():
                times[name] += measure(get, 400)
    found = {name: {"p50_us": statistics.median(one) * 1e6, "p99_us": sorted(one)[int(len(one) * 0.99)] * 1e6}
             for name, one in times.items()}  # fmt: skip
    ours = found["headwater, memory"]["p50_us"]
    for name, row in found.items():
        row["times_ours"] = row["p50_us"] / ours
    if options.json:
        print(json.dumps({"bytes": BYTES, "cores": os.cpu_count(), "hits": found}, indent=2))
        return
    print(f"hits of a tensor of {BYTES} bytes, read to its end, {os.cpu_count()} cores")
    for name, row in found.items():
        print(f"  {name:20} p50 {row['p50_us']:8.1f} us  p99 {row['p99_us']:8.1f} us  {row['times_ours']:6.1f} x ours")


if __name__ == "__main__":
    main()
