"""Servers with the same part stand in for each other, in a DataLoader's workers too: whoever of them is gone, each
sample comes once, with the same bits.
"""

import pathlib
import time
from typing import Any, Dict, Iterator, List

import headwater
import pytest
import torch
from conftest import Server
from torch.utils.data import DataLoader


@pytest.fixture()
def twins(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[List[Server]]:
    servers = [Server(tmp_path / f"server{place}", photos, "--cpu-workers", 1) for place in range(2)]
    yield servers
    for server in servers:
        server.kill()


def dataset(servers: Any, **more: Any) -> Any:
    settings = {"cut": "cropped", "batch_size": 2, "fields": ("image", "key"), "seed": 5, **more}
    return headwater.IterableDataset(servers, "photos", "imagenet-train", **settings)


def by_key(batches: Any) -> Dict[str, torch.Tensor]:
    rows = [(key, image.clone()) for images, keys in batches for image, key in zip(images, keys)]
    assert len(rows) == len({key for key, _ in rows}), "a sample came twice"
    return dict(rows)


def same(one: Dict[str, torch.Tensor], other: Dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_replica_that_dies_in_an_epoch_costs_no_sample_and_later_ones_begin_without_it(
    twins: List[Server], workers: int
) -> None:
    alone = dataset(twins[1].address)
    data = dataset([server.address for server in twins])
    loader = DataLoader(data, batch_size=None, num_workers=workers)
    assert len(data) == len(alone) == 13
    batches = iter(loader)
    first = next(batches)
    twins[0].kill()
    struck = by_key([first, *batches])
    calm = by_key(DataLoader(alone, batch_size=None))
    same(struck, calm)

    begin = time.monotonic()
    again = by_key(loader)
    took = time.monotonic() - begin
    same(again, by_key(DataLoader(alone, batch_size=None)))
    # A server that is waited for is waited for ten seconds, by each connection.
    assert took < 10, f"the second epoch took {took:.1f} s"

    twins[0].start()
    same(by_key(loader), by_key(DataLoader(alone, batch_size=None)))


def test_servers_are_found_in_a_file_that_names_one_at_a_time(twins: List[Server], tmp_path: pathlib.Path) -> None:
    place = tmp_path / "servers"
    place.write_text(twins[0].address + "\n")
    data = dataset(f"@{place}")
    first = by_key(data)
    place.write_text(twins[1].address + "  # moved\n")
    twins[0].kill()
    second = by_key(data)
    assert first.keys() == second.keys() and len(first) == 26
    place.unlink()
    with pytest.raises(headwater.ServerError, match="servers"):
        len(dataset(f"@{place}"))


def test_words_that_name_no_servers_are_refused_where_they_are_given() -> None:
    for wrong in ("@", "dns:///", "etcd://etcd1:2379", "consul://a/b"):
        with pytest.raises(ValueError, match="names no servers"):
            dataset(wrong)
