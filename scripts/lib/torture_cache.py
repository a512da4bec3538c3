"""A node's cache while its processes are killed: no wrong value, no limit exceeded, no space lost.

Each round: workers and jobs churn over one cache, and are killed one after the other at odd moments, while the files of
both tiers are looked at 100 times a second and more. At the end everything is asked for once more.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
from typing import Any, List

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python/headwater/tests"))

import headwater  # noqa: E402
from cached_data import Counting, folders, is_value, newest, on_disk, standing_still  # noqa: E402

SAMPLES, SIZE = 200, 22_000


def cache(folder: pathlib.Path) -> Any:
    table = headwater._headwater.cache_table_bytes(SAMPLES)
    data = Counting(folder / "log", SAMPLES, SIZE)
    return headwater.CachedDataset(
        data, memory=table + 40 * 24576, ssd=80 * 24576, path=folder / "ssd", policy="lru", name="torture"
    )


def churn(folder: pathlib.Path, seed: int, cached: Any) -> None:
    mine = cache(folder) if cached is None else cached
    order = random.Random(seed)
    while True:
        index = order.randrange(SAMPLES)
        if not is_value(mine[index], index, SIZE):
            (folder / "wrong").write_text(f"{index}\n")


class Watch(threading.Thread):
    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.most, self.looks, self.over = folder, [0, 0], 0, False

    def run(self) -> None:
        while not self.over:
            tiers = [newest(), self.folder / "ssd"]
            with standing_still(tiers[0]):
                self.most = [max(most, on_disk(tier)) for most, tier in zip(self.most, tiers)]
            self.looks += 1
            time.sleep(0.005)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    order, kills = random.Random(options.seed), 0
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cached = cache(folder)
        limits = cached.usage()
        watch = Watch(folder)
        watch.start()

        def start(seed: int) -> Any:
            # Workers of this job, and jobs of their own.
            shares = cached if order.random() < 0.7 else None
            process = context.Process(target=churn, args=(folder, seed, shares), daemon=True)
            process.start()
            return process

        running: List[Any] = [start(seed) for seed in range(options.workers)]
        while kills < options.kills:
            time.sleep(order.random() * 0.06)
            victim = running.pop(order.randrange(len(running)))
            os.kill(victim.pid, signal.SIGKILL)
            victim.join()
            assert victim.exitcode == -signal.SIGKILL, f"a worker failed: {victim.exitcode}"
            kills += 1
            running.append(start(1000 + kills))
        for process in running:
            process.kill()
            process.join()
        wrong = sum(not is_value(cached[index], index, SIZE) for _ in range(2) for index in range(SAMPLES))
        wrong += (folder / "wrong").exists()
        watch.over = True
        watch.join()
        usage, counts = cached.usage(), cached.counts()
        real = [on_disk(newest()), on_disk(folder / "ssd")]
        found = {
            "kills": kills,
            "wrong": wrong,
            "looks": watch.looks,
            "most_bytes": watch.most,
            "limits": [limits["memory_limit"], limits["ssd_limit"]],
            "said": [usage["memory_bytes"], usage["ssd_bytes"]],
            "there": real,
            "counts": counts,
        }
        cached.close()
    found["left_in_memory"] = [str(one) for one in folders()]
    print(json.dumps(found, indent=2))
    kept = (
        not wrong
        and found["said"] == real
        and all(most <= limit for most, limit in zip(watch.most, found["limits"]))
        and not found["left_in_memory"]
        and counts["corrupt"] == 0
    )
    print("every limit was kept" if kept else "NOT every limit was kept")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
