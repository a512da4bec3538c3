"""Which epoch a pass is of: one after the other where nobody says, as was said where somebody does; in every process
alike."""

import itertools
import multiprocessing
import pickle
from typing import Any, Dict, List

import headwater
import numpy as np
import pytest
import torch
from conftest import PHOTOS, script
from headwater.progress import find_states
from headwater.repeats import TOP, addresses, occurrences
from torch.utils.data import ConcatDataset, DataLoader, WeightedRandomSampler
from torchdata.stateful_dataloader import StatefulDataLoader

LOADERS: List[Dict[str, Any]] = [
    {"num_workers": 0},
    {"num_workers": 1},
    {"num_workers": 2},
    {"num_workers": 2, "persistent_workers": True},
    {"num_workers": 2, "multiprocessing_context": "spawn"},
    {"num_workers": 2, "multiprocessing_context": "spawn", "persistent_workers": True},
    {"num_workers": 2, "multiprocessing_context": "forkserver"},
]
SMALL = "name = 'small'\n" + "".join(
    f"[[stage]]\n{stage}\n"
    for stage in (
        "op = 'decode'",
        "op = 'random-resized-crop'\nsize = 16",
        "op = 'random-horizontal-flip'",
        "op = 'to-tensor'",
    )
)


def stream(address: str, **more: Any) -> headwater.IterableDataset:
    settings = {"batch_size": 4, "fields": ("index",), "cut": "cropped", **more}
    return headwater.IterableDataset(address, "photos", headwater.Recipe(SMALL), **settings)


def mapped(address: str, **more: Any) -> headwater.MapDataset:
    return headwater.MapDataset(address, "photos", headwater.Recipe(SMALL), cut="cropped", **more)


def flat(batches: Any) -> List[int]:
    return [index for batch in batches for index in batch.tolist()]


@pytest.fixture(scope="module")
def epochs(address: str) -> List[List[int]]:
    """The order of each epoch, as it has always been where it is announced."""
    data, orders = stream(address), []
    for epoch in range(8):
        data.set_epoch(epoch)
        orders.append(flat(data))
    assert all(sorted(order) == list(range(PHOTOS)) for order in orders)
    assert len({tuple(order) for order in orders}) == 8
    return orders


@pytest.mark.parametrize("how", LOADERS)
def test_passes_of_which_nobody_says_anything_are_one_epoch_after_the_other(
    address: str, epochs: List[List[int]], how: Dict[str, Any]
) -> None:
    data = stream(address)
    loader = DataLoader(data, batch_size=None, **how)
    assert [flat(loader) for _ in range(3)] == epochs[:3]
    data.set_epoch(6)
    assert data.epoch == 6
    assert [flat(loader) for _ in range(2)] == epochs[6:8]
    data.set_epoch(1)
    assert flat(loader) == epochs[1]
    assert len(loader) == 7 and data.epoch == 1


@pytest.mark.parametrize("how", LOADERS)
def test_an_epoch_is_fixed_when_the_iterator_is_made(
    address: str, epochs: List[List[int]], how: Dict[str, Any]
) -> None:
    data = stream(address)
    loader = DataLoader(data, batch_size=None, **how)
    for epoch in (0, 5, 2, 7, 1):
        data.set_epoch(epoch)
        batches = iter(loader)
        # As a hook that comes after: it is for the next.
        data.set_epoch(6)
        assert flat(batches) == epochs[epoch]


@pytest.mark.parametrize("how", LOADERS)
def test_a_pass_that_is_broken_off_was_one(address: str, epochs: List[List[int]], how: Dict[str, Any]) -> None:
    loader = DataLoader(stream(address), batch_size=None, **how)
    for epoch in range(3):
        assert flat(itertools.islice(loader, 2)) == epochs[epoch][:8]


def test_loaders_of_other_numbers_of_workers_take_turns(address: str, epochs: List[List[int]]) -> None:
    data = stream(address)
    for epoch, workers in enumerate((0, 2, 1, 0, 2)):
        assert flat(DataLoader(data, batch_size=None, num_workers=workers)) == epochs[epoch]


def test_a_seed_that_is_set_before_each_epoch_repeats_none(address: str, epochs: List[List[int]]) -> None:
    loader = DataLoader(stream(address), batch_size=None, num_workers=2)
    for epoch in range(3):
        torch.manual_seed(1)
        assert flat(loader) == epochs[epoch], "torch's seed tells iterators apart, and here it is the same"


def test_a_copy_begins_where_it_was_told(address: str, epochs: List[List[int]]) -> None:
    data = stream(address)
    data.set_epoch(2)
    assert flat(data) == epochs[2]
    copy = pickle.loads(pickle.dumps(data))
    assert flat(copy) == epochs[2] and flat(data) == epochs[3] and flat(copy) == epochs[3]


def _rank(data: Any, rank: int, orders: Any) -> None:
    loader = DataLoader(data, batch_size=None, num_workers=2, persistent_workers=True)
    orders.put((rank, [flat(loader) for _ in range(2)]))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ranks_that_were_given_one_dataset_do_not_count_each_others_passes(
    address: str, epochs: List[List[int]], method: str
) -> None:
    context, data = multiprocessing.get_context(method), stream(address)
    orders = context.Queue()
    ranks = [context.Process(target=_rank, args=(data, rank, orders)) for rank in range(2)]
    for process in ranks:
        process.start()
    found = dict(orders.get(timeout=120) for _ in ranks)
    for process in ranks:
        process.join(60)
    assert found == {0: epochs[:2], 1: epochs[:2]}


@pytest.mark.parametrize("how", LOADERS[:4])
def test_a_loaded_state_wins_over_what_was_set_before_and_not_after(
    address: str, epochs: List[List[int]], how: Dict[str, Any], caplog: Any
) -> None:
    data = stream(address)
    data.set_epoch(3)
    batches = iter(data)
    done = flat(next(batches) for _ in range(3))
    state = data.state_dict()
    assert done == epochs[3][:12]
    moved = stream(address)
    loader = DataLoader(moved, batch_size=None, **how)
    moved.set_epoch(1)
    moved.load_state_dict(state)
    assert (len(loader), len(moved), moved.remaining, moved.epoch) == (7, 7, 4, 3)
    assert flat(loader) == epochs[3][12:] and flat(loader) == epochs[4]
    # In workers, too, that were there before.
    moved.load_state_dict(state)
    assert flat(loader) == epochs[3][12:] and flat(loader) == epochs[4]
    moved.load_state_dict(state)
    moved.set_epoch(3)
    assert flat(loader) == epochs[3][12:], "set_epoch says what holds"
    moved.load_state_dict(state)
    moved.set_epoch(5)
    assert "a state of epoch 3 was loaded, which is dropped" in caplog.text
    assert flat(loader) == epochs[5]


@pytest.mark.parametrize("how", LOADERS[:4])
def test_after_a_state_at_an_epochs_end_comes_the_next_epoch_whole(
    address: str, epochs: List[List[int]], how: Dict[str, Any]
) -> None:
    data = stream(address)
    assert flat(data) == epochs[0]
    for state in (data.state_dict(), data.state_dict(steps=7)):
        moved = stream(address)
        loader = DataLoader(moved, batch_size=None, **how)
        moved.load_state_dict(state)
        assert moved.remaining == 7 and flat(loader) == epochs[1] and flat(loader) == epochs[2]
        moved.load_state_dict(state)
        moved.set_epoch(4)
        assert flat(loader) == epochs[4]
        moved.load_state_dict(state)
        moved.set_epoch(0)
        assert flat(loader) == [], "of that epoch nothing is left"
        assert flat(loader) == epochs[1]


@pytest.mark.parametrize("how", LOADERS[:4])
@pytest.mark.parametrize("steps", [0, 3, 7])
def test_stateful_dataloader_goes_on_in_its_own_epoch(
    address: str, epochs: List[List[int]], how: Dict[str, Any], steps: int
) -> None:
    data = stream(address)
    loader = StatefulDataLoader(data, batch_size=None, **how)
    flat(loader)
    batches = iter(loader)
    done = flat(itertools.islice(batches, steps))
    if steps == 7:
        assert next(batches, None) is None
    state = loader.state_dict()
    again = stream(address)
    moved = StatefulDataLoader(again, batch_size=None, **how)
    moved.load_state_dict(state)
    if steps < 7:
        assert done + flat(moved) == epochs[1]
    assert [flat(moved) for _ in range(2)] == epochs[2:4]
    assert len(moved) == 7
    if steps == 7:
        moved = StatefulDataLoader(again, batch_size=None, **how)
        moved.load_state_dict(state)
        again.set_epoch(5)
        assert flat(moved) == epochs[5]


def test_steps_count_from_the_pass_or_from_the_epoch(address: str, epochs: List[List[int]]) -> None:
    data = stream(address)
    loader = DataLoader(data, batch_size=None, num_workers=2)
    flat(loader)
    next(iter(loader))
    state = data.state_dict(steps=2)
    data.load_state_dict(state)
    batches = iter(loader)
    assert flat(itertools.islice(batches, 3)) == epochs[1][8:20]
    assert data.state_dict(steps=3) == data.state_dict(epoch_steps=5)
    for wrong in ({"steps": 6}, {"epoch_steps": 8}, {"epoch_steps": 1}, {"steps": 1, "epoch_steps": 1}):
        with pytest.raises(ValueError, match="steps"):
            data.state_dict(**wrong)
    data.load_state_dict(data.state_dict(epoch_steps=5))
    assert flat(loader) == epochs[1][20:]


def test_an_error_where_a_pass_begins_is_told_by_workers_that_stay(address: str) -> None:
    sampler = headwater.ImportanceSampler(PHOTOS, rank=0, world=1)
    data = stream(address, sampler=sampler)
    loader = DataLoader(data, batch_size=None, num_workers=1, persistent_workers=True)
    assert len(flat(loader)) == PHOTOS
    with pytest.raises(headwater.HeadwaterError, match="call its set_epoch too"):
        flat(loader)


def test_occurrences_have_addresses_of_their_own() -> None:
    samples = np.asarray([5, 2, 5, 9, 5, 2], dtype=np.uint64)
    times = occurrences(samples)
    assert times is not None and times.tolist() == [0, 0, 1, 0, 2, 1]
    assert occurrences(np.arange(9, dtype=np.uint64)) is None and occurrences(samples[:0]) is None
    found = [addresses(epoch, times) for epoch in range(3)]
    for epoch, each in enumerate(found):
        assert each[[0, 1, 3]].tolist() == [epoch] * 3
        assert (each[[2, 4, 5]] >= TOP).all() and each[2] == each[5] != each[4]
        assert each.tolist() == addresses(epoch, times).tolist()
    assert len({int(each[2]) for each in found}) == 3


def test_samples_that_come_twice_have_other_crops_each_time(address: str) -> None:
    def given(**more: Any) -> Dict[int, List[Any]]:
        data = stream(address, indices=[5, 7, 5, 5], fields=("index", "image"), **more)
        data.set_epoch(2)
        found: Dict[int, List[Any]] = {5: [], 7: []}
        for indices, images in data:
            for index, image in zip(indices.tolist(), images):
                found[index].append(image)
        return found

    first, again, once = given(), given(batch_size=1), mapped(address, fields=("image",))
    once.set_epoch(2)
    assert [len(first[index]) for index in (5, 7)] == [3, 1]
    assert len({image.numpy().tobytes() for image in first[5]}) == 3
    assert {image.numpy().tobytes() for image in first[5]} == {image.numpy().tobytes() for image in again[5]}
    assert any(torch.equal(image, once[5]) for image in first[5]) and torch.equal(first[7][0], once[7])


def images(samples: Any) -> List[bytes]:
    return [image.numpy().tobytes() for image, *_ in samples]


def test_every_access_draws_anew_and_a_seed_makes_it_again(address: str) -> None:
    data = mapped(address)
    torch.manual_seed(3)
    first = images([data[4], data[4], *data.__getitems__([5, 5, 5])])
    assert len(set(first)) == 5
    torch.manual_seed(3)
    assert images([data[4], data[4], *data.__getitems__([5, 5, 5])]) == first
    twice = ConcatDataset([data, data])
    assert not torch.equal(twice[1][0], twice[1 + PHOTOS][0])


@pytest.mark.parametrize("how", LOADERS[:4])
def test_loaders_draw_from_their_workers_seeds(address: str, how: Dict[str, Any]) -> None:
    def run() -> List[List[bytes]]:
        torch.manual_seed(5)
        weights = WeightedRandomSampler([1.0] * 6, 12, replacement=True)
        loader = DataLoader(mapped(address), batch_size=4, sampler=weights, **how)
        return [[image for batch, _ in loader for image in images(zip(batch))] for _ in range(2)]

    first = run()
    assert first == run()
    assert len(set(first[0] + first[1])) == 24, "and no crop comes twice"


def test_deterministic_and_announced_datasets_are_as_ever(address: str) -> None:
    one, two, announced = mapped(address, deterministic=True), mapped(address, deterministic=True), mapped(address)
    assert images([one[3], one[3]]) == images([two[3], two[3]])
    announced.set_epoch(0)
    assert images([announced[3]]) == images([one[3]])
    announced.set_epoch(1)
    assert images([announced[3]]) != images([one[3]]) and announced.epoch == 1
    repeated = images(one.__getitems__([5, 5, 5]))
    assert (
        len(set(repeated)) == 3
        and repeated == images(two.__getitems__([5, 5, 5]))
        and repeated[0] == images([one[5]])[0]
    )


def test_without_pytorch_access_draws_from_numpy(address: str) -> None:
    text = """
import sys
sys.modules["torch"] = None
import numpy, headwater
data = headwater.MapDataset(sys.argv[1], "photos", headwater.Recipe(sys.argv[2]), cut="cropped", fields=("image",))
numpy.random.seed(1)
first = [data[3].tobytes() for _ in range(2)]
numpy.random.seed(1)
assert first == [data[3].tobytes() for _ in range(2)] and first[0] != first[1]
recipe = headwater.Recipe(sys.argv[2])
stream = headwater.IterableDataset(sys.argv[1], "photos", recipe, cut="cropped", fields=("index",))
assert list(stream) != list(stream) and sorted(stream) == list(range(26))
"""
    script(text, address, SMALL)


def test_states_in_what_was_saved_are_found(address: str) -> None:
    data = stream(address)
    assert len(find_states({"deep": [data.state_dict(), (1, 2)]})) == 1


def test_workers_agree_where_a_sandbox_refuses_memfds(address: str) -> None:
    text = """
import os, sys
def refused(*_):
    raise PermissionError(1, "Operation not permitted")
os.memfd_create = refused
import headwater
from torch.utils.data import DataLoader
recipe = headwater.Recipe(sys.argv[2])
data = headwater.IterableDataset(sys.argv[1], "photos", recipe, cut="cropped", fields=("index",), batch_size=4)
loader = DataLoader(data, batch_size=None, num_workers=2)
passes = [[index for batch in loader for index in batch.tolist()] for _ in range(2)]
assert all(sorted(one) == list(range(26)) for one in passes) and passes[0] != passes[1]
"""
    script(text, address, SMALL)
