"""Names of any bytes: keys and classes are what `os.fsdecode` gives, and those of torchvision's ImageFolder."""

import os
import pathlib
import pickle
from typing import List

import numpy as np
import pytest
from conftest import Server, client_of

import headwater

NAMES = [
    b"plain",
    "caf\u00e9".encode(),
    "cafe\u0301".encode(),
    b"caf\xe9",
    b"Plain",
    b" leading",
    b"new\nline",
    b"tab\tand \"quotes\" and 'more'",
    b"back\\slash",
    b"\xff\xfe",
    "\U0001f431".encode(),
    "\u3042".encode(),
    # What stands for a byte in the servers' texts, as a character of its own.
    "\uefe9".encode(),
    b"x" * 200 + b"\xe9" * 20,
]


@pytest.fixture()
def folder(tmp_path: pathlib.Path, photos: pathlib.Path) -> pathlib.Path:
    """A class for each name, with a photo of each name."""
    photo = next(photos.glob("*/*.jpg")).read_bytes()
    root = os.fsencode(tmp_path / "data")
    for name in NAMES:
        os.makedirs(os.path.join(root, name))
        for file in NAMES[:4]:
            with open(os.path.join(root, name, file + b".jpg"), "wb") as out:
                out.write(photo)
    return tmp_path / "data"


def test_keys_and_classes_are_those_of_the_file_system(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:
        client = client_of([server.address])
        keys, labels = client.listing()
        walked = [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names]
        assert sorted(keys) == sorted(os.path.relpath(path, folder) for path in walked)
        assert len(set(keys)) == len(keys) == 4 * len(NAMES)
        assert all(client.classes[label] == key.split("/")[0] for key, label in zip(keys, labels))
        # A key is a name for the servers, too.
        losses = np.ones(len(keys), dtype=np.float32)
        client.report_keys(keys, losses)
        assert pickle.loads(pickle.dumps(keys)) == keys
    finally:
        server.kill()


def test_classes_have_the_order_of_torchvision(tmp_path: pathlib.Path, folder: pathlib.Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    reference = datasets.ImageFolder(str(folder))
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    try:
        client = client_of([server.address])
        # Characters that are nobody's have another place where they are written as bytes.
        assert without(client.classes) == without(reference.classes)
        assert set(client.classes) == set(reference.classes)
    finally:
        server.kill()


def test_a_key_draws_the_same_numbers_in_every_form_that_python_has(folder: pathlib.Path) -> None:
    recipe = headwater.Recipe.builtin("imagenet-train")
    framings = {name: recipe.framing(500, 400, os.fsdecode(name), seed=7) for name in NAMES}
    assert len({repr(framing) for framing in framings.values()}) == len(NAMES)


def without(classes: List[str]) -> List[str]:
    return [name for name in classes if name != "\uefe9"]
