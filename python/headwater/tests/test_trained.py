"""Training with importance, on a server whose cache keeps what matters: as accurate as without, with fewer reads."""

import gzip
import os
import pathlib
import struct
from typing import Any, Tuple

import headwater
import numpy as np
import numpy.typing as npt
import pytest
import torch
from test_jobs import Watched

TRAINED, HELD_OUT, EPOCHS, BATCH = 4000, 2000, 8, 50
DATA = pathlib.Path(os.environ.get("HEADWATER_TEST_DATA", "../shared/data")) / "fashion_mnist"
#: 28 x 28 as it is, as a tensor from 0 to 1.
RECIPE = """
name = "fashion"
[[stage]]
op = "decode"
[[stage]]
op = "resize"
size = [28, 28]
[[stage]]
op = "to-tensor"
"""

Photos = Tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def read(name: str, head: int) -> npt.NDArray[np.uint8]:
    with gzip.open(DATA / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=head)


def photos_of_clothes() -> Photos:
    """Fashion-MNIST's first; where that is not there, ten blurred shapes under noise."""
    count = TRAINED + HELD_OUT
    if DATA.exists():
        print("on Fashion-MNIST")
        images = read("train-images-idx3-ubyte.gz", 16)[: count * 784].reshape(count, 784)
        return images, read("train-labels-idx1-ubyte.gz", 8)[:count]
    print("on generated shapes")
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    shapes = generator.normal(128, 12, (10, 784))
    noise = generator.normal(0, 40, (count, 784))
    return np.clip(shapes[labels] + noise, 0, 255).astype(np.uint8), labels


def write(folder: pathlib.Path, photos: Photos) -> None:
    images, labels = photos
    folder.mkdir()
    head = struct.pack(">IIII", 0x803, len(images), 28, 28)
    (folder / "train-images-idx3-ubyte").write_bytes(head + images.tobytes())
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, len(labels)) + labels.tobytes())


def train(address: str, recipe: pathlib.Path, held_out: Photos, by_importance: bool) -> float:
    """The accuracy on what was held out."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    sampler = headwater.ImportanceSampler(TRAINED, beta=0.5, warm_up=2) if by_importance else None
    data = headwater.IterableDataset(
        address,
        "photos",
        str(recipe),
        cut="encoded",
        batch_size=BATCH,
        fields=("image", "label", "index"),
        sampler=sampler,
    )
    for epoch in range(EPOCHS):
        data.set_epoch(epoch)
        if sampler is not None:
            sampler.set_epoch(epoch)
        for images, labels, indices in data:
            logits = network(images[:, 0].reshape(len(images), -1))
            losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
            weights = 1.0 if sampler is None else torch.from_numpy(sampler.weights(indices))
            optimizer.zero_grad()
            (losses * weights).mean().backward()
            optimizer.step()
            if sampler is not None:
                sampler.update(indices, losses)
                data.report(indices, losses)
    data.close()
    images, labels = held_out
    with torch.no_grad():
        given = network(torch.from_numpy(images.astype(np.float32) / 255)).argmax(1).numpy()
    return float((given == labels).mean())


@pytest.mark.parametrize("policy", ["importance"])
def test_importance_trains_as_well_with_fewer_reads(tmp_path: pathlib.Path, policy: str) -> None:
    images, labels = photos_of_clothes()
    write(tmp_path / "clothes", (images[:TRAINED], labels[:TRAINED]))
    held_out: Any = images[TRAINED:], labels[TRAINED:]
    recipe = tmp_path / "fashion.toml"
    recipe.write_text(RECIPE)
    found = {}
    for name, by_importance, words in (("without", False, "lru"), ("with", True, policy)):
        cache = ["--cache-policy", words, "--cache-memory", "1MiB", "--cache-ssd", "0B", "--cache-kinds", "encoded"]
        server = Watched(tmp_path / name, f"idx:{tmp_path / 'clothes'}", *cache)
        try:
            accuracy = train(server.address, recipe, held_out, by_importance)
            found[name] = accuracy, server.metric("cache_entries_total", outcome="origin", kind="encoded")
        finally:
            server.kill()
    print(f"accuracy and origin reads: {found}")
    assert found["with"][0] >= found["without"][0] - 0.01, found
    assert found["with"][1] < 0.9 * found["without"][1], found
