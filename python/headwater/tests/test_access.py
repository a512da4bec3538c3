"""TLS and tokens from Python: the same samples come, and whoever may not is told why."""

import json
import pathlib
import pickle
from typing import Any, Dict, Iterator, NamedTuple

import numpy as np
import pytest
from conftest import BIN, PHOTOS, Server, run
from headwater.access import Access
from torch.utils.data import DataLoader

import headwater


class Guarded(NamedTuple):
    """A server that asks for a certificate and a token, and what it takes to reach it."""

    server: Server
    tls: Dict[str, pathlib.Path]
    token: str
    folder: pathlib.Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("access")
    run(BIN / "testdata", "certificates", "--out", folder)
    made = json.loads(run(BIN / "storage-server", "token", "--holder", "trainer", "--role", "read", "--json"))
    (folder / "tokens").write_text(made["line"])
    own = ["--tls-cert", folder / "server.pem", "--tls-key", folder / "server.key"]
    asked = ["--tls-client-ca", folder / "ca.pem", "--tokens", folder / "tokens"]
    server = Server(folder / "server", photos, "--cpu-workers", 1, *own, *asked)
    tls = {"ca": folder / "ca.pem", "cert": folder / "client.pem", "key": folder / "client.key"}
    yield Guarded(server, tls, made["token"], folder)
    server.kill()


def dataset(guarded: Guarded, **keywords: Any) -> Any:
    reach = {"tls": guarded.tls, "token": guarded.token, "connect_for": 5, **keywords}
    return headwater.IterableDataset(guarded.server.address, "photos", recipe="imagenet-train", batch_size=8, **reach)


def test_the_same_samples_come_by_tls_and_token_also_in_workers(guarded: Guarded, address: str) -> None:
    plain = headwater.IterableDataset(address, "photos", recipe="imagenet-train", batch_size=8)
    expected = rows(plain)
    assert len(expected) == PHOTOS and rows(dataset(guarded)) == expected
    by_file = guarded.folder / "token"
    by_file.write_text(guarded.token + "\n")
    loader = DataLoader(dataset(guarded, token=by_file), batch_size=None, num_workers=2)
    assert sum(len(labels) for _, labels in loader) == PHOTOS


def rows(data: Any) -> Any:
    """Image and label of each sample, to the bit."""
    batches = [(np.asarray(images), np.asarray(labels)) for images, labels in data]
    return {image.tobytes() + label.tobytes() for images, labels in batches for image, label in zip(images, labels)}


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"tls": None}, "--tls-ca"),
        ({"token": None}, "token="),
        ({"token": "hw-0123456789abcdef0123456789abcdef"}, "does not know this token"),
    ],
)
def test_whoever_may_not_is_told_the_keyword(guarded: Guarded, keywords: Dict[str, Any], words: str) -> None:
    with pytest.raises(headwater.AccessError, match=words) as raised:
        next(iter(dataset(guarded, **keywords)))
    assert guarded.token not in str(raised.value)
    without = {name: guarded.tls[name] for name in ("ca",)}
    with pytest.raises(headwater.AccessError, match="cert"):
        headwater.datasets(guarded.server.address, connect_for=3, tls=without, token=guarded.token)
    listed = headwater.datasets(guarded.server.address, tls=guarded.tls, token=guarded.token)
    assert [one.name for one in listed] == ["photos"]


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"tls": "ca.pem"}, TypeError, "give files in PEM"),
        ({"tls": {"cert": "a", "key": "b"}}, ValueError, 'without "ca"'),
        ({"tls": {"ca": "a", "cert": "b"}}, ValueError, "go together"),
        ({"tls": {"ca": "a", "certificate": "b"}}, ValueError, "certificate"),
        ({"tls": {"ca": "/nowhere.pem"}}, ValueError, "/nowhere.pem"),
        ({"token": 7}, TypeError, "int"),
        ({"token": " "}, ValueError, "empty"),
        ({"token": "short"}, ValueError, "16"),
        ({"token": pathlib.Path("/nowhere")}, ValueError, "/nowhere"),
    ],
)
def test_what_cannot_be_right_is_refused(keywords: Dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        next(iter(headwater.IterableDataset("127.0.0.1:1", "photos", recipe="imagenet-train", **keywords)))


def test_a_token_is_in_no_repr_and_travels_to_other_processes() -> None:
    access = Access.of({"ca": "ca.pem"}, "0123456789abcdef")
    assert "0123456789abcdef" not in repr(access)
    assert pickle.loads(pickle.dumps(access)) == access
