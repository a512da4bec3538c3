"""Keys and labels without photos, and the digest of names, which stays where files are touched."""

import os
import pathlib
import shutil
from typing import Any

from conftest import CUTS, PHOTOS, Server, client_of


def test_names_are_those_that_come_with_the_photos(address: str, fetched: Any) -> None:
    client = client_of(address.split(","))
    keys, labels = client.listing()
    assert len(keys) == len(labels) == PHOTOS
    assert {index: (key, client.classes[label]) for index, (key, label) in enumerate(zip(keys, labels))} == {
        index: (row["key"], row["label"]) for index, row in fetched[CUTS[0]].items()
    }
    # A few kilobytes, and no photo.
    assert client.counters()["samples"] == 0


def test_a_sample_without_a_label_is_minus_one(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(photos, folder)
    first = next(folder.glob("*/*"))
    first.rename(folder / "flat.jpg")
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:
        keys, labels = client_of([server.address]).listing()
        assert [key for key, label in zip(keys, labels) if label == -1] == ["flat.jpg"]
        assert set(labels) == {-1, 0, 1}
    finally:
        server.kill()


def test_the_digest_of_names_is_that_of_names(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(photos, folder)
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:

        def digests() -> Any:
            client = client_of([server.address])
            return client.names_digest, client.digest

        before = digests()
        assert before == digests() and len(before[0]) == 64
        first = sorted(folder.glob("*/*"))[0]
        os.utime(first, (1, 1))
        server.kill()
        server.start()
        touched = digests()
        assert touched[0] == before[0] and touched[1] != before[1]
        first.rename(first.with_name("zzz.jpg"))
        server.kill()
        server.start()
        assert digests()[0] != before[0]
    finally:
        server.kill()


def test_digests_of_names_are_in_the_order_of_the_servers(address: str) -> None:
    addresses = address.split(",")
    one, other = (client_of(order).names_digest for order in (addresses, addresses[::-1]))
    assert one != other and one == client_of(addresses).names_digest
