"""What a Compose has behind its crop runs here on what torchvision and timm would have given it: equal bits, equal
types."""

import pathlib
from typing import Any, Dict, List

import headwater
import pytest

timm_data = pytest.importorskip("timm.data", reason="timm is not installed: scripts/test --trainers has it")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision before 0.16 has no v2")
import torch  # noqa: E402
import torchvision.transforms as T  # noqa: E402
from headwater.composes import flattened  # noqa: E402
from originals import check  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

CROP = [v2.RandomResizedCrop(64), v2.RandomHorizontalFlip()]
FLOATS, NORMALIZE = v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
#: Transforms, and how many of them end with the flip.
CASES: Dict[str, Any] = {
    "on a tv_tensors.Image": (
        [v2.ToImage(), *CROP, v2.ColorJitter(0.4, 0.4, 0.4, 0.1), v2.RandAugment(), FLOATS, NORMALIZE],
        3,
    ),
    "on its floats": ([v2.ToImage(), *CROP, FLOATS, v2.GaussianBlur(5), v2.RandomErasing(p=1.0)], 3),
    "on a PIL image": ([*CROP, v2.TrivialAugmentWide(), v2.ToImage(), FLOATS, NORMALIZE, v2.ToPureTensor()], 2),
    "on a plain tensor": ([v2.PILToTensor(), *CROP, v2.AugMix(), FLOATS, NORMALIZE], 3),
    "bytes": ([v2.ToImage(), *CROP], 3),
}


def data_of(address: str, steps: List[Any]) -> headwater.MapDataset:
    data = headwater.MapDataset(address, "photos", v2.Compose(steps), seed=1, fields=("image", "key"))
    data.set_epoch(0)
    return data


@pytest.mark.parametrize("name", CASES)
def test_v2_runs_as_it_would_have_run(name: str, address: str, photos: pathlib.Path) -> None:
    steps, behind = CASES[name]
    check(data_of(address, steps), photos, steps, behind, within=1e-6 if name == "on its floats" else 0.0)


@pytest.mark.parametrize(
    "more", [{}, {"auto_augment": "rand-m5-mstd0.5", "re_prob": 1.0}, {"auto_augment": "augmix-m5-w4-d2"}]
)
def test_timm_runs_as_it_would_have_run(more: Dict[str, Any], address: str, photos: pathlib.Path) -> None:
    steps = flattened(timm_data.create_transform(64, is_training=True, **more))
    check(data_of(address, steps), photos, steps, 2)


def test_bicubic_is_pillows(address: str, photos: pathlib.Path) -> None:
    steps = flattened(timm_data.create_transform(64, is_training=True, interpolation="bicubic"))
    check(data_of(address, steps), photos, steps, 2, filter="bicubic")


# With a Pillow of today: that of 9 resized some of these in another order, and rounded otherwise.
@pytest.mark.parametrize(
    "geometry",
    [
        [T.Resize(80, T.InterpolationMode.BICUBIC), T.CenterCrop((64, 48))],
        [T.Resize((70, 90))],
        [T.Resize((90, 70), T.InterpolationMode.BICUBIC)],
    ],
)
def test_what_follows_a_resize_is_torchvisions_from_end_to_end(
    geometry: List[Any], address: str, photos: pathlib.Path
) -> None:
    steps = [*geometry, T.ColorJitter(0.4), T.PILToTensor()]
    data = headwater.MapDataset(address, "photos", T.Compose(steps), seed=1, fields=("image", "key"))
    check(data, photos, steps, len(geometry))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_images_are_tensors_in_any_process(workers: int, address: str) -> None:
    steps = v2.Compose([v2.ToImage(), *CROP, v2.ColorJitter(0.4), FLOATS, v2.RandomErasing(p=0.5)])
    data = headwater.IterableDataset(address, "photos", steps, batch_size=8)
    loader = DataLoader(data, batch_size=None, num_workers=workers)
    for images, labels in loader:
        assert (
            type(images) is torch.Tensor and images.shape == (len(labels), 3, 64, 64) and images.dtype == torch.float32
        )
