"""Single samples, of which DataLoader makes the batches: workers take turns of a batch each, so that there are as many
as `len` says."""

import itertools
from typing import Any, List

import pytest
from conftest import PHOTOS
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

import headwater

BATCH = 4


def single(address: str, **more: Any) -> Any:
    return headwater.IterableDataset(
        address, "photos", "imagenet-train", cut="cropped", fields=("image", "index"), **more
    )


def batches(loader: Any) -> List[List[int]]:
    return [indices.tolist() for _, indices in loader]


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_are_those_of_one_process_with_any_number_of_workers(
    address: str, workers: int, persistent: bool
) -> None:
    expected = batches(DataLoader(single(address), BATCH))
    loader = DataLoader(single(address), BATCH, num_workers=workers, persistent_workers=persistent)
    assert batches(loader) == expected
    assert len(expected) == len(loader) == -(-PHOTOS // BATCH), "trainers take as many as len says, and no more"
    second = batches(loader)
    assert len(second) == len(loader) and sorted(sum(second, [])) == list(range(PHOTOS))


def test_a_stateful_loader_goes_on_with_turns(address: str) -> None:
    expected = batches(DataLoader(single(address), BATCH))
    for taken in range(len(expected)):
        loader = StatefulDataLoader(single(address), BATCH, num_workers=2)
        first = batches(itertools.islice(loader, taken))
        state = loader.state_dict()
        again = StatefulDataLoader(single(address), BATCH, num_workers=2)
        again.load_state_dict(state)
        assert first + batches(again) == expected
        other = single(address)
        other.load_state_dict(state)
        rest = batches(DataLoader(other, BATCH, num_workers=3))
        assert sorted(sum(first + rest, [])) == list(range(PHOTOS)), "with other workers too"


def test_a_state_of_other_batches_is_refused(address: str) -> None:
    loader = StatefulDataLoader(single(address), BATCH, num_workers=2)
    batches(itertools.islice(loader, 3))
    again = StatefulDataLoader(single(address), BATCH + 1, num_workers=2)
    again.load_state_dict(loader.state_dict())
    with pytest.raises(headwater.HeadwaterError, match="DataLoader made batches of 4, and now they are of 5"):
        batches(again)
