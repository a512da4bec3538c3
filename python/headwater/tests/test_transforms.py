"""torchvision's Compose as a recipe, where it can be one, and a clear word where it cannot."""

from typing import Any

import headwater
import pytest
import torch
import torchvision.transforms as T
from originals import check, seeded

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMALIZE = T.Normalize(MEAN, STD)


def test_the_classic_transforms_are_the_recipes_in_the_box() -> None:
    train = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), NORMALIZE])
    evaluate = T.Compose(
        [T.Compose([T.Resize(256), T.CenterCrop(224)]), T.PILToTensor(), T.ConvertImageDtype(torch.float32), NORMALIZE]
    )
    assert headwater.recipe_from(train) == headwater.Recipe.builtin("imagenet-train")
    assert headwater.recipe_from(evaluate) == headwater.Recipe.builtin("imagenet-eval")
    other = headwater.recipe_from([T.Resize((96, 128)), T.ToTensor()], name="other")
    assert (other.output_size, other.is_random, other.name) == ((96, 128), False, "other")
    assert other != headwater.Recipe.builtin("imagenet-eval")


class Mine(T.RandomHorizontalFlip):
    pass


@pytest.mark.parametrize(
    "compose, word",
    [
        ([T.ToTensor()], "nothing in this Compose brings photos to one size"),
        ([T.Resize(256), T.ToTensor()], "leaves the longer side open"),
        ([T.Resize((8, 8)), T.ColorJitter(), T.ToTensor()], "ColorJitter"),
        ([T.Resize((8, 8)), Mine(), T.ToTensor()], "Mine"),
        ([T.Resize((8, 8), T.InterpolationMode.LANCZOS), T.ToTensor()], "bilinear or bicubic, .* not lanczos"),
        ([T.Resize(8, max_size=9), T.CenterCrop(8), T.ToTensor()], "max_size"),
        ([T.Resize((8, 8))], "ends with pixels"),
        ([T.Resize((8, 8)), T.ToTensor(), T.Normalize([0.5] * 2, [0.5] * 2)], "three channels"),
        ([T.Resize((8, 8)), T.ToTensor(), T.RandomErasing()], "RandomErasing"),
        ([T.Resize((8, 8)), T.PILToTensor(), T.ConvertImageDtype(torch.float64)], "float64. is no part of a recipe"),
        (7, "no recipe"),
    ],
)
def test_what_cannot_be_expressed_is_named(compose: Any, word: str) -> None:
    with pytest.raises(headwater.RecipeError, match=word):
        headwater.recipe_from(T.Compose(compose) if isinstance(compose, list) else compose)


def test_what_comes_after_the_tensor_is_run_in_the_trainer(address: str) -> None:
    compose = T.Compose([T.RandomResizedCrop(64), T.ToTensor(), T.Lambda(lambda image: image * 2)])
    data = headwater.MapDataset(address, "photos", compose, transform=lambda image: image + 1, deterministic=True)
    plain = headwater.MapDataset(address, "photos", compose.transforms[:2], deterministic=True)
    assert torch.equal(data[3][0], plain[3][0] * 2 + 1)
    batched = headwater.IterableDataset(address, "photos", compose, batch_size=5, shuffle=False)
    assert torch.equal(next(iter(batched))[0][3], plain[3][0] * 2)
    with pytest.raises(headwater.RecipeError, match="Lambda"):
        headwater.MapDataset(address, "photos", compose, output="pixels")


CROP = [T.RandomResizedCrop(64), T.RandomHorizontalFlip()]
BEHIND = {
    "jitter, erasing": [T.ColorJitter(0.4, 0.4, 0.4, 0.1), T.ToTensor(), NORMALIZE, T.RandomErasing(p=1.0)],
    "randaugment": [T.RandAugment(), T.PILToTensor(), T.ConvertImageDtype(torch.float32), NORMALIZE],
    "trivial": [T.TrivialAugmentWide(), T.ToTensor(), NORMALIZE],
    "autoaugment": [T.AutoAugment(), T.ToTensor(), NORMALIZE],
    "simclr": [
        T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
        T.RandomGrayscale(p=0.2),
        T.GaussianBlur(9),
        T.ToTensor(),
    ],
    "u8 tensors": [T.PILToTensor(), T.RandomInvert(0.5), T.ColorJitter(0.4), T.ConvertImageDtype(torch.float32)],
    "float64": [T.PILToTensor(), T.ConvertImageDtype(torch.float64)],
    "pixels, channels first": [T.PILToTensor()],
    "a crop of the crop": [T.RandomCrop(48, padding=4), T.ToTensor()],
    "my own": [T.Lambda(lambda image: image.rotate(90)), T.ToTensor(), NORMALIZE],
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_follows_the_crop_runs_here_as_torchvision_runs_it(name: str, address: str, photos: Any) -> None:
    steps = [*CROP, *BEHIND[name]]
    data = headwater.MapDataset(address, "photos", T.Compose(steps), seed=1, fields=("image", "key"))
    data.set_epoch(0)
    check(data, photos, steps, 2)


def test_what_follows_a_resize_is_torchvisions_from_end_to_end(address: str, photos: Any) -> None:
    steps = [T.Resize(80), T.CenterCrop(64), T.ColorJitter(0.4), T.ToTensor(), NORMALIZE]
    data = headwater.MapDataset(address, "photos", T.Compose(steps), seed=1, fields=("image", "key"))
    data.set_epoch(0)
    check(data, photos, steps, 2)


def test_batches_are_the_same_samples_stacked(address: str) -> None:
    steps = [*CROP, T.ColorJitter(0.4), T.ToTensor(), NORMALIZE]
    single = headwater.MapDataset(address, "photos", steps, seed=1, indices=range(6))
    single.set_epoch(0)
    batched = headwater.IterableDataset(address, "photos", steps, seed=1, indices=range(6), batch_size=6, shuffle=False)
    batched.set_epoch(0)
    seeded(7)
    each = [single[index][0] for index in range(6)]
    seeded(7)
    [(images, labels)] = batched
    assert images.shape == (6, 3, 64, 64) and labels.shape == (6,)
    assert torch.equal(images, torch.stack(each))


def test_every_cut_gives_what_follows_the_same_pixels(address: str) -> None:
    steps = [*CROP, T.ColorJitter(0.4), T.ToTensor()]
    seen = []
    for cut in ("encoded", "jpeg-crop", "decoded", "cropped", "flipped", "tensor", "normalized"):
        data = headwater.MapDataset(address, "photos", steps, cut=cut, seed=1)
        data.set_epoch(0)
        seeded(3)
        seen.append(data[2][0])
    assert all(torch.equal(image, seen[0]) for image in seen)
    with pytest.raises(ValueError, match="all-off.*sends floats"):
        headwater.MapDataset(address, "photos", steps, cut="all-off")


def test_pixels_of_a_compose_are_those_before_its_tensor(address: str) -> None:
    for steps in (CROP, [*CROP, T.ToTensor(), NORMALIZE]):
        data = headwater.MapDataset(address, "photos", steps, seed=1, output="pixels")
        assert data[0][0].dtype == torch.uint8 and data[0][0].shape == (64, 64, 3)
    for behind in ([T.ColorJitter(0.4), T.ToTensor()], [T.PILToTensor()]):
        with pytest.raises(headwater.RecipeError, match="leave output= out"):
            headwater.MapDataset(address, "photos", [*CROP, *behind], output="pixels")
    with pytest.raises(headwater.RecipeError, match='ends with a PIL image[^"]*output="pixels"'):
        headwater.MapDataset(address, "photos", CROP)


def test_what_cannot_be_stacked_is_said(address: str) -> None:
    data = headwater.IterableDataset(address, "photos", [*CROP, T.ToTensor()], batch_size=4, transform=T.ToPILImage())
    with pytest.raises(headwater.HeadwaterError, match="made Image, which cannot be stacked"):
        next(iter(data))


def test_a_recipe_is_a_name_a_file_or_an_object(tmp_path: Any, address: str) -> None:
    recipe = headwater.Recipe.builtin("imagenet-eval")
    file = tmp_path / "mine.toml"
    file.write_text(recipe.to_toml())
    for given in ("imagenet-eval", recipe, str(file), file):
        assert headwater.MapDataset(address, "photos", given).recipe == recipe
    with pytest.raises(headwater.RecipeError, match="imagenet-train"):
        headwater.MapDataset(address, "photos", "imagenet")
    with pytest.raises(headwater.RecipeError, match="give a recipe"):
        headwater.MapDataset(address, "photos")
    wrongs: Any = [
        {"cut": "sophon"},
        {"plan": "auto", "cut": "cropped"},
        {"plan": "x", "cut": "cropped"},
        {"cut": "jpeg"},
        {"model": "m"},
        {"fields": ["x"]},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError):
            headwater.MapDataset(address, "photos", recipe, **wrong)
