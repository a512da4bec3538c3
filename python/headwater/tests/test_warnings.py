"""What somebody who trains must know stands on the screen of a plain script: once, however many workers there are."""

import pathlib
import shutil
import warnings
from typing import Any, Iterator, List

import headwater
import pytest
from conftest import Server, script

PLAIN = """
import sys
import headwater
from torch.utils.data import DataLoader

if __name__ == "__main__":
    address, on_error, workers, method = sys.argv[1:]
    data = headwater.IterableDataset(address, "photos", "imagenet-train", cut="cropped", on_error=on_error)
    how = {"num_workers": int(workers), "multiprocessing_context": method} if int(workers) else {}
    for epoch in range(2):
        data.set_epoch(epoch)
        for batch in DataLoader(data, batch_size=4, **how):
            pass
"""


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Iterator[Server]:
    """A class that is a link, a format that is not decoded, an empty photo."""
    folder = tmp_path_factory.mktemp("awkward")
    shutil.copytree(photos, folder / "photos")
    (folder / "photos" / "zebra").symlink_to(next(path for path in (folder / "photos").iterdir() if path.is_dir()).name)
    (folder / "photos" / "first.heic").write_bytes(b"x")
    (folder / "photos" / "aaa").mkdir()
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        (folder / "photos" / "aaa" / name).write_bytes(b"")
    server = Server(folder / "server", folder / "photos", "--cpu-workers", 1)
    yield server
    server.kill()


def shown(tmp_path: pathlib.Path, *arguments: Any) -> List[str]:
    """The warnings of a script that has set up nothing."""
    file = tmp_path / "plain.py"
    file.write_text(PLAIN)
    said = script(
        "import subprocess, sys; words = [sys.executable, *sys.argv[1:]]; "
        "print(subprocess.run(words, check=True, stderr=subprocess.PIPE, text=True).stderr)",
        file,
        *arguments,
    )
    return [line for line in said.splitlines() if "HeadwaterWarning" in line]


@pytest.mark.parametrize("workers, method", [(0, "fork"), (2, "fork"), (2, "spawn")])
def test_a_plain_script_sees_what_was_left_out_and_what_failed_once(
    awkward: Server, tmp_path: pathlib.Path, workers: int, method: str
) -> None:
    said = shown(tmp_path, awkward.address, "skip", workers, method)
    for words in ("symbolic links to folders are left out", "formats that are not decoded here"):
        assert len([line for line in said if words in line]) == 1, said
    assert any("1 at" in line and "(zebra)" in line for line in said), said
    assert any("(first.heic; .heic 1)" in line for line in said), said
    failures = [line for line in said if "failed and is left out: content is empty" in line]
    assert len(failures) == 1 and "aaa/" in failures[0], said
    assert len(said) == 3, said


def test_a_warning_names_the_line_of_the_script_and_can_be_made_an_error(awkward: Server) -> None:
    def dataset() -> Any:
        return headwater.MapDataset(awkward.address, "photos", "imagenet-train", cut="cropped")

    with pytest.warns(headwater.HeadwaterWarning) as caught:
        length = len(dataset())
    assert length == 29 and {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error", headwater.HeadwaterWarning)
        with pytest.raises(headwater.HeadwaterWarning, match="left out"):
            len(dataset())


def test_a_substitute_is_warned_of(awkward: Server) -> None:
    data = headwater.IterableDataset(
        awkward.address,
        "photos",
        "imagenet-train",
        cut="cropped",
        fields=("image", "key"),
        on_error="substitute",
        indices=[0, 1, 2, 3],
    )
    with pytest.warns(headwater.HeadwaterWarning, match="failed and is given another in its place: content is empty"):
        assert len(list(data)) == 4


def test_an_ordinary_dataset_is_nothing_to_warn_of(tmp_path: pathlib.Path, address: str) -> None:
    assert shown(tmp_path, address, "raise", 0, "fork") == []
