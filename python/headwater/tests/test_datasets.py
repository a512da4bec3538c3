"""Parquet files that PyPI's `datasets` has written: the same keys, labels and pixels as it reads from them itself.

`datasets` takes 422 MB with what it needs, and so is there with the trainers only: scripts/test --trainers.
"""

import io
import json
import pathlib
import subprocess
from typing import Any, Dict, List, Tuple

import headwater
import numpy as np
import pytest
from conftest import BIN, Server, client_of, run

datasets = pytest.importorskip("datasets", reason="PyPI's datasets is not installed: scripts/test --trainers has it")

from datasets.table import embed_table_storage  # noqa: E402

#: Not in the order of the alphabet: a ClassLabel's numbers are those of its list.
NAMES = ["zebra", "ant", "nobody"]


def written(photos: pathlib.Path, folder: pathlib.Path, group: int) -> pathlib.Path:
    """The photos as a table with names that differ, as a user of `datasets` writes it."""
    folder.mkdir()
    paths = sorted(photos.glob("*/*.*"))
    classes = sorted({path.parent.name for path in paths})
    named = []
    for path in paths:
        named.append(folder / f"{path.parent.name}-{path.name}")
        named[-1].write_bytes(path.read_bytes())
    labels = [classes.index(path.parent.name) for path in paths]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)})
    table = datasets.Dataset.from_dict({"image": [str(path) for path in named], "label": labels}, features=features)
    table.to_parquet(str(folder / "paths.parquet"))
    file = folder / "train.parquet"
    embedded = table.with_format("arrow").map(embed_table_storage, batched=True).with_format(None)
    embedded.to_parquet(str(file), batch_size=group)
    return file


def fetched(server: Server, out: pathlib.Path) -> Dict[str, Tuple[str, Any]]:
    """Label and tensor of each sample, by key."""
    what = ["--cut", "encoded", "--recipe", "imagenet-train", "--seed", 7, "--epoch", 0, "--out", out]
    run(BIN / "profiler", "fetch", "--servers", server.address, "--dataset", "photos", *what)
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    return {row["key"]: (row["label"], np.load(out / f"{row['index']}.npy")) for row in rows}


@pytest.mark.parametrize("group", [5, 1000])
def test_datasets_has_the_same_keys_labels_and_pixels(tmp_path: pathlib.Path, photos: pathlib.Path, group: int) -> None:
    file = written(photos, tmp_path / "table", group)
    table = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
    stored: List[Any] = list(table.cast_column("image", datasets.Image(decode=False)))
    server = Server(tmp_path / "server", file, "--cpu-workers", 1)
    try:
        client = client_of([server.address])
        assert client.classes == table.features["label"].names == NAMES
        keys, labels = client.listing()
        expected = {row["image"]["path"]: row["label"] for row in stored}
        assert dict(zip(keys, labels.tolist())) == expected and len(expected) == len(stored)
        found = fetched(server, tmp_path / "fetched")
        recipe = headwater.Recipe.builtin("imagenet-train")
        for row, decoded in zip(stored, table):
            key = row["image"]["path"]
            label, tensor = found[key]
            assert label == NAMES[decoded["label"]]
            assert np.array_equal(recipe.finish(row["image"]["bytes"], key, seed=7, epoch=0), tensor), key
            # The pixels that datasets, which is to say Pillow, has decoded, in a format that changes none.
            pixels = io.BytesIO()
            decoded["image"].convert("RGB").save(pixels, "png")
            of_pixels = recipe.finish(pixels.getvalue(), key, seed=7, epoch=0)
            assert np.abs(of_pixels - tensor).max() < 0.5 / 255 / 0.225, key
    finally:
        server.kill()


def test_a_table_of_paths_alone_is_refused_with_what_embeds_them(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    paths = written(photos, tmp_path / "table", 5).with_name("paths.parquet")
    words = [BIN / "storage-server", "serve", "--dataset", "photos", "--data", paths, "--listen", "127.0.0.1:0"]
    ended = subprocess.run([str(word) for word in words], stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode != 0 and "has the bytes of a photo in the column image" in ended.stderr
    assert "embed_table_storage" in ended.stderr
