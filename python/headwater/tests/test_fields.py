"""Labels, classes and fields from files at the server, as a script that trains has them."""

import json
import pathlib
import shutil
from typing import Any, Dict, Iterator, List, Tuple

import headwater
import numpy as np
import pytest
import torch
from conftest import Server

NAMES = ("image", "label", "key", "caption", "score", "count", "tags")


def table(photos: pathlib.Path) -> List[Dict[str, Any]]:
    """A row for each photo; some values are absent."""
    keys = sorted(str(path.relative_to(photos)) for path in photos.rglob("*.*") if path.is_file())
    return [
        {
            "key": key,
            "label": ["zebra", "ant"][number % 2],
            "caption": f'photo "{number}", of {key}',
            "score": None if number == 3 else number / 4,
            "count": number,
            "tags": [number % 2, number % 3 == 0, 1],
        }
        for number, key in enumerate(keys)
    ]


def json_lines(rows: List[Dict[str, Any]], to: pathlib.Path) -> pathlib.Path:
    to.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return to


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Iterator[Tuple[Server, Any]]:
    folder = tmp_path_factory.mktemp("labelled")
    rows = table(photos)
    file = json_lines(rows, folder / "labels.jsonl")
    server = Server(
        folder / "server",
        photos,
        *("--labels", file, "--classes", "zebra,ant,cow", "--fields", "caption,score,count,tags"),
    )
    yield server, {row["key"]: row for row in rows}
    server.kill()


def stream(server: Server, **more: Any) -> "headwater.IterableDataset[Any]":
    settings = {"cut": "cropped", "fields": NAMES, **more}
    return headwater.IterableDataset(server.address, "photos", "imagenet-train", **settings)


def test_batches_have_the_labels_and_fields_of_the_file(labelled: Any) -> None:
    server, rows = labelled
    data = stream(server, batch_size=4)
    assert data.classes == ["zebra", "ant", "cow"]
    assert data.fields == {"caption": "text", "score": "number", "count": "integer", "tags": "integers"}
    seen = 0
    for images, labels, keys, captions, scores, counts, tags in data:
        assert (scores.dtype, counts.dtype, tags.dtype) == (torch.float64, torch.int64, torch.int64)
        assert tags.shape == (len(keys), 3)
        for at, key in enumerate(keys):
            row = rows[key]
            assert labels[at] == ["zebra", "ant"].index(row["label"])
            assert captions[at] == row["caption"]
            assert counts[at] == row["count"]
            assert tags[at].tolist() == [int(tag) for tag in row["tags"]]
            assert scores[at] == row["score"] or (row["score"] is None and torch.isnan(scores[at]))
        seen += len(keys)
    assert seen == len(rows)


@pytest.mark.parametrize("workers", [0, 2])
def test_single_samples_of_both_datasets_and_workers_have_them_too(labelled: Any, workers: int) -> None:
    server, rows = labelled
    mapped = headwater.MapDataset(server.address, "photos", "imagenet-train", cut="cropped", fields=NAMES)
    for data in (mapped, stream(server)):
        loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
        found = {}
        for _, label, key, caption, score, count, tags in loader:
            row = rows[key]
            assert (label, caption, count) == (["zebra", "ant"].index(row["label"]), row["caption"], row["count"])
            assert np.isnan(score) if row["score"] is None else score == row["score"]
            assert tags.tolist() == [int(tag) for tag in row["tags"]]
            found[key] = True
        assert len(found) == len(rows)


@pytest.mark.parametrize("workers", [0, 2])
def test_fields_come_without_photos_and_nothing_is_decoded_for_them(labelled: Any, workers: int) -> None:
    server, rows = labelled
    fields = ("caption", "key", "tags", "label", "score")
    mapped = headwater.MapDataset(server.address, "photos", fields=fields)
    single = headwater.IterableDataset(server.address, "photos", fields=fields, seed=5)
    for data in (mapped, single):
        found = set()
        for caption, key, tags, label, score in torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers):
            row = rows[key]
            assert (caption, label) == (row["caption"], ["zebra", "ant"].index(row["label"]))
            assert tags.tolist() == [int(tag) for tag in row["tags"]]
            assert np.isnan(score) if row["score"] is None else score == row["score"]
            found.add(key)
        assert found == set(rows)
    names = headwater.IterableDataset(server.address, "photos", fields=("key", "label"), seed=5)
    again = headwater.IterableDataset(server.address, "photos", fields=fields, seed=5)
    assert [key for key, _ in names] == [key for _, key, *_ in again], "the same order, whatever is asked for"


def test_fields_come_where_no_photo_can_be_read_any_more(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    rows, folder = table(photos), tmp_path / "photos"
    shutil.copytree(photos, folder)
    labels = json_lines(rows, tmp_path / "labels.jsonl")
    server = Server(tmp_path / "server", folder, "--labels", labels, "--fields", "caption,count")
    try:
        shutil.rmtree(folder)
        data = headwater.IterableDataset(server.address, "photos", fields=("caption", "count"), batch_size=13)
        counts = [count for _, batch in data for count in batch.tolist()]
        assert sorted(counts) == list(range(len(rows)))
    finally:
        server.kill()


def test_a_multi_label_head_trains_on_a_list(labelled: Any) -> None:
    server, _ = labelled
    head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(3))
    for images, tags in stream(server, batch_size=8, fields=("image", "tags")):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(head(images[:, :, ::16, ::16]), tags.float())
        loss.backward()
        assert torch.isfinite(loss)


def test_numpy_output_gives_arrays(labelled: Any) -> None:
    server, _ = labelled
    counts, tags = next(iter(stream(server, batch_size=4, output="numpy", fields=("image", "count", "tags"))))[1:]
    assert (type(counts), counts.dtype, type(tags)) == (np.ndarray, np.int64, np.ndarray)


def test_names_that_are_not_there_are_refused_when_the_dataset_is_made(labelled: Any, address: str) -> None:
    server, _ = labelled
    with pytest.raises(ValueError, match="no field 'captoin'.*'caption', 'score', 'count', 'tags'"):
        stream(server, fields=("image", "captoin"))
    with pytest.raises(ValueError, match="no field 'caption'.*the server's settings labels= and fields="):
        headwater.MapDataset(address, "photos", "imagenet-train", fields=("image", "caption"))
    with pytest.raises(ValueError, match="no field 'captoin'"):
        stream(server, fields=("captoin",))


def test_an_absent_whole_number_is_an_error_and_a_text_none(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    rows = table(photos)
    given = json_lines(rows[1:], tmp_path / "labels.jsonl")
    server = Server(tmp_path / "server", photos, "--labels", given, "--fields", "count,caption")
    try:
        fields = ("image", "caption", "label")
        first = headwater.MapDataset(server.address, "photos", "imagenet-train", fields=fields)[0]
        assert first[1:] == (None, -1)
        with pytest.raises(headwater.HeadwaterError, match=f"field 'count' of sample {rows[0]['key']} has no value"):
            headwater.MapDataset(server.address, "photos", "imagenet-train", fields=("image", "count"))[0]
    finally:
        server.kill()


def test_csv_and_json_lines_are_the_same_dataset(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    rows, digests = table(photos), set()
    lines = ["\ufeffkey,label,count,score"] + [f"{r['key']},{r['label']},{r['count']},{r['score'] or 0}" for r in rows]
    (tmp_path / "labels.csv").write_text("\r\n".join(lines))
    json_lines([{**row, "score": row["score"] or 0} for row in rows], tmp_path / "labels.jsonl")
    for name in ("labels.csv", "labels.jsonl"):
        folder = tmp_path / name.replace(".", "-")
        server = Server(folder, photos, "--labels", tmp_path / name, "--fields", "count,score")
        try:
            data = headwater.MapDataset(server.address, "photos", "imagenet-train", fields=("image", "count", "score"))
            digests.add((data._reader.source.describe().digest, tuple(data.targets)))
        finally:
            server.kill()
    assert len(digests) == 1


def test_pinned_classes_keep_train_and_validation_in_agreement(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    rows = table(photos)
    only_ants = json_lines([row for row in rows if row["label"] == "ant"], tmp_path / "val.jsonl")
    both = json_lines(rows, tmp_path / "train.jsonl")
    pinned = tmp_path / "classes.txt"
    pinned.write_text("zebra\nant\n")
    labels = {}
    for name, file in (("train", both), ("val", only_ants)):
        server = Server(tmp_path / name, photos, "--labels", file, "--classes", pinned)
        try:
            data = headwater.MapDataset(server.address, "photos", "imagenet-train")
            assert data.classes == ["zebra", "ant"]
            labels[name] = dict(data.samples)
            chosen = headwater.MapDataset(server.address, "photos", "imagenet-train", classes=["ant"])
            assert set(chosen.targets) == {0} and chosen.keys == [key for key, n in data.samples if n == 1]
        finally:
            server.kill()
    assert set(labels["train"].values()) == {0, 1}
    assert {key: label for key, label in labels["val"].items() if label >= 0} == {
        row["key"]: 1 for row in rows if row["label"] == "ant"
    }
