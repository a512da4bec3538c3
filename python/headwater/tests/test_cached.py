"""A cache around a dataset gives what the dataset gives, from its two tiers, and says truly from where."""

import collections
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import warnings
from typing import Any, Dict, Iterator, List

import headwater
import numpy as np
import pytest
import torch
from cached_data import Counting, folders, is_value, newest, on_disk, reads

SIZE = 22_000
TABLE = headwater._headwater.cache_table_bytes


def frames(count: int, size: int = SIZE) -> int:
    """Bytes of so many values' files: their heads and pickles take less than a block."""
    return count * (-(-(size + 600) // 4096) * 4096)


@pytest.fixture(autouse=True)
def nothing_is_left_in_memory() -> Iterator[None]:
    before = folders()
    yield
    assert set(folders()) <= set(before)


def cache(data: Any, tmp_path: pathlib.Path, memory: int, ssd: int = 0, **settings: Any) -> headwater.CachedDataset:
    if ssd:
        settings = {"ssd": frames(ssd), "path": tmp_path / "ssd", **settings}
    return headwater.CachedDataset(data, memory=TABLE(len(data)) + frames(memory), **settings)


def test_samples_are_read_once_and_come_back_as_they_were(tmp_path: pathlib.Path) -> None:
    data = Counting(tmp_path / "log", 10, SIZE)
    cached = cache(data, tmp_path, 10)
    for _ in range(3):
        for index in range(10):
            assert is_value(cached[index], index, SIZE)
    assert reads(tmp_path / "log") == list(range(10))
    counts = cached.counts()
    assert (counts["accesses"], counts["origin"], counts["memory_hits"]) == (30, 10, 20)
    assert is_value(cached[np.int64(3)], 3, SIZE) and is_value(cached[-1], 9, SIZE)
    assert len(cached) == 10 and cached.classes == ["cat", "dog"]
    assert [is_value(found, index, SIZE) for index, found in zip([4, 2], cached.__getitems__([4, 2]))] == [True, True]
    for wrong, error in ((10, IndexError), (1.0, TypeError), (slice(2), TypeError), ([1], TypeError)):
        with pytest.raises(error):
            cached[wrong]
    cached.close()


class Many:
    """Samples of every kind that training has."""

    samples: List[Any] = [
        torch.arange(12, dtype=torch.bfloat16).reshape(3, 4).t(),
        torch.zeros(0, 3),
        torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.sparse_coo_tensor([[0, 1]], [1.0, 2.0]),
        torch.tensor([1 + 2j]),
        torch.nn.Parameter(torch.ones(3)),
        torch.arange(100)[10:20],
        torch.arange(100)[::7],
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(100)[::3],
        np.array(["a", None], object),
        np.float32(3),
        (torch.ones(2), {"a": [np.ones(3), "text", b"bytes", None]}),
        collections.OrderedDict(b=1, a=torch.ones(1)),
        [np.full(2, number) for number in range(5000)],
        "text",
        None,
        7,
    ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        return self.samples[index]


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        if one.is_sparse:
            one, other = one.to_dense(), other.to_dense()
        return one.dtype == other.dtype and one.stride() == other.stride() and bool(torch.equal(one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_any_sample_comes_back_with_its_type_and_layout() -> None:
    cached = headwater.CachedDataset(Many(), memory="16MiB")
    for _ in range(2):
        for index, sample in enumerate(Many.samples):
            assert same(sample, cached[index]), index
    assert cached.counts()["memory_hits"] == len(Many.samples)
    # What is given is the caller's own: changing it changes nothing of what is kept.
    for index in (0, 8, 9):
        cached[index][:] = 0
        assert same(Many.samples[index], cached[index])
    cached.close()


def test_large_samples_are_mapped_and_can_be_changed(tmp_path: pathlib.Path) -> None:
    large = [np.arange(1 << 20, dtype=np.int64), np.ones(1 << 20)]
    cached = headwater.CachedDataset(large, memory="64MiB")
    for index in (0, 1):
        assert np.array_equal(cached[index], large[index])
    first = cached[0]
    first[0] = 7
    assert cached[0][0] == 0 and first[0] == 7 and cached.counts()["memory_hits"] == 2
    cached.close()
    assert first[1] == 1


class Lru:
    """What two tiers by recency do, in blocks of 4096 bytes."""

    def __init__(self, memory: int, ssd: int) -> None:
        self.limits, self.bytes = (memory, ssd), [0, 0]
        self.tiers: Any = (collections.OrderedDict(), collections.OrderedDict())
        self.counts: Dict[str, int] = dict(memory_hits=0, ssd_hits=0, origin=0)

    def access(self, key: int, size: int) -> None:
        (memory, ssd), bytes_ = self.tiers, self.bytes
        if key in memory:
            memory.move_to_end(key)
            self.counts["memory_hits"] += 1
            return
        if key in ssd:
            bytes_[1] -= ssd.pop(key)
            self.counts["ssd_hits"] += 1
        else:
            self.counts["origin"] += 1
        while bytes_[0] + size > self.limits[0]:
            old, old_size = memory.popitem(last=False)
            bytes_[0] -= old_size
            while bytes_[1] + old_size > self.limits[1]:
                bytes_[1] -= ssd.popitem(last=False)[1]
            ssd[old] = old_size
            bytes_[1] += old_size
        memory[key] = size
        bytes_[0] += size


def test_lru_over_both_tiers_is_the_simulators_to_the_access(tmp_path: pathlib.Path) -> None:
    random = np.random.default_rng(7)
    sizes = random.integers(1, 40_000, 200)
    data = [np.zeros(size, np.uint8) for size in sizes]
    cached = headwater.CachedDataset(
        data, memory=TABLE(200) + (1 << 20), ssd=2 << 20, path=tmp_path / "ssd", policy="lru"
    )
    model = Lru(1 << 20, 2 << 20)
    for step, key in enumerate(random.zipf(1.2, 3000) % 200):
        assert len(cached[key]) == sizes[key]
        probe = headwater.pickles.dump(data[key])[0]
        start = 64 + 8 + len(probe)
        model.access(key, -(-(-(-start // 64) * 64 + int(sizes[key])) // 4096) * 4096)
        if step % 500 == 0:
            counts, usage = cached.counts(), cached.usage()
            assert {name: counts[name] for name in model.counts} == model.counts
            assert [usage["memory_bytes"], usage["ssd_bytes"]] == model.bytes
    usage, folder = cached.usage(), newest()
    assert min(model.counts.values()) > 100
    assert [usage["memory_entries"], usage["ssd_entries"]] == [len(tier) for tier in model.tiers]
    assert [on_disk(folder), on_disk(tmp_path / "ssd")] == model.bytes
    cached.close()


def test_what_came_first_stays_where_nothing_is_known(tmp_path: pathlib.Path) -> None:
    for policy in ("static", None):
        data = Counting(tmp_path / f"log-{policy}", 40, SIZE)
        cached = cache(data, tmp_path, 10, policy=policy)
        for epoch in range(4):
            for index in np.random.default_rng(epoch).permutation(40):
                cached[int(index)]
        # The bound for an order in which each comes once: what is there is hit, and no more.
        assert cached.counts()["memory_hits"] == 30, policy
        cached.close()


def test_an_announced_order_decides_what_stays(tmp_path: pathlib.Path) -> None:
    cached = cache(Counting(tmp_path / "log", 40, SIZE), tmp_path, 10)
    orders = [np.random.default_rng(epoch).permutation(40) for epoch in range(4)]
    cached.announce(orders[0])
    for epoch, order in enumerate(orders):
        if epoch + 1 < len(orders):
            cached.announce(orders[epoch + 1])
        for index in order:
            cached[int(index)]
    # As many as there are between epochs in which each comes once: Belady's bound.
    assert cached.counts()["memory_hits"] == 30
    assert cached.policy == "planned"
    cached.close()


def test_reported_losses_decide_what_stays(tmp_path: pathlib.Path) -> None:
    cached = cache(Counting(tmp_path / "log", 40, SIZE, pause=0.001), tmp_path, 10)
    for index in range(40):
        cached[index]
    assert cached.policy == "planned"
    hard = list(range(20, 30))
    cached.report(torch.arange(40), torch.tensor([100.0 if index in hard else 0.001 for index in range(40)]))
    assert cached.policy == "importance"
    for index in hard:
        cached[index]
    before = cached.counts()["memory_hits"]
    for index in hard:
        cached[index]
    assert cached.counts()["memory_hits"] == before + 10
    cached.close()


def test_the_next_job_finds_what_is_on_the_ssd_and_nothing_in_memory(tmp_path: pathlib.Path) -> None:
    data = Counting(tmp_path / "log", 60, SIZE)
    cached = cache(data, tmp_path, 10, 50, policy="lru")
    for index in range(60):
        cached[index]
    on_ssd = cached.usage()["ssd_entries"]
    assert on_ssd == 50
    cached.close()
    again = cache(data, tmp_path, 10, 50, policy="static")
    assert again.usage()["memory_entries"] == 0
    for index in range(50):
        assert is_value(again[index], index, SIZE)
    counts = again.counts()
    assert counts["ssd_hits"] >= 0.99 * on_ssd and counts["corrupt"] == 0
    again.close()
    # Half the limit is kept before anything is asked for.
    half = cache(data, tmp_path, 10, 20, policy="static")
    assert half.usage()["ssd_entries"] == 20 and on_disk(tmp_path / "ssd") <= frames(20)
    half.close()


def test_another_length_or_version_is_another_dataset(tmp_path: pathlib.Path) -> None:
    def asked(length: int, salt: int, **settings: Any) -> int:
        cached = cache(Counting(tmp_path / "log", length, SIZE, salt=salt), tmp_path, 2, 10, policy="lru", **settings)
        for index in range(5):
            assert is_value(cached[index], index, SIZE, salt)
        hits = cached.counts()["ssd_hits"]
        cached.close()
        return hits

    assert [asked(5, 0), asked(5, 0) > 0] == [0, True]
    assert asked(6, 1) == 0
    assert asked(6, 2, version=2) == 0
    assert asked(6, 3, version="2") == 0
    assert len(list((tmp_path / "ssd/values").iterdir())) <= 5


def test_a_path_is_one_datasets_at_a_time_and_never_holds_other_files(tmp_path: pathlib.Path) -> None:
    data = Counting(tmp_path / "log", 5, SIZE)
    cached = cache(data, tmp_path, 2, 10)
    with pytest.raises(headwater.CacheError, match="in use.*its own path="):
        cache(data, tmp_path, 2, 10, version=2)
    cached.close()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(b"photo")
    with pytest.raises(headwater.CacheError, match="holds other files"):
        cache(data, tmp_path, 2, 10, path=tmp_path / "photos")
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["a.jpg"]
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(headwater.CacheError, match="written to by others"):
        cache(data, tmp_path, 2, 10, path=tmp_path / "open")
    headwater._headwater.remove_orphans("/dev/shm")


def test_a_broken_value_is_read_anew_and_counted(tmp_path: pathlib.Path) -> None:
    data = Counting(tmp_path / "log", 8, SIZE)
    cached = cache(data, tmp_path, 0, 8, policy="lru")
    for index in range(8):
        cached[index]
    for index, at in ((1, 0), (2, 9), (3, 50), (4, 9000)):
        file = tmp_path / f"ssd/values/{index}"
        content = bytearray(file.read_bytes())
        content[at] ^= 1
        file.write_bytes(content)
    (tmp_path / "ssd/values/5").write_bytes(b"torn")
    (tmp_path / "ssd/values/6").unlink()
    for _ in range(2):
        for index in range(8):
            assert is_value(cached[index], index, SIZE)
    counts = cached.counts()
    assert (counts["corrupt"], counts["origin"], counts["ssd_hits"]) == (5, 14, 10)
    cached.close()


def test_what_is_larger_than_a_tier_goes_to_the_other_or_nowhere(tmp_path: pathlib.Path) -> None:
    data = [np.zeros(30_000, np.uint8), np.zeros(200_000, np.uint8), np.zeros(900_000, np.uint8)]
    with headwater_warnings() as said:
        cached = headwater.CachedDataset(
            data, memory=TABLE(3) + (64 << 10), ssd=512 << 10, path=tmp_path / "ssd", policy="lru"
        )
        for _ in range(2):
            assert [len(cached[index]) for index in range(3)] == [30_000, 200_000, 900_000]
    counts = cached.counts()
    assert (counts["memory_hits"], counts["ssd_hits"], counts["origin"], counts["rejected"]) == (1, 1, 4, 2)
    assert not said
    cached.close()


class headwater_warnings(warnings.catch_warnings):
    """The package's warnings, each as often as it is given."""

    def __init__(self) -> None:
        super().__init__(record=True)

    def __enter__(self) -> Any:
        said = super().__enter__()
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", headwater.HeadwaterWarning)
        return said


def test_a_sample_that_cannot_be_pickled_is_given_and_said_once() -> None:
    cached = headwater.CachedDataset([lambda: 7, lambda: 8], memory="1MiB")
    with headwater_warnings() as said:
        for _ in range(2):
            assert [cached[0](), cached[1]()] == [7, 8]
    assert [str(one.message)[:20] for one in said] == ["sample 0 is not kept"]
    assert cached.counts()["origin"] == 4
    cached.close()


def test_an_error_of_the_dataset_is_the_callers_and_blocks_nobody() -> None:
    class Failing(Many):
        fails = True

        def __getitem__(self, index: int) -> Any:
            if self.fails:
                raise OSError("gone")
            return index

    data = Failing()
    cached = headwater.CachedDataset(data, memory="1MiB")
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            cached[3]
    data.fails = False
    assert [cached[3], cached[3]] == [3, 3]
    assert cached.counts()["memory_hits"] == 1
    cached.close()


class Endless:
    def __getitem__(self, index: int) -> int:
        return index


def test_arguments_are_refused_where_they_are_given(tmp_path: pathlib.Path) -> None:
    data = [1, 2, 3]
    for settings, error, words in (
        (dict(memory="lots"), ValueError, 'memory=.lots.: give a size such as "4GiB"'),
        (dict(memory="120%"), ValueError, "at most 100%"),
        (dict(memory=-1), ValueError, "memory=-1"),
        (dict(memory=0.5), TypeError, "memory=0.5"),
        (dict(memory=True), TypeError, "memory=True"),
        (dict(ssd="1GiB"), ValueError, "without path=: give both"),
        (dict(path=tmp_path), ValueError, "without ssd=: give both"),
        (dict(policy="belady"), ValueError, "policy='belady': use one of planned"),
        (dict(version=1.5), TypeError, "version=1.5"),
        (dict(name=""), ValueError, "name="),
        (dict(memory=4096), headwater.CacheError, "table of 3 samples alone takes"),
    ):
        with pytest.raises(error, match=words):
            headwater.CachedDataset(data, **settings)
    for wrong, words in ((iter(data), "no __getitem__"), (Endless(), "__len__"), (7, "no __getitem__")):
        with pytest.raises(TypeError, match=words):
            headwater.CachedDataset(wrong)
    cached = headwater.CachedDataset(data, memory="1MiB")
    for call, error in (
        (lambda: cached.announce([3]), ValueError),
        (lambda: cached.announce("012"), TypeError),
        (lambda: cached.report([0, 1], [1.0]), ValueError),
        (lambda: cached.report([5], [1.0]), ValueError),
    ):
        with pytest.raises(error):
            call()
    cached.close()
    headwater._headwater.remove_orphans("/dev/shm")


def test_more_memory_than_there_is_is_capped_and_said() -> None:
    with headwater_warnings() as said:
        cached = headwater.CachedDataset([1], memory="900TiB")
    assert "/dev/shm" in str(said[0].message) and "--shm-size" in str(said[0].message)
    assert cached.usage()["memory_limit"] < 900 << 40
    cached.close()


SMALL_SHM = """
import sys, warnings
import numpy as np, headwater
data = [np.full(100_000, index, np.uint8) for index in range(40)]
table = headwater._headwater.cache_table_bytes(40)
cached = headwater.CachedDataset(data, memory=table + 1_900_000)
open("/dev/shm/others", "wb").write(bytes(1 << 20))
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    for _ in range(2):
        assert all((cached[index] == index).all() for index in range(40))
counts = cached.counts()
assert counts["accesses"] == 80 and counts["memory_failed"] > 0 and counts["memory_hits"] > 0, counts
assert len(said) == 1 and "/dev/shm" in str(said[0].message), said
"""


def test_a_full_shared_memory_is_no_cache_and_said_once(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SMALL_SHM)
    mount = "mount -t tmpfs -o size=2600k tmpfs /dev/shm && exec " + f"{sys.executable} {script}"
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*words, "mount -t tmpfs tmpfs /dev/shm"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no mounts of one's own here")
    done = subprocess.run([*words, mount], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


KILLED = """
import os, sys
import headwater
from cached_data import Counting
import pathlib
folder = pathlib.Path(sys.argv[1])
data, path = Counting(folder / "log", 60, 22_000), folder / "ssd"
cached = headwater.CachedDataset(data, memory="2MiB", ssd="8MiB", path=path, policy="lru")
print("ready", flush=True)
while True:
    for index in range(60):
        cached[index]
"""


def test_a_killed_job_leaves_no_wrong_value_and_no_lost_space(tmp_path: pathlib.Path) -> None:
    tests, before = pathlib.Path(__file__).parent, folders()
    for round_ in range(2):
        job = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=tests, env=os.environ
        )
        assert job.stdout is not None and job.stdout.readline() == b"ready\n"
        while len(reads(tmp_path / "log")) < 60 * (round_ + 1) and job.poll() is None and round_ == 0:
            pass
        job.send_signal(signal.SIGKILL)
        job.wait()
        assert len(folders()) == len(before) + 1
        # Any cache of this user removes what the dead left, and nothing else.
        headwater.CachedDataset([1], memory="1MiB").close()
        assert folders() == before
    cached = headwater.CachedDataset(
        Counting(tmp_path / "log", 60, SIZE), memory="2MiB", ssd="8MiB", path=tmp_path / "ssd", policy="lru"
    )
    assert not list((tmp_path / "ssd/unfinished").iterdir())
    assert on_disk(tmp_path / "ssd") == cached.usage()["ssd_bytes"]
    assert all(is_value(cached[index], index, SIZE) for index in range(60))
    assert cached.counts()["corrupt"] == 0
    cached.close()


def test_a_burst_is_found_afterwards_or_counted(tmp_path: pathlib.Path) -> None:
    data = [np.full(110_000 // 8, index, np.float64) for index in range(800)]
    cached = headwater.CachedDataset(
        data, memory=TABLE(800) + (6 << 20), ssd=48 << 20, path=tmp_path / "ssd", policy="lru"
    )
    for index in range(800):
        cached[index]
    counts, usage = cached.counts(), cached.usage()
    assert counts["admitted"] == 800 and counts["rejected"] == counts["ssd_failed"] == 0
    assert usage["memory_entries"] + usage["ssd_entries"] + counts["evicted"] == 800
    files = [int(file.name) for tier in (newest(), tmp_path / "ssd") for file in (tier / "values").iterdir()]
    assert len(files) == len(set(files)) == usage["memory_entries"] + usage["ssd_entries"] > 400
    cached.close()


def test_a_cache_can_be_pickled_and_opened_again(tmp_path: pathlib.Path) -> None:
    cached = cache(Counting(tmp_path / "log", 5, SIZE), tmp_path, 5)
    cached[3]
    other = pickle.loads(pickle.dumps(cached))
    assert is_value(other[3], 3, SIZE) and cached.counts() == other.counts()
    assert reads(tmp_path / "log") == [3]
    cached.close()
    other.close()
    assert is_value(cached[3], 3, SIZE) and reads(tmp_path / "log") == [3, 3]
    cached.close()
