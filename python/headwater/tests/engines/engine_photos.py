"""The photos that engines are tried with: real ones where there are some, one with a name that is no UTF-8, and one
that is broken; and what IterableDataset makes of them."""

import os
import pathlib
import shutil
from typing import Any, Dict, Iterator, List, NamedTuple

import headwater
import numpy as np
import pytest
from conftest import ROOT, Server

#: Real photos that are taken of each kind.
EACH = 9
EPOCH, SEED = 3, 7
BROKEN = "aaa/broken.jpg"


class Served(NamedTuple):
    """A dataset and its servers."""

    address: str
    samples: int
    folder: pathlib.Path
    servers: List[Server]


@pytest.fixture(scope="session")
def folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path
) -> pathlib.Path:
    """Class folders with photos."""
    given = pathlib.Path(os.environ.get("HEADWATER_TEST_DATA", ROOT / "../shared/data")) / "photos"
    target = tmp_path_factory.mktemp("engines") / "photos"
    if not given.is_dir():
        _say(request, f"generated photos, for there are none in {given}")
        shutil.copytree(photos, target)
    else:
        _say(request, f"real photos of {given}")
        for kind in sorted(path for path in given.iterdir() if path.is_dir()):
            (target / kind.name).mkdir(parents=True)
            for photo in sorted(kind.rglob("*.jpg"))[:EACH]:
                shutil.copy(photo, target / kind.name / photo.name)
    first = sorted(target.glob("*/*"))[0]
    shutil.copy(first, os.path.join(os.fsencode(first.parent), b"caf\xe9.jpg"))
    return target


def _say(request: pytest.FixtureRequest, text: str) -> None:
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"engines: {text}")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, folder: pathlib.Path) -> Iterator[Served]:
    """Two servers with half of the photos each."""
    yield from _serving(tmp_path_factory.mktemp("served"), folder)


@pytest.fixture(scope="session")
def spoilt(tmp_path_factory: pytest.TempPathFactory, folder: pathlib.Path) -> Iterator[Served]:
    """The same, and a file that is no photo."""
    copied = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(folder, copied / "photos")
    (copied / "photos" / BROKEN).parent.mkdir()
    (copied / "photos" / BROKEN).write_bytes(b"no photo")
    yield from _serving(copied / "servers", copied / "photos")


def _serving(work: pathlib.Path, folder: pathlib.Path) -> Iterator[Served]:
    servers = [Server(work / part[0], folder, "--partition", part, "--cpu-workers", 1) for part in ("1/2", "2/2")]
    samples = sum(1 for _ in folder.glob("*/*"))
    yield Served(",".join(server.address for server in servers), samples, folder, servers)
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def expected(served: Served) -> Dict[int, Dict[str, Any]]:
    """What IterableDataset gives of each sample in the epoch: by index, the fields."""
    return streamed(served, EPOCH)


def streamed(served: Served, epoch: int, **more: Any) -> Dict[int, Dict[str, Any]]:
    fields = ("index", "image", "label", "key")
    settings = {"seed": SEED, "output": "numpy", "fields": fields, **more}
    data = headwater.IterableDataset(served.address, "photos", "imagenet-train", **settings)
    data.set_epoch(epoch)
    samples = [dict(zip(fields, sample)) for sample in data]
    found = {sample["index"]: sample for sample in samples}
    assert len(found) == len(samples) == len(data) - data.counters()["skipped"]
    return found


def is_same(sample: Dict[str, Any], expected: Dict[str, Any]) -> bool:
    """Whether a sample of an engine has the bits and the label of that of IterableDataset."""
    image = np.asarray(sample["image"])
    return (
        image.dtype == expected["image"].dtype
        and np.array_equal(image, expected["image"])
        and int(sample["label"]) == expected["label"]
    )


def broken(spoilt: Served) -> int:
    """The number of the broken photo."""
    return headwater.MapDataset(spoilt.address, "photos", fields=("key",)).keys.index(BROKEN)


def check(samples: List[Dict[str, Any]], expected: Dict[int, Dict[str, Any]]) -> None:
    """Every sample once, with its bits and its label."""
    assert sorted(int(sample["index"]) for sample in samples) == sorted(expected)
    for sample in samples:
        assert is_same(sample, expected[int(sample["index"])]), expected[int(sample["index"])]["key"]
