"""torchvision's Compose as a recipe, where it can be one, and a clear word where it cannot."""

from typing import Any

import headwater
import pytest
import torch
import torchvision.transforms as T

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMALIZE = T.Normalize(MEAN, STD)


def test_the_classic_transforms_are_the_recipes_in_the_box() -> None:
    train = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), NORMALIZE])
    evaluate = T.Compose([T.Compose([T.Resize(256), T.CenterCrop(224)]), T.PILToTensor(),
                          T.ConvertImageDtype(torch.float32), NORMALIZE])
    assert headwater.recipe_from(train) == headwater.Recipe.builtin("imagenet-train")
    assert headwater.recipe_from(evaluate) == headwater.Recipe.builtin("imagenet-eval")
    other = headwater.recipe_from([T.Resize((96, 128)), T.ToTensor()], name="other")
    assert (other.output_size, other.is_random, other.name) == ((96, 128), False, "other")
    assert other != headwater.Recipe.builtin("imagenet-eval")


class Mine(T.RandomHorizontalFlip):
    pass


@pytest.mark.parametrize("compose, word", [
    ([T.ToTensor()], "stage 2 .to-tensor. is out of place"),
    ([T.Resize(256), T.ToTensor()], "leaves the longer side open"),
    ([T.Resize((8, 8)), T.ColorJitter(), T.ToTensor()], "ColorJitter"),
    ([T.Resize((8, 8)), Mine(), T.ToTensor()], "Mine"),
    ([T.Resize((8, 8), T.InterpolationMode.BICUBIC), T.ToTensor()], "bilinear"),
    ([T.Resize(8, max_size=9), T.CenterCrop(8), T.ToTensor()], "max_size"),
    ([T.Resize((8, 8))], "the end is where a recipe has ToTensor"),
    ([T.Resize((8, 8)), T.ToTensor(), T.Normalize([0.5], [0.5])], "three channels"),
    ([T.Resize((8, 8)), T.ToTensor(), T.RandomErasing()], "RandomErasing"),
    ([T.Resize((8, 8)), T.PILToTensor(), T.ConvertImageDtype(torch.float64)], "float32"),
    (7, "no recipe"),
])
def test_what_cannot_be_expressed_is_named(compose: Any, word: str) -> None:
    with pytest.raises(headwater.RecipeError, match=word):
        headwater.recipe_from(T.Compose(compose) if isinstance(compose, list) else compose)


def test_what_comes_after_the_tensor_is_run_in_the_trainer(address: str) -> None:
    compose = T.Compose([T.RandomResizedCrop(64), T.ToTensor(), T.Lambda(lambda image: image * 2)])
    data = headwater.MapDataset(address, "photos", compose, transform=lambda image: image + 1)
    plain = headwater.MapDataset(address, "photos", compose.transforms[:2])
    assert torch.equal(data[3][0], plain[3][0] * 2 + 1)
    batched = headwater.IterableDataset(address, "photos", compose, batch_size=5, shuffle=False)
    assert torch.equal(next(iter(batched))[0][3], plain[3][0] * 2)
    with pytest.raises(headwater.RecipeError, match="Lambda"):
        headwater.MapDataset(address, "photos", compose, output="pixels")


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
    for wrong in ({"cut": "sophon"}, {"plan": "auto", "cut": "cropped"}, {"plan": "x", "cut": "cropped"}, {"cut": "jpeg"}, {"model": "m"}, {"fields": ["x"]}):
        with pytest.raises(ValueError):
            headwater.MapDataset(address, "photos", recipe, **wrong)
