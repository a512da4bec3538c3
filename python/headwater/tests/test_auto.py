"""plan="auto" measures once, follows what it sees, and changes no bit."""

import json
import logging
import pathlib
import pickle
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import headwater
import numpy as np
import pytest
from conftest import PHOTOS, Server, script
from headwater.source import Source
from torch.utils.data import DataLoader

FIELDS = ("image", "index")
#: Slow enough for crops to pay.
SLOW = "40Mbps"


def auto(address: str, kind: Any = headwater.IterableDataset, **more: Any) -> Any:
    # So few photos are not worth a profile: it is asked for.
    settings = {"seed": 7, "fields": FIELDS, "limit_bandwidth": SLOW, "profile_seconds": 20, **more}
    data = kind(address, "photos", "imagenet-train", plan="auto", **settings)
    data.set_epoch(3)
    return data


@pytest.fixture(scope="module")
def streamed(address: str) -> headwater.IterableDataset:
    data = auto(address)
    assert isinstance(data, headwater.IterableDataset)
    return data


@pytest.fixture(scope="module")
def indexed(address: str) -> headwater.MapDataset:
    data = auto(address, headwater.MapDataset)
    assert isinstance(data, headwater.MapDataset)
    return data


def check(samples: Any, fetched: Any, times: int = 1) -> None:
    seen: Counter = Counter()
    same: Counter = Counter()
    for image, index in samples:
        same[index] += np.array_equal(np.asarray(image), fetched["encoded"][index]["array"])
        seen[index] += 1
    assert seen == {index: times for index in range(PHOTOS)}
    assert same == {index: 1 for index in range(PHOTOS)}, "other times have other crops"


def test_the_plan_is_there_when_the_dataset_is(streamed: headwater.IterableDataset) -> None:
    plan = streamed.plan
    assert plan is not None and plan.algorithm == "optimal"
    assert sum(plan.ways.values()) == PHOTOS and set(plan.ways) != {"encoded"}, plan
    assert 0 < plan.seconds < 5


@pytest.mark.parametrize("workers, method", [(0, None), (1, "fork"), (4, "fork"), (1, "spawn"), (4, "spawn")])
def test_streams_give_the_bits_of_profiler_fetch(
    streamed: headwater.IterableDataset, fetched: Any, workers: int, method: Any
) -> None:
    loader = DataLoader(streamed, batch_size=None, num_workers=workers, multiprocessing_context=method)
    for _ in range(2):
        streamed.set_epoch(3)
        check(loader, fetched)


@pytest.mark.parametrize("workers, method", [(0, None), (2, "fork"), (2, "spawn")])
def test_samples_by_index_have_the_same_bits(
    indexed: headwater.MapDataset, fetched: Any, workers: int, method: Any
) -> None:
    loader = DataLoader(
        indexed, batch_size=5, num_workers=workers, multiprocessing_context=method, collate_fn=list, shuffle=True
    )
    check((sample for batch in loader for sample in batch), fetched)


def test_pixels_are_what_the_tensor_is_made_from(address: str, fetched: Any) -> None:
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    for pixels, index in auto(address, output="pixels"):
        tensor = (
            np.asarray(pixels).transpose(2, 0, 1).astype(np.float32) / np.float32(255) - mean[:, None, None]
        ) / std[:, None, None]
        assert np.array_equal(tensor, fetched["encoded"][index]["array"])


@pytest.mark.parametrize("workers, method", [(0, None), (2, "fork"), (2, "spawn")])
def test_a_network_that_is_slower_than_measured_moves_the_plan_and_no_bit(
    address: str, fetched: Any, caplog: Any, workers: int, method: Any
) -> None:
    times = 30
    data = auto(address, indices=list(range(PHOTOS)) * times, limit_bandwidth="2Gbps")
    # From now on it is a hundredth: some 6 s of photos as they are.
    data._reader.source.transport = replace(data._reader.source.transport, bandwidth=20e6)
    loader = DataLoader(data, batch_size=None, num_workers=workers, multiprocessing_context=method)
    with caplog.at_level(logging.INFO, "headwater"):
        check(loader, fetched, times)
    assert data.counters()["replans"] >= max(1, workers), "each process sees it"
    if workers == 0:
        assert "planned anew, for this process saw" in caplog.text and "Mbit/s" in caplog.text
    # The epoch after it begins with what was learnt, in workers that were not there.
    before, learnt = data.counters()["replans"], data._reader.plan._learnt.rows
    rows = learnt[1 : workers + 1] if workers else learnt[:1]
    assert (rows[:, 0] == 1).all() and (abs(rows[:, 1] / 20e6 - 1) < 0.5).all(), rows
    data.set_epoch(4)
    assert sum(1 for _ in loader) == PHOTOS * times
    assert data.counters()["replans"] <= before + 3 * max(1, workers), "what is known is no news"


def test_a_reader_that_is_slow_is_no_slow_network(address: str) -> None:
    # 25 MB in 4 s, where 1 GB could come: the window is full, and then the epoch is there before it is taken.
    data = auto(address, indices=list(range(PHOTOS)) * 30, limit_bandwidth="2Gbps", batch_size=16, window=4 << 20)
    for _ in data:
        time.sleep(0.08)
    assert data.counters()["samples"] == PHOTOS * 30 and data.counters()["replans"] == 0
    assert data._reader.plan._learnt.rows.max() == 0


def test_a_pickle_is_data_that_is_not_measured_again(
    streamed: headwater.IterableDataset, fetched: Any, monkeypatch: Any
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("measured again")

    monkeypatch.setattr(Source, "profile", never)
    streamed.set_epoch(3)
    pickled = pickle.dumps(streamed)
    assert len(pickled) < 40_000
    again = pickle.loads(pickled)
    assert again.plan == streamed.plan
    check(again, fetched)
    again.close()


def test_a_position_is_the_same_whatever_the_plan(address: str, streamed: headwater.IterableDataset) -> None:
    plain = headwater.IterableDataset(address, "photos", "imagenet-train", seed=7, fields=FIELDS)
    plain.set_epoch(3)
    whole = [index for _, index in plain]
    streamed.set_epoch(3)
    samples = iter(streamed)
    begun = [next(samples)[1] for _ in range(9)]
    state = streamed.state_dict()
    del samples
    plain.load_state_dict(state)
    assert begun + [index for _, index in plain] == whole


def test_servers_without_cpu_workers_send_photos_as_they_are(tmp_path: pathlib.Path, photos: Any, fetched: Any) -> None:
    server = Server(tmp_path / "server", photos, "--cpu-workers", 0)
    try:
        data = auto(server.address, fields=("image", "key"))
        assert data.plan.ways == {"encoded": PHOTOS}
        by_key = {row["key"]: row["array"] for row in fetched["encoded"].values()}
        assert sum(np.array_equal(image.numpy(), by_key[key]) for image, key in data) == PHOTOS
    finally:
        server.kill()


def test_what_makes_no_sense_with_it_is_said_before_anything_is_measured(monkeypatch: Any) -> None:
    monkeypatch.setattr(Source, "profile", None)
    for more, word in (
        ({"cut": "cropped"}, "give either"),
        ({"cut": "sophon"}, "plan=FILE of the algorithm sophon"),
        ({"model": "extractor"}, "model= is for"),
        ({"limit_bandwidth": "fast"}, "430Mbps"),
        ({"profile_seconds": -1}, "give a number of seconds"),
        ({"profile_seconds": float("nan")}, "give a number of seconds"),
    ):
        with pytest.raises(ValueError, match=word):
            auto("127.0.0.1:1", **more)
    with pytest.raises(headwater.RecipeError):
        headwater.MapDataset("127.0.0.1:1", "photos", plan="auto")


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_an_epoch_that_is_too_short_for_a_profile_goes_the_plain_way_and_says_so(
    address: str, fetched: Any, caplog: Any, kind: Any
) -> None:
    for seconds, words in ((None, "measuring takes"), (0, "no time was given")):
        with caplog.at_level(logging.INFO, "headwater"):
            data = auto(address, kind, profile_seconds=seconds)
        assert data.plan.algorithm == "static:encoded" and data.plan.ways == {"encoded": PHOTOS}
        assert "photos come as they are stored" in caplog.text and words in caplog.text
        again = pickle.loads(pickle.dumps(data))
        check((again[index] for index in range(PHOTOS)) if kind is headwater.MapDataset else again, fetched)
        assert data.counters()["replans"] == 0
        caplog.clear()


RANK = """
import json, sys
import torch.distributed as distributed
import headwater
from headwater.source import Source

rank, file, servers = int(sys.argv[1]), sys.argv[2], sys.argv[3]
distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
measure, times = Source.profile, []
Source.profile = lambda *arguments: times.append(1) or measure(*arguments)
for kind in (headwater.IterableDataset, headwater.MapDataset):
    data = kind(servers, "photos", "imagenet-train", plan="auto", profile_seconds=20, fields=("image", "index"))
    if kind is headwater.IterableDataset:
        print(json.dumps([index for _, index in data]))
    print(json.dumps([data.plan.ways, f"{data.plan.seconds:.9g}"]))
try:
    headwater.MapDataset(servers, "none", "imagenet-train", plan="auto")
except headwater.ServerError as error:
    print("refused")
print(len(times))
distributed.destroy_process_group()
"""


def test_rank_0_measures_for_all(address: str, tmp_path: pathlib.Path) -> None:
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda rank: script(RANK, rank, tmp_path / "meet", address).splitlines(), range(2))
    assert sorted(json.loads(first[0]) + json.loads(second[0])) == list(range(PHOTOS))
    assert first[1:4] == second[1:4] and first[3] == "refused"
    assert (first[4], second[4]) == ("3", "0")
