"""The same tensors as `profiler fetch` has, at every cut, with any workers, forked or spawned; and torchvision's."""

import io
from typing import Any, Dict, Iterator, List, Tuple

import headwater
import numpy as np
import PIL.Image
import pytest
import torch
import torchvision.transforms as T
from conftest import CUTS, PHOTOS, Server
from torch.utils.data import DataLoader, IterableDataset
from torchvision.transforms import functional

FIELDS = ("image", "label", "key", "index")


class Tagged(IterableDataset):
    """Datasets one after the other, each sample with its dataset's name."""

    def __init__(self, datasets: Dict[str, headwater.IterableDataset]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Tuple[Any, ...]]:
        for name, dataset in self.datasets.items():
            for sample in dataset:
                yield (name, *sample)


def datasets(address: str, kind: Any = headwater.IterableDataset, **more: Any) -> Dict[str, Any]:
    def make(cut: str) -> Any:
        what: Dict[str, Any] = {"model": "extractor"} if cut == "features" else {"recipe": "imagenet-train"}
        dataset = kind(address, "photos", cut=cut, seed=7, fields=FIELDS, **what, **more)
        dataset.set_epoch(3)
        return dataset

    return {cut: make(cut) for cut in [*CUTS, "features"]}


def check(samples: List[Any], fetched: Any, classes: List[str]) -> None:
    assert len(samples) == PHOTOS * len(fetched)
    assert len({(name, index) for name, _, _, _, index in samples}) == len(samples)
    for name, image, label, key, index in samples:
        expected = fetched[name][index]
        assert np.array_equal(np.asarray(image), expected["array"]), (name, key)
        assert (key, classes[label]) == (expected["key"], expected["label"])


@pytest.mark.parametrize("workers, method", [(0, None), (1, "fork"), (4, "fork"), (1, "spawn"), (4, "spawn")])
def test_streams_give_the_bits_of_profiler_fetch(address: str, fetched: Any, workers: int, method: Any) -> None:
    every = datasets(address)
    loader = DataLoader(Tagged(every), batch_size=None, num_workers=workers, multiprocessing_context=method)
    check(list(loader), fetched, every["encoded"].classes)


@pytest.mark.parametrize("workers, method", [(0, None), (2, "fork"), (2, "spawn")])
def test_samples_by_index_have_the_same_bits(address: str, fetched: Any, workers: int, method: Any) -> None:
    every = datasets(address, headwater.MapDataset)
    chained = torch.utils.data.ConcatDataset(list(every.values()))
    loader = DataLoader(chained, batch_size=None, num_workers=workers, multiprocessing_context=method)
    names = [name for name in every for _ in range(PHOTOS)]
    check([(name, *sample) for name, sample in zip(names, loader)], fetched, every["encoded"].classes)


def test_a_batch_is_one_call_and_rows_of_one_array(address: str, fetched: Any) -> None:
    every = datasets(address, headwater.MapDataset)
    samples = every["cropped"].__getitems__([5, 0, 6, -1])
    assert [sample[3] for sample in samples] == [5, 0, 6, PHOTOS - 1]
    first, last = samples[0][0], samples[3][0]
    assert last.data_ptr() - first.data_ptr() == 3 * first.numel() * first.element_size()
    assert np.array_equal(first.numpy(), fetched["cropped"][5]["array"])
    first[:] = 0.0
    assert np.array_equal(samples[2][0].numpy(), fetched["cropped"][6]["array"]), "rows are each sample's own"


def test_pixels_are_what_the_tensor_is_made_from(address: str, fetched: Any) -> None:
    dataset = headwater.IterableDataset(
        address, "photos", "imagenet-train", seed=7, output="pixels", fields=("image", "index"), batch_size=10
    )
    dataset.set_epoch(3)
    normalize = T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    for images, indices in dataset:
        assert images.dtype == torch.uint8 and images.shape[1:] == (224, 224, 3)
        for image, index in zip(images, indices.tolist()):
            tensor = normalize(image.permute(2, 0, 1).float() / 255)
            assert np.array_equal(tensor.numpy(), fetched["encoded"][index]["array"])


TWO_STEPS = """
name = "two-steps"
[[stage]]
op = "decode"
[[stage]]
op = "resize"
size = 256
interpolation = "{}"
[[stage]]
op = "center-crop"
size = 224
exact = "two-step"
[[stage]]
op = "to-tensor"
[[stage]]
op = "normalize"
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
"""


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(500, 375), (375, 500), (640, 427), (300, 256), (90, 101)])
def test_resize_and_center_crop_in_two_steps_are_torchvisions_bits(interpolation: str, size: Tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    photo, file = PIL.Image.fromarray(noise), io.BytesIO()
    photo.save(file, "PNG")
    compose = T.Compose(
        [
            T.Resize(256, T.InterpolationMode(interpolation)),
            T.CenterCrop(224),
            T.ToTensor(),
            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    ours = headwater.Recipe(TWO_STEPS.format(interpolation)).finish(file.getvalue(), "a.png")
    assert np.array_equal(np.asarray(ours), compose(photo).numpy())
    one_step = headwater.Recipe(TWO_STEPS.format(interpolation).replace("two-step", "one-step"))
    levels = np.abs(np.asarray(one_step.finish(file.getvalue(), "a.png")) - np.asarray(ours)) * 0.229 * 255
    assert levels.max() < 1.5 and np.mean(levels > 0.5) < 0.03, "only roundings differ"


@pytest.mark.parametrize("mode", ["no-off", "resize-off", "all-off"])
def test_sophons_modes_have_the_same_bits(address: str, fetched: Any, mode: str) -> None:
    dataset = headwater.IterableDataset(
        address, "photos", "imagenet-train", cut=mode, seed=7, fields=("image", "index"), pixels="lossless"
    )
    dataset.set_epoch(3)
    for image, index in dataset:
        assert np.array_equal(image.numpy(), fetched["encoded"][index]["array"])


def test_torchvision_with_the_same_boxes_differs_by_half_a_level_at_most(address: str, photos: Any) -> None:
    compose = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor()])
    dataset = headwater.MapDataset(address, "photos", compose, seed=1, fields=("image", "key"), deterministic=True)
    for index in range(PHOTOS):
        ours, key = dataset[index]
        photo = PIL.Image.open(photos / key).convert("RGB")
        assert dataset.recipe is not None
        (left, top, width, height), flip = dataset.recipe.framing(photo.width, photo.height, key, seed=1)
        theirs = functional.resized_crop(photo, int(top), int(left), int(height), int(width), [224, 224])
        theirs = functional.to_tensor(functional.hflip(theirs) if flip else theirs)
        assert (ours - theirs).abs().mean() * 255 <= 0.5, key


def test_a_killed_server_that_comes_back_changes_nothing(own_server: Server, fetched: Any) -> None:
    dataset = headwater.IterableDataset(
        own_server.address, "photos", "imagenet-train", cut="decoded", seed=7, fields=("image", "key"), window=1 << 20
    )
    dataset.set_epoch(3)
    by_key = {row["key"]: row["array"] for row in fetched["encoded"].values()}
    seen = set()
    for number, (image, key) in enumerate(dataset):
        if number in (3, 11):
            own_server.kill()
            own_server.start()
        assert np.array_equal(image.numpy(), by_key[key])
        seen.add(key)
    assert len(seen) == PHOTOS
