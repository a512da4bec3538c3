"""One trace through our cache of a training node and through BiLevelCache: same samples, order and limits.

Three epochs, each in an order of its own, over samples of 110 kB in a dict, of which a third fits into memory and a
third on the SSD. In one process, and by the workers of a DataLoader. The bytes of the SSD's files are looked at 100
times a second and more, and what was read from the origin is counted by the dataset itself.
"""

import contextlib
import functools
import gc
import multiprocessing
import pathlib
import random
import statistics
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Iterator, List

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python/headwater/tests"))

import headwater  # noqa: E402
from cached_data import newest, on_disk, reads, standing_still  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

BYTES, SAMPLES, EPOCHS = 110_000, 240, 3
#: What a sample takes in a cache's tier: whole blocks.
TAKES = 28 * 4096
MEMORY, SSD = SAMPLES // 3 * TAKES, SAMPLES // 3 * TAKES


class Dicts:
    """Samples that are dicts of bytes; each read is a line in a file."""

    def __init__(self, log: pathlib.Path) -> None:
        self._log = log

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> Dict[str, bytes]:
        with open(self._log, "a") as log:
            log.write(f"{index}\n")
        return value(index)


@functools.lru_cache(None)
def value(index: int) -> Dict[str, bytes]:
    return {"image": random.Random(index).randbytes(BYTES)}


class Ours:
    name = "headwater"

    def __init__(self, folder: pathlib.Path) -> None:
        self._ssd, table = folder / "ssd", headwater._headwater.cache_table_bytes(SAMPLES)
        self.dataset: Any = headwater.CachedDataset(
            Dicts(folder / "log"), memory=table + MEMORY, ssd=SSD, path=self._ssd, policy="lru"
        )
        self._memory = newest()

    def memory_hits(self) -> int:
        return self.dataset.counts()["memory_hits"]

    def origin(self) -> int:
        return self.dataset.counts()["origin"]

    def ssd_bytes(self) -> int:
        with standing_still(self._memory):
            return on_disk(self._ssd)

    def close(self) -> None:
        self.dataset.close()


class Theirs:
    name = "BiLevelCache"

    def __init__(self, folder: pathlib.Path) -> None:
        from bicache.datasets import BiLevelCachedDataset

        self._ssd = folder / "lmdb"
        self.dataset: Any = BiLevelCachedDataset(Dicts(folder / "log"), MEMORY, SSD, str(self._ssd))
        (folder / "log").unlink()  # it reads sample 0 to know the size of all

    def memory_hits(self) -> int:
        # It counts a hit before it knows whether it is one.
        return self.dataset.memory_cache.hits.value - self.dataset.memory_cache.misses.value

    def origin(self) -> int:
        return self.dataset.memory_cache.misses.value

    def ssd_bytes(self) -> int:
        return (self._ssd / "data.mdb").stat().st_blocks * 512

    def close(self) -> None:
        pass


def look(bytes_now: Callable[[], int], results: Any) -> None:
    most, looks, begin = 0, 0, time.perf_counter()
    while not results.poll(0.004):
        most, looks = max(most, bytes_now()), looks + 1
    seconds = time.perf_counter() - begin
    most = max(most, bytes_now())
    results.send({"ssd_most": most, "ssd_over_limit": most > SSD, "looks_per_second": round(looks / seconds)})


@contextlib.contextmanager
def watched(bytes_now: Callable[[], int], found: Dict[str, Any]) -> Iterator[None]:
    # A process of its own, which takes no time from what is measured but that of a core.
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    watch = context.Process(target=look, args=(bytes_now, there), daemon=True)
    watch.start()
    try:
        yield
    finally:
        here.send("over")
        found.update(here.recv())
        watch.join()


def order(epoch: int) -> List[int]:
    return random.Random(epoch).sample(range(SAMPLES), SAMPLES)


def alone(cache: Any, found: Dict[str, Any]) -> None:
    times = []
    for epoch in range(EPOCHS):
        # Twice each, the second time soon: hits in memory.
        for index in (one for pair in zip(*[iter(order(epoch))] * 4) for one in pair + pair):
            before, begin = cache.memory_hits(), time.perf_counter()
            sample = cache.dataset[index]
            seconds = time.perf_counter() - begin
            found["wrong"] += sample != value(index)
            if cache.memory_hits() > before:
                times.append(seconds)
    found["memory_hit_p50_us"] = round(statistics.median(times) * 1e6, 1)


def together(cache: Any, workers: int, found: Dict[str, Any]) -> None:
    for epoch in range(EPOCHS):
        loader = DataLoader(
            cache.dataset, None, sampler=order(epoch), num_workers=workers, multiprocessing_context="fork"
        )
        for index, sample in zip(order(epoch), loader):
            found["wrong"] += sample != value(index)


def run(make: Any, workers: int) -> Dict[str, Any]:
    gc.collect()  # workers that an earlier run left end in their own parent, not in a process that is forked now
    found: Dict[str, Any] = {"cache": make.name, "workers": workers, "wrong": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cache = make(folder)
        try:
            with watched(cache.ssd_bytes, found):
                together(cache, workers, found) if workers else alone(cache, found)
        except Exception as error:
            found["failed"] = f"{type(error).__name__}: {str(error).strip().splitlines()[-1][:100]}"
        found.update(origin_reads=len(reads(folder / "log")), origin_said=cache.origin(), ssd_limit=SSD)
        cache.close()
    return found


def measure() -> List[Dict[str, Any]]:
    try:
        import bicache  # noqa: F401

        makers: List[Any] = [Ours, Theirs]
    except ImportError:
        makers = [Ours]
    return [run(make, workers) for workers in (0, 2, 4) for make in makers]


def show(rows: List[Dict[str, Any]]) -> None:
    print(f"{EPOCHS} epochs of {SAMPLES} samples of {BYTES} bytes, of which a third fits into each tier")
    for row in rows:
        hit = f"memory hit p50 {row['memory_hit_p50_us']} us, " if "memory_hit_p50_us" in row else ""
        print(
            f"  {row['cache']:13} {row['workers']} workers: {hit}{row['origin_reads']} reads of the origin "
            f"({row['origin_said']} said), at most {row['ssd_most']} of {row['ssd_limit']} bytes on the SSD "
            f"({row['looks_per_second']} looks a second), {row['wrong']} wrong"
            + (f"; {row['failed']}" if "failed" in row else "")
        )
