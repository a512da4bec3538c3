"""Files that were touched or copied are the same samples: what says otherwise says why, and a state is gone on with by
key."""

import logging
import os
import pathlib
import shutil
from typing import Any, Iterator, List

import pytest
from conftest import Server

import headwater
from headwater.identity import recognised
from headwater.progress import Epoch


@pytest.fixture()
def served(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Server]:
    shutil.copytree(photos, tmp_path / "photos")
    server = Server(tmp_path / "server", tmp_path / "photos", "--cpu-workers", 1)
    yield server
    server.kill()


def data(server: Server, **more: Any) -> Any:
    return headwater.IterableDataset(
        server.address, "photos", "imagenet-train", **{"batch_size": 4, "fields": ("image", "key"), "seed": 3, **more}
    )


def keys_of(batches: Any) -> List[str]:
    return [key for _, keys in batches for key in keys]


def begun(dataset: Any) -> Any:
    """What two batches gave, and where that stands."""
    batches = iter(dataset)
    return keys_of(next(batches) for _ in range(2)), dataset.state_dict()


def touch(folder: pathlib.Path) -> None:
    for file in folder.glob("*/*"):
        os.utime(file, (1, 1))


def restart(server: Server) -> None:
    server.kill()
    server.start()


def test_touched_files_fail_with_what_to_do_until_the_server_lists_them_anew(
    served: Server, tmp_path: pathlib.Path
) -> None:
    dataset = headwater.MapDataset(served.address, "photos", "imagenet-train")
    dataset[0]
    touch(tmp_path / "photos")
    with pytest.raises(headwater.SampleError, match="modification time.*touch.*restart the server") as caught:
        dataset[1]
    assert caught.value.kind == "changed"
    restart(served)
    assert headwater.MapDataset(served.address, "photos", "imagenet-train")[1]
    # One that was asked before must not mix the two.
    dataset.close()
    with pytest.raises(headwater.ServerError, match="make the dataset anew"):
        dataset[1]


@pytest.mark.parametrize("more", [{}, {"indices": range(20)}, {"classes": None}])
def test_a_state_is_gone_on_with_where_files_were_touched(
    served: Server, tmp_path: pathlib.Path, more: Any, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"classes": data(served).classes[::-1]} if "classes" in more else more
    whole = keys_of(data(served, **more))
    done, state = begun(data(served, **more))
    touch(tmp_path / "photos")
    restart(served)
    again = data(served, **more)
    with caplog.at_level(logging.WARNING, "headwater"):
        again.load_state_dict(state)
    assert [
        record.message
        for record in caplog.records
        if "touch" in record.message and "keys and labels are the same" in record.message
    ]
    assert done + keys_of(again) == whole, "in the order of a run that was never stopped"
    caplog.clear()
    later = data(served, **more)
    with caplog.at_level(logging.WARNING, "headwater"):
        later.load_state_dict(again.state_dict())
    assert not caplog.records, "what was saved since is of the files as they are"


def test_a_state_of_other_names_is_refused_with_what_differs(served: Server, tmp_path: pathlib.Path) -> None:
    _, state = begun(data(served))
    for other, words in (
        ({"seed": 4}, "its seed is 3, and this dataset's is 4: give seed=3"),
        ({"shuffle": False}, "give shuffle=True"),
        ({"indices": range(20)}, "give indices="),
        ({"classes": data(served).classes[:1]}, "classes="),
    ):
        with pytest.raises(headwater.HeadwaterError, match=words):
            data(served, **other).load_state_dict(state)
    some = next((tmp_path / "photos").glob("*/*"))
    some.rename(some.with_name("other-name.jpg"))
    restart(served)
    with pytest.raises(headwater.HeadwaterError, match="other keys or labels.*begin the epoch anew"):
        data(served).load_state_dict(state)


def test_a_state_that_knows_no_names_is_recognised_by_its_digest_alone() -> None:
    mine = Epoch("d1:c", 10, 0, 1, True, "n1:c")
    assert recognised(mine._replace(names=""), mine) == mine
    with pytest.raises(headwater.HeadwaterError, match="did not say which"):
        recognised(mine._replace(names="", digest="d0:c"), mine)
    with pytest.raises(headwater.HeadwaterError, match="indices="):
        recognised(mine._replace(names="n1:b", digest="d0:b"), mine)
