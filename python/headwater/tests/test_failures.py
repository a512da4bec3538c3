"""One bad photo is an error, a gap or its neighbour, as was asked for; and always counted."""

import pathlib
import pickle
import shutil
import time
from typing import Any, Iterator, List

import headwater
import numpy as np
import pytest
import torch
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


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_kind_key_and_index_come_out_of_a_worker(spoilt: Server, kind: Any) -> None:
    dataset = data(spoilt, kind, indices=[20, 0, 21])
    for workers in (0, 2):
        with pytest.raises(headwater.SampleError, match="broken.jpg") as caught:
            list(DataLoader(dataset, 3, num_workers=workers))
        error = caught.value
        assert (error.kind, error.key, error.index) == ("unsupported-format", BAD[0], 0)
        assert str(error).count("[kind: ") == 1


@pytest.mark.parametrize(
    "key",
    [
        "a/b.jpg",
        "",
        'quote" and \\ and [kind: x, index: 1, key: "y"].jpg',
        "line\nbreak\u2028\x1f.jpg",
        "ключ/鍵.jpg",
        None,
        '[kind: not-found, index: 7, key: "other.jpg"]',
    ],
)
def test_any_key_survives_the_text_of_an_error(key: Any) -> None:
    from torch._utils import ExceptionWrapper

    first = headwater.SampleError(f"sample 3 failed: {key}: bad", kind="malformed", index=3, key=key)
    try:
        try:
            raise headwater.SampleError("before", kind="internal", index=9, key="before.jpg")
        except headwater.SampleError as before:
            raise first from before
    except headwater.SampleError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(headwater.SampleError) as caught:
        pickle.loads(pickle.dumps(wrapped)).reraise()
    for error in (first, pickle.loads(pickle.dumps(first)), caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.kind, error.index, error.key) == ("malformed", 3, key)
    assert str(pickle.loads(pickle.dumps(first))) == str(first) and str(first).count("index: 3") == 1
    plain = headwater.SampleError("a user's own")
    assert (str(plain), plain.kind, plain.index, plain.key) == ("a user's own", "internal", -1, None)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_of_bad_samples_alone_gets_one_substitute(spoilt: Server, workers: int) -> None:
    # With `indices` the next that is good is of the same part.
    part = {"indices": [0, 1, 20, 21], "on_error": "skip"}
    for dataset, size in (
        (data(spoilt, batch_size=2, shuffle=False, **part), None),
        (data(spoilt, headwater.MapDataset, **part), 2),
    ):
        batches = [index.tolist() for _, index, _ in DataLoader(dataset, size, num_workers=workers)]
        assert batches == [[20], [20, 21]]
        assert dataset.counters() == {
            "samples": 2,
            "failed": 2,
            "skipped": 1,
            "substituted": 1,
            "replans": 0,
            "unannounced": 0,
            "reported": 0,
            "replaced": 0,
        }
    single = data(spoilt, shuffle=False, **part)
    assert [index for _, index, _ in single] == [20, 21], "single samples are no batches"
    for kind in (headwater.IterableDataset, headwater.MapDataset):
        dataset = data(
            spoilt,
            kind,
            indices=[0, 1],
            on_error="skip",
            **({"batch_size": 2} if kind is headwater.IterableDataset else {}),
        )
        with pytest.raises(headwater.SampleError, match="next to it") as caught:
            list(DataLoader(dataset, 2 if kind is headwater.MapDataset else None, num_workers=workers))
        assert caught.value.kind == "unsupported-format" and caught.value.key in BAD


def test_an_index_is_one_whole_number(spoilt: Server) -> None:
    dataset = data(spoilt, headwater.MapDataset, indices=[20, 21, 22, 23])
    assert dataset[3][1] == 23
    for three in (np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), -1, np.int32(-1)):
        assert dataset[three][1] == 23
    odd: List[Any] = [
        [1, 2],
        (1,),
        slice(1, 3),
        True,
        np.bool_(True),
        torch.tensor(True),
        1.5,
        2.0,
        np.float32(1),
        torch.tensor(1.0),
        "1",
        None,
        np.array([1]),
        torch.tensor([1]),
        torch.tensor([True, False, True, False]),
        np.zeros(4, dtype=bool),
    ]
    for index in odd:
        with pytest.raises(TypeError, match="one whole number.*__getitems__.*Subset"):
            dataset[index]
        with pytest.raises(TypeError, match="one whole number"):
            dataset.__getitems__([0, index])
    for index in (4, -5, 2**64, torch.tensor(4)):
        with pytest.raises(IndexError, match="the dataset has 4"):
            dataset[index]
    assert [index for _, index, _ in dataset.__getitems__(torch.tensor([3, 0]))] == [23, 20]
    assert [index for _, index, _ in dataset.__getitems__(np.array([1, 1]))] == [21, 21]
    assert dataset.__getitems__([]) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_skip_leaves_them_out_and_counts_them(spoilt: Server, workers: int) -> None:
    for more in ({}, {"batch_size": 5}):
        dataset = data(spoilt, on_error="skip", **more)
        loader = DataLoader(dataset, batch_size=None, num_workers=workers)
        keys: List[str] = []
        for _, _, key in loader:
            keys += [key] if isinstance(key, str) else key
        assert len(keys) == len(set(keys)) == 26 and not set(keys) & set(BAD)
        assert dataset.counters() == {
            "samples": 26,
            "failed": 2,
            "skipped": 2,
            "substituted": 0,
            "replans": 0,
            "unannounced": 0,
            "reported": 0,
            "replaced": 0,
        }


@pytest.mark.parametrize("workers", [0, 2])
def test_substitutes_are_good_samples_and_batches_stay_whole(spoilt: Server, workers: int) -> None:
    dataset = data(spoilt, on_error="substitute", batch_size=7)
    batches = list(DataLoader(dataset, batch_size=None, num_workers=workers))
    assert [len(batch[0]) for batch in batches] == [7, 7, 7, 7]
    keys = [key for batch in batches for key in batch[2]]
    assert not set(keys) & set(BAD) and len(set(keys)) == 26
    assert dataset.counters() == {
        "samples": 26,
        "failed": 2,
        "skipped": 0,
        "substituted": 2,
        "replans": 0,
        "unannounced": 0,
        "reported": 0,
        "replaced": 0,
    }
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
    for name in (".DS_Store", "._1.jpg", "Thumbs.db", "README", "labels.csv", "meta.json", "clip.mp4", "old.psd"):
        (some_class / name).write_bytes(b"no photo")
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:
        assert sum(1 for _ in data(server)) == 26
    finally:
        server.kill()
