"""Others come in the places of samples of low importance that are not cached: under their own names, at most once an
epoch, counted and said; and only where that was asked for.
"""

import json
import pathlib
import tarfile
from collections import Counter
from typing import Any, Dict, Iterator, List, Tuple

import headwater
import numpy as np
import pytest
import torch
from conftest import BIN, PHOTOS, Server, run
from headwater import substitution
from headwater.swaps import Swaps
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

FIELDS = ("index", "replaced", "key", "label", "image")
#: Losses that leave the samples of odd numbers the lowest: half of all.
LOSSES = [float(index % 2 == 0) * 100 + index for index in range(PHOTOS)]


def dataset(address: str, **keywords: Any) -> "headwater.IterableDataset[Any]":
    settings = {"batch_size": 3, "substitute": 0.5, "fields": FIELDS, "output": "numpy", **keywords}
    return headwater.IterableDataset(address, "photos", "imagenet-train", **settings)


def told(address: str, **keywords: Any) -> "headwater.IterableDataset[Any]":
    """A dataset whose job has reported losses."""
    data = dataset(address, **keywords)
    assert data.report(range(PHOTOS), LOSSES) == PHOTOS
    return data


def rows_of(batches: Any) -> List[Tuple[int, int]]:
    """(index, index of the sample that was replaced) of each sample, in order."""
    rows = []
    for indices, replaced, *_ in batches:
        rows += list(zip(np.atleast_1d(indices).tolist(), np.atleast_1d(replaced).tolist()))
    return rows


def check(rows: List[Tuple[int, int]], cached: Any) -> None:
    """That an epoch has every place once, and in none of them what must not be there."""
    places = [index if replaced < 0 else replaced for index, replaced in rows]
    assert sorted(places) == list(range(PHOTOS))
    given = [(index, replaced) for index, replaced in rows if replaced >= 0]
    assert given
    for index, replaced in given:
        assert index % 2 == 1 and replaced % 2 == 1 and cached(index) and not cached(replaced)
    assert max(Counter(index for index, _ in given).values()) == 1


def half(samples: Any) -> Any:
    return samples % 4 < 2


@pytest.fixture()
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that have every other two samples cached; a few samples are chosen at a time."""
    monkeypatch.setattr(substitution, "resident", lambda client, samples: half(samples))
    monkeypatch.setattr(substitution, "LEAST", 5)


@pytest.fixture(scope="module")
def by_index(address: str) -> Dict[int, Tuple[str, int]]:
    data = headwater.MapDataset(address, "photos", "imagenet-eval")
    return dict(enumerate(zip(data.keys, data.targets)))


def test_without_it_and_without_losses_the_stream_is_the_same_to_the_bit(address: str) -> None:
    streams = []
    for share in (None, 0.5):
        data = dataset(address, substitute=share, seed=3)
        streams.append([tuple(np.asarray(part).tolist() for part in batch) for batch in data])
        assert data.counters()["replaced"] == 0
    assert streams[0] == streams[1] and len(streams[0]) == -(-PHOTOS // 3)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [3, None])
@pytest.mark.usefixtures("halved")
def test_each_sample_comes_under_its_own_name_and_once_in_anothers_place(
    address: str, by_index: Dict[int, Tuple[str, int]], workers: int, batch_size: Any
) -> None:
    plain = headwater.IterableDataset(
        address, "photos", "imagenet-train", fields=("index", "image"), output="numpy", seed=4
    )
    images = {int(index): image for index, image in plain}
    data, rows = told(address, seed=4, batch_size=batch_size), []
    for batch in DataLoader(data, batch_size=None if batch_size else 2, num_workers=workers):
        indices, replaced, keys, labels, values = batch
        for index, other, key, label, value in zip(indices.tolist(), replaced.tolist(), keys, labels, values):
            assert (key, int(label)) == by_index[index]
            # In its own place it has the epoch's crop, and in another's one of its own.
            assert np.array_equal(np.asarray(value), images[index]) == (other < 0)
            rows.append((index, other))
    check(rows, half)
    assert data.counters()["replaced"] == sum(replaced >= 0 for _, replaced in rows)
    assert data.counters()["samples"] == PHOTOS


@pytest.mark.usefixtures("halved")
def test_ranks_and_workers_never_use_a_sample_twice_between_them(address: str) -> None:
    for epoch in range(3):
        rows: List[Tuple[int, int]] = []
        for rank in range(2):
            data = told(address, rank=rank, world=2, batch_size=2)
            data.set_epoch(epoch)
            rows += rows_of(DataLoader(data, batch_size=None, num_workers=2))
        places = [index if replaced < 0 else replaced for index, replaced in rows]
        assert sorted(places) == list(range(PHOTOS))
        used = Counter(index for index, replaced in rows if replaced >= 0)
        assert max(used.values()) == 1


@pytest.mark.usefixtures("halved")
def test_workers_that_stay_begin_each_epoch_with_what_was_reported_by_then(address: str) -> None:
    data = dataset(address, seed=71)
    loader = DataLoader(data, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in range(3):
        rows = rows_of(loader)
        if epoch == 0:
            assert all(replaced < 0 for _, replaced in rows)
            assert data.report(range(PHOTOS), LOSSES) == PHOTOS
        else:
            check(rows, half)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.usefixtures("halved")
def test_a_state_goes_on_as_if_it_had_never_stopped(
    address: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows_of(DataLoader(told(address), batch_size=None, num_workers=workers))
    for stop in (1, 4, 7):
        data, rows = told(address), []
        for step, batch in enumerate(DataLoader(data, batch_size=None, num_workers=workers), start=1):
            rows += rows_of([batch])
            if step == stop:
                state = data.state_dict(steps=stop) if workers else data.state_dict()
                break
        with monkeypatch.context() as patched:
            # Servers know no loss of another job.
            patched.setenv("HEADWATER_JOB", f"again-{workers}-{stop}")
            resumed = dataset(address)
            resumed.load_state_dict(json.loads(json.dumps(headwater.merge_states(state))))
            rest = rows_of(DataLoader(resumed, batch_size=None, num_workers=workers))
        assert rows + rest == whole
        check(rows + rest, half)


@pytest.mark.usefixtures("halved")
def test_two_workers_and_two_ranks_go_on_without_using_any_sample_twice(address: str) -> None:
    rows, states = [], []
    for rank in range(2):
        data = told(address, rank=rank, world=2, batch_size=2)
        for step, batch in enumerate(DataLoader(data, batch_size=None, num_workers=2), start=1):
            rows += rows_of([batch])
            if step == 3:
                states.append(data.state_dict(steps=3))
                break
    with pytest.raises(headwater.HeadwaterError, match="substitute= .* all 2 ranks"):
        dataset(address).load_state_dict(states[0])
    resumed = dataset(address)
    resumed.load_state_dict(states)
    rows += rows_of(resumed)
    check(rows, half)


@pytest.mark.usefixtures("halved")
def test_stateful_dataloader_gives_each_worker_its_own_state_back(address: str) -> None:
    whole = rows_of(DataLoader(told(address), batch_size=None, num_workers=2))
    loader, rows = StatefulDataLoader(told(address), batch_size=None, num_workers=2), []
    for step, batch in enumerate(loader):
        rows += rows_of([batch])
        if step == 4:
            state = loader.state_dict()
            break
    again = StatefulDataLoader(dataset(address), batch_size=None, num_workers=2)
    again.load_state_dict(state)
    assert rows + rows_of(again) == whole


@pytest.mark.usefixtures("halved")
def test_failures_are_settled_behind_it(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    broken = tmp_path / "photos"
    for path in sorted(photos.glob("*/*.*")):
        copy = broken / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for path in sorted(broken.glob("*/*.*"))[3:9:2]:
        path.write_bytes(path.read_bytes()[:40])
    server = Server(tmp_path / "server", broken, "--cpu-workers", 1)
    try:
        with pytest.warns(headwater.HeadwaterWarning):
            data = told(server.address, on_error="skip", batch_size=4)
            rows = rows_of(data)
        counters = data.counters()
        assert len(rows) == PHOTOS - counters["skipped"] and counters["skipped"] >= 3
        assert counters["replaced"] == sum(replaced >= 0 for _, replaced in rows) > 0
        assert not {index for index, _ in rows} & {3, 5, 7}
    finally:
        server.kill()


@pytest.fixture()
def tar(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Server]:
    """A server of tar files that keeps what it reads as it is stored."""
    with tarfile.open(tmp_path / "shard.tar", "w") as file:
        for path in sorted(photos.glob("*/*.*")):
            file.add(path, f"{path.parent.name}/{path.name}")
    kept = ["--cache-kinds", "encoded", "--cache-memory", "64MiB", "--cache-policy", "lru"]
    server = Server(tmp_path / "server", tmp_path / "shard.tar", "--cpu-workers", 1, *kept)
    yield server
    server.kill()


def test_a_real_cache_gives_what_it_has_reads_packages_and_counts_them_apart(tar: Server) -> None:
    chosen = list(range(1, PHOTOS, 4))
    some = headwater.MapDataset(tar.address, "photos", "imagenet-eval", fields=("key",), indices=chosen)
    cached = headwater.MapDataset(tar.address, "photos", "imagenet-eval", indices=chosen)
    assert len([cached[place] for place in range(len(some))]) == len(chosen)
    before = cache_of(tar)
    assert before["counts"]["origin"] == len(chosen) and "substituted" not in before["counts"]

    data = told(tar.address)
    rows = rows_of(data)
    given = [(index, replaced) for index, replaced in rows if replaced >= 0]
    assert sorted(index if replaced < 0 else replaced for index, replaced in rows) == list(range(PHOTOS))
    assert given and {index for index, _ in given} <= set(chosen)
    assert not {replaced for _, replaced in given} & set(chosen)
    assert max(Counter(index for index, _ in given).values()) == 1
    counters, after = data.counters(), settled(tar, (len(given) // 2) or 1)
    assert counters["replaced"] == len(given) == after["counts"]["substituted"]
    # Half of what was left out, at most, came all the same, each package by one read.
    assert 1 <= after["packages"] <= len(given) // 2 and after["package_bytes"] > 0
    assert after["counts"]["origin"] + len(given) - len(given) // 2 <= PHOTOS
    data.close()


def cache_of(server: Server) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads(run(BIN / "profiler", "cache", "--servers", server.address, "--json"))
    of_server: Dict[str, Any] = found["caches"][0]
    return of_server


def settled(server: Server, packaged: int) -> Dict[str, Any]:
    """What a server says of its cache, once it has read packages."""
    for _ in range(100):
        found = cache_of(server)
        if found["packages"] >= 1 and found["counts"]["prefetched"] >= packaged:
            return found
    raise AssertionError(f"no package was read: {found}")


# Torch deletes an iterator that was not made.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_is_refused_for_inference_and_where_it_would_mislead(address: str) -> None:
    for wrong in (0, -0.1, 0.51, float("nan"), True, "low"):
        with pytest.raises((ValueError, TypeError), match="substitute="):
            dataset(address, substitute=wrong)
    for keywords, match in (
        ({"shuffle": False}, "evaluation"),
        ({"order": "opportunistic"}, "give either"),
        ({"fields": ("label", "replaced")}, "image"),
    ):
        with pytest.raises(ValueError, match=match):
            dataset(address, **keywords)
    with pytest.raises(ValueError, match="never for inference"):
        headwater.IterableDataset(address, "photos", model="extractor", cut="features", substitute=0.3)
    for workers in (0, 2):
        with torch.inference_mode(), pytest.raises(headwater.HeadwaterError, match="inference_mode"):
            next(iter(DataLoader(dataset(address), batch_size=None, num_workers=workers)))
    with pytest.raises(TypeError, match="substitute"):
        headwater.MapDataset(address, "photos", "imagenet-eval", substitute=0.3)  # type: ignore[call-overload]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_without_a_reported_loss_is_the_last(address: str, workers: int) -> None:
    # The job of another seed is another one.
    data = dataset(address, seed=91 + workers)
    loader = DataLoader(data, batch_size=None, num_workers=workers)
    assert len(rows_of(loader)) == PHOTOS
    with pytest.raises(headwater.HeadwaterError, match=r"call report\(indices, losses\)"):
        list(loader)


def test_losses_that_a_server_has_forgotten_are_said(own_server: Server) -> None:
    data = told(own_server.address)
    own_server.kill()
    own_server.start()
    with pytest.warns(headwater.HeadwaterWarning, match="know none of the losses"):
        rows = rows_of(data)
    assert all(replaced < 0 for _, replaced in rows) and len(rows) == PHOTOS


class Twice:
    def epoch_indices(self, epoch: int) -> List[int]:
        return [0, 1, 2, 1]


def test_a_sampler_that_repeats_samples_is_refused(address: str) -> None:
    with pytest.raises(headwater.HeadwaterError, match="sampler="):
        list(dataset(address, sampler=Twice()))


def test_states_that_are_broken_are_refused(address: str) -> None:
    data = told(address)
    next(iter(data))
    state = data.state_dict()
    for broken in ({"low": "!"}, {"used": state["low"][:4]}, {"low": state["used"], "used": state["low"]}):
        with pytest.raises(headwater.HeadwaterError, match="broken"):
            dataset(address).load_state_dict({**state, **broken})


def test_elsewhere_every_sample_is_in_its_own_place(address: str) -> None:
    mapped = headwater.MapDataset(address, "photos", "imagenet-eval", fields=("index", "replaced"))
    assert [mapped[place] for place in (0, 5)] == [(0, -1), (5, -1)]
    listed = dataset(address, substitute=None, fields=("index", "replaced"), batch_size=4)
    assert all((replaced == -1).all() and len(replaced) == len(indices) for indices, replaced in listed)


def test_what_is_written_down_is_read_back() -> None:
    low, used = np.array([1, 1, 0, 1, 1], dtype=np.bool_), np.array([0, 1, 0, 0, 0], dtype=np.bool_)
    swaps = Swaps.of(low, used)
    swaps.write(0, np.array([3, -1], dtype=np.int64))
    swaps.write(2, np.array([-1, 4], dtype=np.int64))
    assert swaps.low.tolist() == low.tolist()
    assert [np.flatnonzero(swaps.used(count)).tolist() for count in (0, 1, 3, 4)] == [[1], [1, 3], [1, 3], [1, 3, 4]]
    again = Swaps.from_dict(dict(swaps.to_dict(3)), 5)
    assert again is not None and again.used(0).tolist() == swaps.used(3).tolist()
    assert swaps.part(np.array([3, 4])).low.tolist() == [True, True]
