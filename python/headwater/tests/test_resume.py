"""A stopped epoch goes on with other workers and ranks: the multiset is exact; and where they are the same, the order
too."""

import itertools
import json
import random
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

import headwater
import numpy as np
import pytest
from headwater.progress import Deal, Epoch, Remaining, State, merge
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

WORKERS, RANKS = (0, 1, 4), (1, 2, 4)
BATCH = 2


class Clock:
    """An epoch without servers: the order and the state of a dataset, in any combination, in microseconds."""

    def __init__(self, length: int, workers: int, ranks: int, state: Optional[State] = None) -> None:
        epoch = Epoch("digest", length, 1, 0, True)
        left = Remaining(length) if state is None else state.base
        self.deal = Deal(len(left), ranks, workers, BATCH, False)
        self.state = State(epoch, left, self.deal, 0, 0, 0, True)
        self.taken = [[0] * max(1, workers) for _ in range(ranks)]

    def batches(self, rank: int) -> List[List[int]]:
        """A rank's, in the order in which a DataLoader gives them."""
        shares = []
        for worker in range(max(1, self.deal.workers)):
            ordinals, sizes = self.deal.share(rank, worker)
            at, share = 0, []
            for size in sizes.tolist():
                share.append(self.state.base.at(ordinals[at : at + size]).tolist())
                at += size
            shares.append(share)
        turns = itertools.zip_longest(*shares)
        return [batch for turn in turns for batch in turn if batch is not None]

    def states(self, steps: int) -> List[Dict[str, Any]]:
        """Of all workers of all ranks after so many steps of each."""
        count = max(1, self.deal.workers)
        return [
            replace(self.state, rank=rank, worker=worker, taken=len(range(worker, steps, count))).to_dict()
            for rank in range(self.deal.world)
            for worker in range(count)
        ]


@pytest.mark.parametrize("first", list(itertools.product(WORKERS, RANKS)))
def test_any_step_any_combination(first: Tuple[int, int]) -> None:
    # The one is dealt without a remainder, the other not.
    for length, odd in ((808, 0), (805, 1)):
        before = Clock(length, *first)
        ordered = [before.batches(rank) for rank in range(first[1])]
        for steps in range(odd, 101, 2):
            done = [position for batches in ordered for batch in batches[:steps] for position in batch]
            saved = json.loads(json.dumps(before.states(steps)))
            one_rank = [state for state in saved if state["rank"] == 0]
            state = merge([State.from_dict(each) for each in saved])
            assert state == merge([State.from_dict(each) for each in one_rank])
            for second in itertools.product(WORKERS, RANKS):
                after = Clock(length, *second, state=state)
                rest = [after.batches(rank) for rank in range(second[1])]
                todo = [position for batches in rest for batch in batches for position in batch]
                assert sorted(done + todo) == list(range(length))
                if second == first:
                    assert rest == [batches[steps:] for batches in ordered]


def test_stopped_twice_and_ranks_at_different_steps() -> None:
    dice = random.Random(1)
    for _ in range(200):
        length, state, done = 97, None, []
        for _ in range(3):
            clock = Clock(length, dice.choice(WORKERS), dice.choice(RANKS), state=state)
            saved = []
            for rank in range(clock.deal.world):
                steps = dice.randrange(6)
                done += [position for batch in clock.batches(rank)[:steps] for position in batch]
                saved += [each for each in clock.states(steps) if each["rank"] == rank]
            state = merge([State.from_dict(each) for each in saved])
        assert state is not None
        left = state.base
        assert sorted(done + left.at(np.arange(len(left))).tolist()) == list(range(length))


def dataset(address: str, **more: Any) -> headwater.IterableDataset:
    given: Dict[str, Any] = {"batch_size": BATCH, **more}
    return headwater.IterableDataset(address, "photos", "imagenet-train", cut="cropped", fields=("index",), **given)


def flat(batches: Any) -> List[int]:
    return [index for batch in batches for index in batch.tolist()]


@pytest.mark.parametrize("workers", WORKERS)
def test_stateful_dataloader_goes_on_where_it_stood(address: str, workers: int) -> None:
    whole = flat(StatefulDataLoader(dataset(address), batch_size=None, num_workers=workers))
    loader = StatefulDataLoader(dataset(address), batch_size=None, num_workers=workers)
    batches = iter(loader)
    done = flat(next(batches) for _ in range(5))
    state = loader.state_dict()
    del batches
    again = StatefulDataLoader(dataset(address), batch_size=None, num_workers=workers)
    again.load_state_dict(state)
    assert done + flat(again) == whole
    # And under any other number of workers, through the state of the whole.
    for others in WORKERS:
        moved = dataset(address)
        moved.load_state_dict(state)
        assert (len(moved), moved.remaining) == (13, 13 - 5)
        rest = flat(DataLoader(moved, batch_size=None, num_workers=others))
        assert sorted(done + rest) == list(range(26))
        assert done + rest == whole


def test_single_samples_resume_too(address: str) -> None:
    whole = list(dataset(address, batch_size=None))
    stopped = dataset(address, batch_size=None)
    samples = iter(stopped)
    done = [next(samples) for _ in range(7)]
    state = json.loads(json.dumps(stopped.state_dict()))
    moved = dataset(address, batch_size=None)
    moved.load_state_dict(state)
    assert (len(moved), moved.remaining) == (26, 19)
    assert done + list(moved) == whole
    assert sorted(list(moved)) == sorted(whole) and moved.epoch == 1, "the state is for one pass"
    moved.set_epoch(0)
    assert list(moved) == whole


def test_steps_say_it_beside_a_plain_dataloader(address: str) -> None:
    data = dataset(address)
    loader = DataLoader(data, batch_size=None, num_workers=2)
    batches = iter(loader)
    done = flat(next(batches) for _ in range(4))
    with pytest.raises(headwater.HeadwaterError, match="steps="):
        data.state_dict()
    state = data.state_dict(steps=4)
    moved = [dataset(address, rank=rank, world=2) for rank in range(2)]
    for each in moved:
        each.load_state_dict(state)
    assert sorted(done + [index for each in moved for index in flat(each)]) == list(range(26))
    moved[0].set_epoch(1)
    assert len(moved[0]) == 7, "another epoch is whole"


def test_a_state_of_another_run_is_refused(address: str) -> None:
    state = dataset(address).state_dict()
    for other, what in (
        ({"seed": 2}, "seed"),
        ({"shuffle": False}, "shuffle"),
        ({"indices": range(26)}, "give indices="),
    ):
        with pytest.raises(headwater.HeadwaterError, match=what):
            dataset(address, **other).load_state_dict(state)
    for broken in (
        {**state, "headwater": 2},
        {**state, "taken": -1},
        {**state, "length": "x"},
        {},
        {**state, "world": 0},
    ):
        with pytest.raises(headwater.HeadwaterError):
            dataset(address).load_state_dict(broken)
