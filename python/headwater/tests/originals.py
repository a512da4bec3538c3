"""What torchvision makes of a photo whose crop is known: Pillow's crop and resize, and the Compose's own transforms
before and behind."""

import pathlib
import random
from typing import Any, Callable, List, Sequence

import numpy as np
import PIL.Image
import torch
from torchvision.transforms import functional

FILTERS = {"bilinear": PIL.Image.BILINEAR, "bicubic": PIL.Image.BICUBIC}


def seeded(seed: int) -> None:
    """All generators from which transforms draw."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


def framed(photo: PIL.Image.Image, recipe: Any, key: str, seed: int, filter: str = "bilinear") -> PIL.Image.Image:
    """The photo as it is behind the recipe's random crop and flip."""
    (left, top, width, height), flip = recipe.framing(photo.width, photo.height, key, seed=seed)
    box = (int(left), int(top), int(left + width), int(top + height))
    image = photo.crop(box).resize(recipe.output_size[::-1], FILTERS[filter])
    return functional.hflip(image) if flip else image


def through(image: Any, transforms: Sequence[Callable[[Any], Any]]) -> Any:
    for transform in transforms:
        image = transform(image)
    return image


def check(
    data: Any, photos: pathlib.Path, steps: List[Any], behind: int, filter: str = "bilinear", within: float = 0.0
) -> None:
    """That samples are, to the bit and in type, what `steps` make of photos; their crop and flip end at place `behind`.

    The dataset gives image and key, with seed 1. `within`: 0 but where v2 makes floats by multiplying, and a recipe by
    dividing.
    """
    first = [step for step in steps[:behind] if "Image" in type(step).__name__ or "PILToTensor" in type(step).__name__]
    drawn = "random-resized-crop" in data.recipe.to_toml()
    for index in range(len(data)):
        seeded(index)
        ours, key = data[index]
        seeded(index)
        photo = PIL.Image.open(photos / key).convert("RGB")
        # What draws nothing is torchvision's from beginning to end.
        crop, rest = (
            (framed(photo, data.recipe, key, 1, filter), [*first, *steps[behind:]]) if drawn else (photo, steps)
        )
        theirs = through(crop, rest)
        assert (type(ours), ours.dtype, ours.shape) == (type(theirs), theirs.dtype, theirs.shape), key
        assert (ours.double() - theirs.double()).abs().max() <= within, key
