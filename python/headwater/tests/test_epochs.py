"""Each place of a request has its own epoch: the same photo several times in one call is cropped as each place says."""

import inspect
from typing import Any, Optional, Sequence

import headwater
import numpy as np
import numpy.typing as npt
import pytest
from conftest import CUTS, client_of
from headwater._headwater import Client
from headwater.reading import Reading


def fetch(client: Client, indices: Sequence[int], cut: str, epoch: int, epochs: Optional[Sequence[int]] = None) -> Any:
    """The tensors, in order."""
    keywords = inspect.signature(headwater.MapDataset).parameters
    given = {name: keyword.default for name, keyword in keywords.items()}
    reading = Reading.of({**given, "recipe": "imagenet-train", "cut": cut, "seed": 7})
    batches = client.fetch(
        np.array(indices, np.uint64),
        np.array([len(indices)], np.uint64),
        reading,
        cuts=cut,
        epochs=epoch if epochs is None else np.array(epochs, np.uint64),
        ahead=1,
    )
    batch = batches.next()
    assert batch is not None and batch[4] == []
    assert list(batch[1]) == list(indices)
    return batch[0]


@pytest.mark.parametrize("cut", CUTS)
def test_a_sample_three_times_is_the_tensors_of_its_three_epochs(address: str, cut: str) -> None:
    client = client_of(address.split(","))
    large = 2**64 - 1
    indices = [5, 20, 5, 20, 5, 5]
    third, fourth, last = (fetch(client, indices, cut, epoch) for epoch in (3, 4, large))
    assert not np.array_equal(third[0], fourth[0])
    mixed = fetch(client, indices, cut, 0, [3, 4, 4, large, 3, 3])
    expected: npt.NDArray[Any] = np.stack([third[0], fourth[1], fourth[2], last[3], third[4], third[5]])
    assert np.array_equal(mixed, expected)


def test_an_epoch_is_needed_for_each_index(address: str) -> None:
    client = client_of(address.split(","))
    with pytest.raises(ValueError, match="2 epochs and 3 indices: give one epoch for each index"):
        fetch(client, [1, 2, 3], "cropped", 0, [1, 2])
