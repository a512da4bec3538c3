"""One bad photo is an error, a gap or its neighbour, as was asked for; and always counted."""

import pathlib
import pickle
import shutil
import time
from typing import Any, Iterator, List

import headwater
import pytest
from conftest import Server
from torch.utils.data import DataLoader

BAD = ["aaa/0-broken.jpg", "aaa/1-broken.jpg"]


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(photos, folder / "photos")
    for key in BAD:
        (folder / "photos" / key).parent.mkdir(exist_ok=True)
        (folder / "photos" / key).write_bytes(b"no photo")
    server = Server(folder / "server", folder / "photos", "--cpu-workers", 1)
    yield server
    server.kill()


def data(server: Server, kind: Any = headwater.IterableDataset, **more: Any) -> Any:
    return kind(server.address, "photos", "imagenet-train", cut="cropped", fields=("image", "index", "key"), **more)


def test_raise_says_which_and_travels_out_of_a_worker(spoilt: Server) -> None:
    with pytest.raises(headwater.SampleError, match="broken.jpg") as caught:
        list(data(spoilt))
    assert caught.value.key in BAD and caught.value.kind == "unsupported-format"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, again.key, str(again)) == (caught.value.kind, caught.value.key, str(caught.value))
    with pytest.raises(headwater.SampleError, match="broken.jpg"):
        list(DataLoader(data(spoilt), batch_size=None, num_workers=1))


@pytest.mark.parametrize("workers", [0, 2])
def test_skip_leaves_them_out_and_counts_them(spoilt: Server, workers: int) -> None:
    for more in ({}, {"batch_size": 5}):
        dataset = data(spoilt, on_error="skip", **more)
        loader = DataLoader(dataset, batch_size=None, num_workers=workers)
        keys: List[str] = []
        for _, _, key in loader:
            keys += [key] if isinstance(key, str) else key
        assert len(keys) == len(set(keys)) == 26 and not set(keys) & set(BAD)
        assert dataset.counters() == {"samples": 26, "failed": 2, "skipped": 2, "substituted": 0, "replans": 0}


@pytest.mark.parametrize("workers", [0, 2])
def test_substitutes_are_good_samples_and_batches_stay_whole(spoilt: Server, workers: int) -> None:
    dataset = data(spoilt, on_error="substitute", batch_size=7)
    batches = list(DataLoader(dataset, batch_size=None, num_workers=workers))
    assert [len(batch[0]) for batch in batches] == [7, 7, 7, 7]
    keys = [key for batch in batches for key in batch[2]]
    assert not set(keys) & set(BAD) and len(set(keys)) == 26
    assert dataset.counters() == {"samples": 26, "failed": 2, "skipped": 0, "substituted": 2, "replans": 0}
    by_index = data(spoilt, headwater.MapDataset, on_error="substitute")
    assert by_index[0][2] not in BAD
    part = data(spoilt, on_error="substitute", indices=[0, 1, 20], shuffle=False)
    assert [index for _, index, _ in part] == [20, 20, 20], "substitutes come from the same part"


def test_a_resume_among_skipped_samples_loses_and_doubles_none(spoilt: Server) -> None:
    whole = [index for _, index, _ in data(spoilt, on_error="skip")]
    for stop in range(1, 26, 4):
        stopped = data(spoilt, on_error="skip")
        samples = iter(stopped)
        done = [next(samples)[1] for _ in range(stop)]
        rest = data(spoilt, on_error="skip")
        rest.load_state_dict(stopped.state_dict())
        assert done + [index for _, index, _ in rest] == whole


def test_single_samples_cannot_be_skipped(spoilt: Server) -> None:
    dataset = data(spoilt, headwater.MapDataset, on_error="skip")
    with pytest.raises(headwater.HeadwaterError, match="substitute"):
        dataset[0]
    assert len(dataset.__getitems__([0, 1, 2, 3])) == 2


def test_a_server_that_is_not_there_is_said_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(headwater.ServerError, match="see that it runs"):
        len(headwater.MapDataset("127.0.0.1:9", "photos", "imagenet-train", connect_for=0.5))
    assert time.monotonic() - began < 5
    with pytest.raises(ValueError, match="HOST:PORT"):
        len(headwater.MapDataset("no where", "photos", "imagenet-train"))


def test_losses_reach_the_servers(address: str, servers: Any) -> None:
    dataset = headwater.MapDataset(address, "photos", "imagenet-train", cut="cropped", fields=("key", "index"))
    keys = [dataset[index][0] for index in (0, 25)]
    assert dataset.report(keys, [0.5, 1.5]) == 2
    assert dataset.report([*keys, "no/such.jpg"], [0.5, 1.5, 2.5]) == 2
    assert dataset.report([3, 4, 24], [0.5, 1.5, 0.1]) == 3
    with pytest.raises(headwater.ServerError, match="no sample 26"):
        dataset.report([26], [1.0])
    with pytest.raises(headwater.ServerError, match="finite"):
        dataset.report([1], [float("inf")])
    with pytest.raises(ValueError, match="one loss for each"):
        dataset.report([1], [1.0, 2.0])


def test_files_that_are_no_photos_end_no_epoch(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    some_class = next(folder.iterdir())
    for name in (".DS_Store", "._1.jpg", "Thumbs.db", "README", "labels.csv", "meta.json", "clip.mp4", "old.bmp"):
        (some_class / name).write_bytes(b"no photo")
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:
        assert sum(1 for _ in data(server)) == 26
    finally:
        server.kill()
