"""An accelerator of `scripts/bench scale`, emulated as MLPerf Storage does: it takes a batch, and waits for as long as
a step would take.

It reads as people do, from `headwater.IterableDataset` through a DataLoader. It says `ready` once its workers run, and
begins its epoch at the next line of standard input; then it prints what it saw as JSON.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time

import headwater
from processor import processor_seconds
from torch.utils.data import DataLoader

#: Batches that are read before the epoch: workers start and connect, and servers have seen the recipe.
WARM = 2


def processor() -> float:
    """CPU time of this process and of its DataLoader's workers."""
    return sum(processor_seconds(pid) for pid in (os.getpid(), *(one.pid for one in multiprocessing.active_children())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--cut", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--world", type=int, required=True)
    parser.add_argument("--step", type=float, required=True, help="seconds")
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()
    data = headwater.IterableDataset(
        args.servers,
        "bench",
        "imagenet-train",
        cut=args.cut,
        batch_size=args.batch,
        drop_last=True,
        rank=args.rank,
        world=args.world,
    )
    loader = DataLoader(data, batch_size=None, num_workers=args.workers, persistent_workers=args.workers > 0)
    for _ in zip(range(WARM), loader):
        pass
    print("ready", flush=True)
    sys.stdin.readline()
    before, begin, settled, steps, samples = processor(), time.monotonic(), None, 0, 0
    for images, _ in loader:
        time.sleep(args.step)
        settled = settled or time.monotonic()
        steps, samples = steps + 1, samples + len(images)
    end, used = time.monotonic(), processor() - before
    found = {"begin": begin, "settled": settled, "end": end, "steps": steps, "samples": samples, "processor": used}
    print(json.dumps({**found, "failed": data.counters()["failed"]}), flush=True)


if __name__ == "__main__":
    main()
