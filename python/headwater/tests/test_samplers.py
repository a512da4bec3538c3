"""Importance and shards: what the papers say, with the errors of their code mended."""

import itertools
from typing import Any, Dict

import headwater
import numpy as np
import pytest
import torch

LOSSES = np.linspace(0.0, 4.0, 400, dtype=np.float32)


def trained(**more: Any) -> headwater.ImportanceSampler:
    sampler = headwater.ImportanceSampler(400, **{"rank": 0, "world": 1, **more})
    sampler.update(np.arange(400), LOSSES)
    return sampler


def test_warm_up_takes_all_and_then_the_easy_are_taken_less() -> None:
    sampler = trained(beta=2.0, warm_up=2)
    for epoch in range(2):
        sampler.set_epoch(epoch)
        assert sorted(sampler) == list(range(400))
    taken = np.zeros(400)
    for epoch in range(2, 202):
        sampler.set_epoch(epoch)
        taken[list(sampler)] += 1
    expected = (np.arange(1, 401) / 400) ** 2
    assert np.abs(taken / 200 - expected).max() < 0.15
    assert taken[399] == 200, "the hardest are never dropped"


def test_flags_belong_to_samples_whatever_their_order() -> None:
    order = np.random.default_rng(1).permutation(400)
    shuffled = headwater.ImportanceSampler(400, rank=0, world=1)
    for at in np.split(order, 8):
        shuffled.update(torch.from_numpy(at), torch.from_numpy(LOSSES[at]))
    straight = trained()
    for sampler in (shuffled, straight):
        sampler.set_epoch(1)
    assert np.array_equal(shuffled.flags(), straight.flags())
    assert np.array_equal(shuffled.flags(), straight.flags()), "and asking again draws nothing anew"


def test_a_choice_is_reused_as_often_as_was_said() -> None:
    sampler = trained(warm_up=1, reuse=3)
    flags = []
    for epoch in range(1, 7):
        sampler.set_epoch(epoch)
        sampler.update(np.arange(400), LOSSES[::-1].copy())
        flags.append(sampler.flags())
    assert all(np.array_equal(flags[0], each) for each in flags[:3])
    assert all(np.array_equal(flags[3], each) for each in flags[3:])
    assert not np.array_equal(flags[0], flags[3])


def test_weighted_losses_estimate_the_mean_without_bias() -> None:
    sampler = trained(beta=1.5)
    estimates = []
    for epoch in range(1, 400):
        sampler.set_epoch(epoch)
        taken = np.flatnonzero(sampler.flags())
        estimates.append((sampler.weights(taken) * LOSSES[taken]).sum() / 400)
    assert abs(np.mean(estimates) - LOSSES.mean()) < 4 * np.std(estimates) / np.sqrt(len(estimates))


def test_ranks_take_as_many_and_everything_that_was_chosen() -> None:
    ranks = [trained(rank=rank, world=3) for rank in range(3)]
    for sampler in ranks:
        sampler._exchange = lambda: None  # type: ignore[method-assign]
        sampler.set_epoch(1)
    parts = [list(sampler) for sampler in ranks]
    assert len({len(part) for part in parts}) == 1 == len({len(sampler) for sampler in ranks})
    assert set(itertools.chain(*parts)) == set(np.flatnonzero(ranks[0].flags()).tolist())


def test_what_cannot_be_is_said() -> None:
    for wrong in ({"beta": -1.0}, {"reuse": 0}, {"warm_up": -1}):
        with pytest.raises(ValueError):
            headwater.ImportanceSampler(10, **wrong)  # type: ignore[arg-type]
    sampler = headwater.ImportanceSampler(10)
    with pytest.raises(ValueError, match="finite"):
        sampler.update([1], [float("nan")])
    with pytest.raises(IndexError):
        sampler.update([10], [1.0])
    with pytest.raises(ValueError, match="one loss for each"):
        sampler.update([1, 2], [1.0])


def test_a_sampler_goes_on_where_it_was_saved() -> None:
    sampler = trained(reuse=2)
    sampler.set_epoch(3)
    again = headwater.ImportanceSampler(400, reuse=2, rank=0, world=1)
    again.load_state_dict(sampler.state_dict())
    assert list(again) == list(sampler)


def test_a_stream_takes_a_samplers_choice(address: str) -> None:
    sampler = headwater.ImportanceSampler(26, beta=1.0)
    data = headwater.IterableDataset(
        address, "photos", "imagenet-train", cut="cropped", fields=("index",), sampler=sampler, batch_size=4
    )
    for epoch in range(3):
        sampler.set_epoch(epoch)
        data.set_epoch(epoch)
        seen = [index for batch in data for index in batch.tolist()]
        assert sorted(seen) == np.flatnonzero(sampler.flags()).tolist()
        sampler.update(np.arange(26), np.arange(26))
    assert len(seen) < 26 and len(data) == -(-len(seen) // 4)


SHARDS = [
    {"mode": "rank"},
    {"mode": "node", "places": 2},
    {"mode": "disk", "places": 4},
    {"mode": "rank", "fraction": 0.1},
    {"mode": "node", "places": 2, "fraction": 0.3, "overflow": 0.5},
    {"mode": "node", "places": 2, "bytes": 1000, "sample_bytes": 100.0},
    {"mode": "rank", "fraction": 0.0, "min_elements": 7},
    {"mode": "rank", "fraction": 0.0},
]


@pytest.mark.parametrize("settings", SHARDS)
@pytest.mark.parametrize("length", [103, 400])
def test_shards_are_disjoint_cover_all_and_stay(settings: Dict[str, Any], length: int) -> None:
    ranks = [headwater.ShardSampler(length, seed=3, rank=rank, world=4, **settings) for rank in range(4)]
    first = ranks[0]
    places = settings.get("places", 4)
    shards = [first.shard(place).tolist() for place in range(places)]
    assert sorted(itertools.chain(*shards, first.rest().tolist())) == list(range(length))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    epochs = []
    for epoch in range(2):
        for sampler in ranks:
            sampler.set_epoch(epoch)
        parts = [list(sampler) for sampler in ranks]
        assert sorted(itertools.chain(*parts)) == list(range(length))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert [len(sampler) for sampler in ranks] == [len(part) for part in parts]
        for sampler, part in zip(ranks, parts):
            at_home = set(part) - set(first.rest().tolist())
            assert at_home <= set(shards[sampler.place])
        epochs.append(parts)
    assert epochs[0] != epochs[1]
    assert shards == [ranks[3].shard(place).tolist() for place in range(places)]


def test_a_shard_is_what_its_cache_holds() -> None:
    def sizes(**settings: Any) -> int:
        return len(headwater.ShardSampler(1000, rank=0, world=4, **settings).shard())

    assert sizes() == 250
    assert sizes(fraction=0.1) == 100
    assert sizes(fraction=0.1, overflow=0.2) == 120
    assert sizes(fraction=0.9) == 250, "never more than there is"
    assert sizes(bytes=602_112 * 30, sample_bytes=602_112) == 30
    assert sizes(fraction=0.1, min_elements=200) == 200


def test_shards_that_cannot_be_are_refused() -> None:
    for wrong in (
        {"mode": "gpu"},
        {"mode": "node"},
        {"mode": "node", "places": 3},
        {"fraction": 1.5},
        {"bytes": 5},
        {"fraction": 0.1, "bytes": 5},
        {"overflow": -1.0},
        {"places": 3},
    ):
        with pytest.raises(ValueError):
            headwater.ShardSampler(100, rank=0, world=4, **wrong)  # type: ignore[arg-type]
