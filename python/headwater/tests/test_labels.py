"""Labels that a head gave to photos on their servers, asked for from Python."""

import json
import pathlib
from typing import Any, Iterator

import headwater
import pytest
from conftest import BIN, PHOTOS, Server, run


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path, model: Any) -> Iterator[str]:
    """A server whose photos have the labels of a head that was trained on them."""
    folder, (file, recipe) = tmp_path_factory.mktemp("labelled"), model
    what = ["--model", f"extractor={file},recipe={recipe}", "--cpu-workers", 1, "--inference-workers", 1]
    training = Server(folder / "training", photos, *what)
    head = folder / "head.onnx"
    servers = ["--servers", training.address, "--dataset", "photos"]
    run(BIN / "tuner", "fine-tune", *servers, "--model", "extractor", "--runs", 1, "--out", head)
    training.kill()
    server = Server(folder / "server", photos, *what, "--head", f"head={head}", "--state", folder / "state")
    run(BIN / "tuner", "relabel", "--servers", server.address, "--dataset", "photos", "--model", "head")
    yield server.address
    server.kill()


def test_labels_are_those_that_the_tuner_shows(labelled: str) -> None:
    found = headwater.labels(labelled, "photos")
    assert len({photo.key for photo in found}) == len(found) == PHOTOS
    counts = headwater.label_counts(labelled, "photos")
    assert sum(counts.values()) == PHOTOS and list(counts.values()) == sorted(counts.values(), reverse=True)
    label = next(iter(counts))
    of_label = headwater.labels(labelled, "photos", label=label, model="head")
    assert len(of_label) == counts[label]
    assert all(photo.label == label == photo.labels[0][0] and photo.before is None for photo in of_label)
    assert [photo.score for photo in of_label] == sorted((photo.score for photo in of_label), reverse=True)
    said = run(BIN / "tuner", "labels", "--servers", labelled, "--dataset", "photos", "--label", label, "--json")
    shown = json.loads(said)["photos"]
    assert [photo["key"] for photo in shown] == [photo.key for photo in of_label]
    lowest = headwater.labels(labelled, "photos", uncertain=True, limit=3)
    assert [photo.score for photo in lowest] == sorted(photo.score for photo in found)[:3]
    # The keys are those of a dataset.
    keys = headwater.MapDataset(labelled, "photos", recipe="imagenet-eval").keys
    assert sorted(keys) == sorted(photo.key for photo in found)


def test_what_makes_no_sense_is_refused_with_the_fix(labelled: str) -> None:
    with pytest.raises(ValueError, match="label= and uncertain= are different questions"):
        headwater.labels(labelled, "photos", label="0", uncertain=True)
    with pytest.raises(ValueError, match="from 0 to 1"):
        headwater.labels(labelled, "photos", min_score=2)
    with pytest.raises(ValueError, match="hexadecimal"):
        headwater.labels(labelled, "photos", digest="xyz")
    with pytest.raises(ValueError, match="limit"):
        headwater.labels(labelled, "photos", limit=0)
    with pytest.raises(headwater.ServerError, match="has no class"):
        headwater.labels(labelled, "photos", label="no such class")
    with pytest.raises(headwater.ServerError, match="no labels by other"):
        headwater.labels(labelled, "photos", model="other")


def test_a_server_without_labels_says_how_they_are_made(address: str) -> None:
    with pytest.raises(headwater.ServerError, match="--state"):
        headwater.labels(address, "photos")
