"""A cache that DataLoader's workers and several jobs share: one limit, true counters, one reader."""

import gzip
import multiprocessing
import os
import pathlib
import signal
import threading
import time
from typing import Any, List

import headwater
import numpy as np
import pytest
import torch
from cached_data import Counting, is_value, newest, on_disk, reads, standing_still
from test_cached import SIZE, TABLE, frames, nothing_is_left_in_memory  # noqa: F401
from torch.utils.data import DataLoader

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Watch:
    """The most bytes of the files of both tiers, memory first, looked at as often as the machine lets it."""

    def __init__(self, *tiers: pathlib.Path) -> None:
        self.most, self.looks, self._tiers, self._over = [0] * len(tiers), 0, tiers, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            with standing_still(self._tiers[0]):
                self.most = [max(most, on_disk(tier)) for most, tier in zip(self.most, self._tiers)]
            self.looks += 1
            time.sleep(0.005)

    def again(self) -> None:
        """Waits for another look, so that a slow machine looks no less often than a fast one."""
        seen, last = self.looks, time.monotonic() + 30
        while self.looks == seen:
            assert time.monotonic() < last, "the watch has not looked for 30 seconds"
            time.sleep(0.001)

    def end(self) -> List[int]:
        self._over.set()
        self._thread.join()
        return self.most


@pytest.mark.parametrize("workers, context", [(2, "fork"), (4, "fork"), (2, "spawn")])
def test_workers_share_one_exact_limit_and_true_counters(tmp_path: pathlib.Path, workers: int, context: str) -> None:
    data = Counting(tmp_path / "log", 120, SIZE)
    cached = headwater.CachedDataset(
        data, memory=TABLE(120) + frames(30), ssd=frames(50), path=tmp_path / "ssd", policy="lru"
    )
    watch = Watch(newest(), tmp_path / "ssd")
    loader = DataLoader(
        cached, 10, shuffle=True, num_workers=workers, multiprocessing_context=context, persistent_workers=True
    )
    for _ in range(3):
        seen = []
        for tensors, rest in loader:
            for tensor, index, again in zip(tensors, rest["index"], rest["again"]):
                assert is_value((tensor, {"index": int(index), "again": again.numpy()}), int(index), SIZE)
                seen.append(int(index))
            watch.again()
        assert sorted(seen) == list(range(120))
    most = watch.end()
    counts, usage = cached.counts(), cached.usage()
    assert most[0] <= usage["memory_limit"] and most[1] <= usage["ssd_limit"]
    assert counts["accesses"] == 360 and counts["origin"] == len(reads(tmp_path / "log"))
    assert counts["ssd_hits"] + counts["memory_hits"] > 0 and counts["corrupt"] == counts["busy"] == 0
    assert [on_disk(newest()), on_disk(tmp_path / "ssd")] == [usage["memory_bytes"], usage["ssd_bytes"]]
    del loader
    cached.close()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_are_those_of_the_dataset(tmp_path: pathlib.Path, workers: int, persistent: bool) -> None:
    if persistent and not workers:
        pytest.skip("no workers to persist")
    data = Counting(tmp_path / "log", 30, SIZE)
    cached = headwater.CachedDataset(data, memory="4MiB")

    def batches(dataset: Any) -> List[Any]:
        loader = DataLoader(
            dataset,
            7,
            shuffle=True,
            num_workers=workers,
            generator=torch.Generator().manual_seed(3),
            persistent_workers=persistent,
            pin_memory=True,
        )
        return [batch for _ in range(2) for batch in loader]

    for ours, theirs in zip(batches(cached), batches(data)):
        assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1]["again"], theirs[1]["again"])
    assert len(reads(tmp_path / "log")) == 90
    cached.close()


def ask(cached: Any, index: int) -> None:
    assert is_value(cached[index], index, SIZE)


def test_one_reads_while_the_others_wait(tmp_path: pathlib.Path) -> None:
    cached = headwater.CachedDataset(Counting(tmp_path / "log", 5, SIZE, pause=0.3), memory="1MiB")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=ask, args=(cached, 3)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert reads(tmp_path / "log") == [3]
    counts = cached.counts()
    assert (counts["origin"], counts["memory_hits"]) == (1, 3)
    cached.close()


def test_a_reader_that_dies_is_replaced(tmp_path: pathlib.Path) -> None:
    cached = headwater.CachedDataset(Counting(tmp_path / "log", 5, SIZE, pause=1.0), memory="1MiB")
    reader = multiprocessing.get_context("fork").Process(target=ask, args=(cached, 3))
    reader.start()
    while not reads(tmp_path / "log"):
        time.sleep(0.01)
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    reader.join()
    assert is_value(cached[3], 3, SIZE)
    assert reads(tmp_path / "log") == [3, 3]
    cached.close()


def churn(cached: Any, seed: int) -> None:
    order = torch.Generator().manual_seed(seed)
    while True:
        index = int(torch.randint(40, (1,), generator=order))
        assert is_value(cached[index], index, SIZE)


def test_killed_workers_leave_sums_that_fit(tmp_path: pathlib.Path) -> None:
    cached = headwater.CachedDataset(
        Counting(tmp_path / "log", 40, SIZE), memory=TABLE(40) + frames(8), ssd=frames(12), path=tmp_path / "ssd",
        policy="lru",
    )  # fmt: skip
    watch = Watch(newest(), tmp_path / "ssd")
    context = multiprocessing.get_context("fork")
    for round_ in range(12):
        workers = [context.Process(target=churn, args=(cached, 2 * round_ + one)) for one in (0, 1)]
        for worker in workers:
            worker.start()
        time.sleep(0.03 + 0.017 * round_)
        watch.again()
        for worker in workers:
            assert worker.pid is not None and worker.exitcode is None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
    for _ in range(2):
        assert all(is_value(cached[index], index, SIZE) for index in range(40))
    most = watch.end()
    counts, usage = cached.counts(), cached.usage()
    assert most[0] <= usage["memory_limit"] and most[1] <= usage["ssd_limit"]
    assert [on_disk(newest()), on_disk(tmp_path / "ssd")] == [usage["memory_bytes"], usage["ssd_bytes"]]
    assert counts["corrupt"] == 0 and usage["memory_entries"] == 8
    cached.close()


def test_jobs_that_give_the_same_name_share_one_cache(tmp_path: pathlib.Path) -> None:
    data = Counting(tmp_path / "log", 5, SIZE)
    one = headwater.CachedDataset(data, memory="1MiB", name="shared-by-tests")
    other = headwater.CachedDataset(data, memory="1MiB", name="shared-by-tests")
    apart = headwater.CachedDataset(data, memory="1MiB")
    for cached in (one, other, apart):
        assert is_value(cached[2], 2, SIZE)
    assert reads(tmp_path / "log") == [2, 2]
    assert one.counts() == other.counts() != apart.counts()
    one.close()
    assert is_value(other[2], 2, SIZE) and reads(tmp_path / "log") == [2, 2]
    for cached in (other, apart):
        cached.close()


class FashionMnist:
    """The images of Fashion-MNIST where the test data is, and generated ones elsewhere."""

    def __init__(self, count: int) -> None:
        root = pathlib.Path(os.environ.get("HEADWATER_TEST_DATA", ROOT / "../shared/data")) / "fashion_mnist"
        images, labels = (root / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1"))
        if images.exists():
            self.images = np.frombuffer(gzip.open(images).read(16 + 784 * count)[16:], np.uint8).reshape(count, 28, 28)
            self.labels = np.frombuffer(gzip.open(labels).read(8 + count)[8:], np.uint8)
        else:
            random = np.random.default_rng(1)
            self.images = random.integers(0, 256, (count, 28, 28), np.uint8)
            self.labels = random.integers(0, 10, count, np.uint8)
        print("Fashion-MNIST" if images.exists() else "generated images")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return torch.from_numpy(self.images[index].copy()).float().div_(255), int(self.labels[index])


def trained(dataset: Any) -> List[float]:
    """The losses of two epochs."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    generator = torch.Generator().manual_seed(2)
    losses = []
    for _ in range(2):
        for images, labels in DataLoader(dataset, 50, shuffle=True, num_workers=2, generator=generator):
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
    return losses


def test_training_goes_as_without_the_cache(tmp_path: pathlib.Path) -> None:
    data = FashionMnist(1000)
    cached = headwater.CachedDataset(data, memory="2MiB", ssd="16MiB", path=tmp_path / "ssd", policy="lru")
    losses = trained(cached)
    assert losses == trained(data) and losses[-1] < losses[0]
    counts = cached.counts()
    assert counts["origin"] == 1000 and counts["memory_hits"] + counts["ssd_hits"] == 1000 and counts["ssd_hits"] > 0
    cached.close()
