"""Tar files as PyPI's `webdataset` reads them: the same keys, labels and photos, to the bit."""

import io
import json
import pathlib
import tarfile

import headwater
import numpy as np
import pytest
from conftest import BIN, Server, client_of, run

wds = pytest.importorskip("webdataset")


def shards_of(photos: pathlib.Path, folder: pathlib.Path) -> str:
    """Two shards of the photos; the class of each is in a file of its own, by number."""
    paths = sorted(photos.glob("*/*.*"))
    classes = sorted({path.parent.name for path in paths})
    folder.mkdir()
    for shard in range(2):
        with tarfile.open(folder / f"shard-{shard}.tar", "w") as file:
            for path in paths[shard::2]:
                # The other way around: nobody is to take the folders for the labels.
                label = str(len(classes) - 1 - classes.index(path.parent.name)).encode()
                name = f"{path.parent.name}/{path.stem}"
                for suffix, content in ((path.suffix, path.read_bytes()), (".cls", label)):
                    member = tarfile.TarInfo(name + suffix)
                    member.size = len(content)
                    file.addfile(member, io.BytesIO(content))
    return str(folder / "shard-{0..1}.tar")


def test_webdataset_has_the_same_keys_labels_and_photos(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    urls = shards_of(photos, tmp_path / "shards")
    expected = {}
    for sample in wds.WebDataset(urls, shardshuffle=False):
        (suffix,) = (name for name in sample if not name.startswith("__") and name != "cls")
        expected[f"{sample['__key__']}.{suffix}"] = (int(sample["cls"]), sample[suffix])
    server = Server(tmp_path / "server", pathlib.Path(urls), "--cpu-workers", 1)
    try:
        client = client_of([server.address])
        keys, labels = client.listing()
        assert {key: int(client.classes[label]) for key, label in zip(keys, labels)} == {
            key: label for key, (label, _) in expected.items()
        }
        out = tmp_path / "fetched"
        what = ["--cut", "encoded", "--recipe", "imagenet-train", "--seed", 7, "--epoch", 0, "--out", out]
        run(BIN / "profiler", "fetch", "--servers", server.address, "--dataset", "photos", *what)
        recipe = headwater.Recipe.builtin("imagenet-train")
        rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
        assert len(rows) == len(expected)
        for row in rows:
            photo = recipe.finish(expected[row["key"]][1], row["key"], seed=7, epoch=0)
            assert np.array_equal(np.load(out / f"{row['index']}.npy"), photo), row["key"]
    finally:
        server.kill()
