"""Every sample of an epoch exactly once, over any ranks and workers, and as many steps for each rank."""

import pickle
from typing import Any, List, Tuple

import headwater
import numpy as np
import pytest
from headwater._headwater import permute
from headwater.progress import Deal, Remaining

COMBINATIONS = [
    (length, world, workers, block)
    for length in (0, 1, 5, 26, 100)
    for world in (1, 2, 4)
    for workers in (0, 1, 3)
    for block in (1, 3, 8)
]


@pytest.mark.parametrize("length, world, workers, block", COMBINATIONS)
def test_what_is_dealt_is_everything_once_in_as_many_steps(length: int, world: int, workers: int, block: int) -> None:
    deal = Deal(length, world, workers, block, drop_last=False)
    shares = [[deal.share(rank, worker) for worker in range(max(1, workers))] for rank in range(world)]
    everything = np.sort(np.concatenate([ordinals for rank in shares for ordinals, _ in rank]))
    assert np.array_equal(everything, np.arange(length))
    steps = {sum(len(sizes) for _, sizes in rank) for rank in shares}
    assert len(steps) == 1 or length < world
    assert max(steps) == deal.rounds
    for rank, parts in enumerate(shares):
        assert sum(len(ordinals) for ordinals, _ in parts) == deal.samples(rank)
        assert all(sizes.sum() == len(ordinals) for ordinals, sizes in parts)


def test_drop_last_leaves_out_only_what_makes_no_round() -> None:
    for length in range(40):
        deal = Deal(length, 2, 2, 4, drop_last=True)
        sizes = [deal.share(rank, worker)[1] for rank in range(2) for worker in range(2)]
        assert all((part == 4).all() for part in sizes)
        assert sum(part.sum() for part in sizes) == length // 8 * 8


def test_what_remains_is_what_is_not_done() -> None:
    random = np.random.default_rng(1)
    for _ in range(300):
        length = int(random.integers(1, 60))
        left, todo = Remaining(length), set(range(length))
        while todo:
            done = random.choice(sorted(todo), size=min(len(todo), int(random.integers(1, 9))), replace=False)
            todo -= set(done.tolist())
            left = left.without(np.sort(done))
            assert len(left) == len(todo)
            assert left.at(np.arange(len(left))).tolist() == sorted(todo)
            assert left.position not in left.ahead


def test_an_epoch_is_a_permutation_and_epochs_differ() -> None:
    positions = np.arange(1000, dtype=np.uint64)
    orders = [permute(1000, 1, epoch, positions) for epoch in range(2)]
    assert all(np.array_equal(np.sort(order), positions) for order in orders)
    assert not np.array_equal(*orders)
    with pytest.raises(ValueError, match="below the length"):
        permute(3, 0, 0, np.asarray([3], dtype=np.uint64))


def gather(address: str, **more: Any) -> List[Tuple[Any, ...]]:
    dataset = headwater.IterableDataset(address, "photos", "imagenet-train", cut="cropped", fields=("index",), **more)
    given = list(dataset)
    assert len(given) == len(dataset)
    return given


def test_ranks_share_an_epoch_and_take_as_many_steps(address: str) -> None:
    for world, batch in ((1, 4), (2, 4), (3, 5), (4, 3)):
        ranks = [gather(address, batch_size=batch, rank=rank, world=world) for rank in range(world)]
        assert len({len(batches) for batches in ranks}) == 1
        everything = sorted(index for batches in ranks for indices in batches for index in indices.tolist())
        assert everything == list(range(26))


def test_a_part_of_the_dataset_and_no_shuffling(address: str) -> None:
    part = [20, 3, 7, 11]
    assert gather(address, indices=part, shuffle=False) == part
    assert sorted(gather(address, indices=part)) == sorted(part)
    assert gather(address, shuffle=False) == list(range(26))


def test_a_pickled_dataset_carries_settings_only(address: str) -> None:
    dataset = headwater.IterableDataset(address, "photos", "imagenet-train", fields=("index",), cut="cropped")
    dataset.set_epoch(2)
    order = list(dataset)
    text = pickle.dumps(dataset)
    assert len(text) < 20_000
    assert list(pickle.loads(text)) == order
