"""Hits of a node's cache against what else two processes share: one run, interleaved, medians.

A sample is a tensor of 110 kB; a hit is asked for and summed up, so that whoever maps instead of copying pays for that
here too. Peers: `multiprocessing.Manager().dict()` of tensors; diskcache and BiLevelCache where they are installed (the
latter is the package `bicache` of its repository, which no registry has; `PYTHONPATH` may name where it lies). Then one
trace for ours and for BiLevelCache: see `node_trace.py`.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

import headwater
import node_trace
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

    cache = diskcache.Cache(str(folder / "diskcache"), size_limit=1 << 32, eviction_policy="least-recently-used")
    for index, sample in enumerate(data):
        cache[index] = sample
    return cache.__getitem__


def of_bilevel(data: List[Any], folder: pathlib.Path) -> Callable[[int], Any]:
    from bicache.datasets import BiLevelCachedDataset

    # It keeps samples that are dicts.
    cache = BiLevelCachedDataset([{"image": sample} for sample in data], 1 << 30, 1 << 30, str(folder / "bilevel"))
    for index in range(SAMPLES):
        cache[index]
    return lambda index: cache[index]["image"]


def peers(data: List[Any], folder: pathlib.Path) -> Dict[str, Callable[[int], Any]]:
    found = {
        "headwater, memory": of_ours(data, memory="128MiB"),
        "headwater, ssd": of_ours(data, memory=0, ssd="128MiB", path=folder / "ssd"),
        "Manager().dict()": of_manager(data),
    }
    for name, of_peer in (("diskcache", of_diskcache), ("BiLevelCache", of_bilevel)):
        try:
            found[name] = of_peer(data, folder)
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
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
    traced = node_trace.measure()
    if options.json:
        print(json.dumps({"bytes": BYTES, "cores": os.cpu_count(), "hits": found, "trace": traced}, indent=2))
        return
    print(f"hits of a tensor of {BYTES} bytes, read to its end, {os.cpu_count()} cores")
    for name, row in found.items():
        print(f"  {name:20} p50 {row['p50_us']:8.1f} us  p99 {row['p99_us']:8.1f} us  {row['times_ours']:6.1f} x ours")
    node_trace.show(traced)


if __name__ == "__main__":
    main()
