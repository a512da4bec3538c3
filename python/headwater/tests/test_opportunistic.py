"""What servers have cached comes first; each sample once an epoch all the same, with its own tensor, also resumed."""

from typing import Any, Dict, List

import headwater
import numpy as np
import pytest
from conftest import PHOTOS
from headwater import opportunity
from headwater.picks import Picks, from_text, to_text
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

FIELDS = ("key", "image")


def dataset(address: str, **keywords: Any) -> "headwater.IterableDataset[Any]":
    settings = {"batch_size": 3, "order": "opportunistic", **keywords}
    return headwater.IterableDataset(address, "photos", "imagenet-train", fields=FIELDS, **settings)


def keys_of(batches: Any) -> List[str]:
    return [key for keys, _ in batches for key in keys]


@pytest.fixture()
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that have every other sample cached."""
    monkeypatch.setattr(opportunity.Opportunity, "_cached", lambda self, samples: samples % np.uint64(2) == 1)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [3, None])
@pytest.mark.usefixtures("odd")
def test_every_sample_comes_once_with_its_tensor(address: str, workers: int, batch_size: Any) -> None:
    orders = {}
    for order in ("seeded", "opportunistic"):
        data = dataset(address, order=order, batch_size=batch_size, seed=4)
        found: Dict[str, Any] = {}
        for keys, images in DataLoader(data, batch_size=None if batch_size else 2, num_workers=workers):
            assert not found.keys() & set(keys)
            found.update(zip(keys, images))
        orders[order] = found
    seeded, other = orders["seeded"], orders["opportunistic"]
    assert seeded.keys() == other.keys() and len(other) == PHOTOS
    assert list(seeded) != list(other)
    assert all((image == other[key]).all() for key, image in seeded.items())


@pytest.mark.usefixtures("odd")
def test_what_is_cached_comes_first_within_the_window(address: str) -> None:
    data = dataset(address, shuffle=False, batch_size=2, order_window=8)
    names = {key: index for index, key in enumerate(data.keys)}
    order = [names[key] for key in keys_of(data)]
    # Of the first eight the odd ones; then of the first eight that are left; and so on, two at a time.
    left, expected = list(range(PHOTOS)), []
    while left:
        window = left[:8]
        chosen = ([index for index in window if index % 2] + [index for index in window if not index % 2])[:2]
        expected += chosen
        left = [index for index in left if index not in chosen]
    assert order == expected


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.usefixtures("odd")
def test_a_state_goes_on_with_what_is_left(address: str, workers: int) -> None:
    data, keys = dataset(address), []
    loader = DataLoader(data, batch_size=None, num_workers=workers)
    for step, (names, _) in enumerate(loader):
        keys += names
        if step == 3:
            state = data.state_dict(steps=4) if workers else data.state_dict()
            break
    for again in ({"world": 1, "rank": 0}, {"order": "seeded"}):
        resumed = dataset(address, **again)
        resumed.load_state_dict(headwater.merge_states(state))
        rest = keys_of(DataLoader(resumed, batch_size=None, num_workers=workers))
        assert sorted(keys + rest) == sorted(set(keys + rest)) and len(keys + rest) == PHOTOS


@pytest.mark.usefixtures("odd")
def test_states_of_all_ranks_are_one_and_one_ranks_is_refused(address: str) -> None:
    keys, states = [], []
    for rank in range(2):
        data = dataset(address, rank=rank, world=2, batch_size=2)
        for step, (names, _) in enumerate(data):
            keys += names
            if step == 2:
                states.append(data.state_dict())
                break
    resumed = dataset(address)
    with pytest.raises(headwater.HeadwaterError, match="all 2 ranks"):
        resumed.load_state_dict(states[0])
    resumed.load_state_dict(states)
    rest = keys_of(resumed)
    assert sorted(keys + rest) == sorted(set(keys + rest)) and len(keys + rest) == PHOTOS


@pytest.mark.usefixtures("odd")
def test_stateful_dataloader_gives_each_worker_its_own_state_back(address: str) -> None:
    loader, keys = StatefulDataLoader(dataset(address, batch_size=2), batch_size=None, num_workers=2), []
    for step, (names, _) in enumerate(loader):
        keys += names
        if step == 4:
            state = loader.state_dict()
            break
    again = StatefulDataLoader(dataset(address, batch_size=2), batch_size=None, num_workers=2)
    again.load_state_dict(state)
    rest = keys_of(again)
    assert sorted(keys + rest) == sorted(set(keys + rest)) and len(keys + rest) == PHOTOS


def test_servers_say_what_they_have_cached(address: str) -> None:
    data = dataset(address)
    list(data)
    client = data._reader.source.client()
    assert client.cached(np.arange(PHOTOS, dtype=np.uint64)).shape == (PHOTOS,)


def test_what_cannot_be_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="order="):
        dataset(address, order="random")
    with pytest.raises(ValueError, match="order_window"):
        dataset(address, order="seeded", order_window=5)
    data = dataset(address)
    next(iter(data))
    state = data.state_dict()
    for broken in ("!", to_text(np.ones(PHOTOS, dtype=np.bool_)), to_text(np.ones(5000, dtype=np.bool_))):
        with pytest.raises(headwater.HeadwaterError, match="broken"):
            dataset(address).load_state_dict({**state, "picks": broken})


def test_bits_are_read_back_and_none_that_are_others() -> None:
    generator = np.random.default_rng(0)
    for length in (1, 8, 1000):
        mask = generator.random(length) < 0.3
        assert (from_text(to_text(mask), length) == mask).all()
        with pytest.raises(ValueError):
            from_text(to_text(mask), length + 8)
    picks = Picks(np.zeros(100, dtype=np.bool_))
    taken: List[int] = []
    while len(picks) < 100:
        chosen = generator.permutation(picks.window(20))[:3]
        picks.choose(chosen)
        taken += chosen.tolist()
    assert sorted(taken) == list(range(100))
    assert set(np.flatnonzero(picks.taken(40)).tolist()) == set(taken[:40])
