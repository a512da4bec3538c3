"""Recipes from torchvision's transforms: those that the storage side can run, stage by stage, and nothing in between.

A transform is known by its exact class in torchvision: a subclass may do anything.
"""

import os
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

from headwater._headwater import Recipe, RecipeError

#: Stages as TOML, in the order of a recipe.
Stages = List[str]
Transform = Callable[[Any], Any]


def recipe_from(transforms: Any, name: str = "torchvision") -> Recipe:
    """The recipe of a torchvision Compose (or list of transforms), which must be one to its end.

    RecipeError names the transform that cannot be expressed, and why.
    """
    recipe, rest = _split(transforms, name)
    if rest:
        raise RecipeError(
            f"{rest[0]!r} comes after the tensor and is no part of a recipe: give the Compose to the dataset, which runs "
            "it in the trainer, or leave it out"
        )
    return recipe


def recipe_and_rest(recipe: Any) -> Tuple[Recipe, Sequence[Transform]]:
    """What a dataset was given as its recipe, and the transforms that come after the tensor."""
    if isinstance(recipe, Recipe):
        return recipe, []
    if isinstance(recipe, (str, os.PathLike)):
        return _named(os.fspath(recipe)), []
    return _split(recipe, "torchvision")


def _named(name: Union[str, bytes]) -> Recipe:
    text = os.fsdecode(name)
    if text in Recipe.builtin_names():
        return Recipe.builtin(text)
    try:
        with open(text, encoding="utf-8") as file:
            return Recipe(file.read(1 << 16))
    except FileNotFoundError:
        known = ", ".join(Recipe.builtin_names())
        raise RecipeError(f"there is no recipe {text!r}: it is neither a file nor in the box ({known})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read the recipe {text!r}: {error}") from error


def _split(transforms: Any, name: str) -> Tuple[Recipe, List[Transform]]:
    flat = _flatten(transforms)
    stages: Stages = ["op = 'decode'"]
    at = 0
    while at < len(flat):
        stage, taken = _geometry(flat, at)
        if stage is None:
            break
        stages += stage
        at += taken
    flips = _flip(flat[at]) if at < len(flat) else None
    if flips is not None:
        stages.append(flips)
        at += 1
    to_tensor = _to_tensor(flat, at)
    if to_tensor == 0:
        where = f"{flat[at]!r}, at place {at + 1}," if at < len(flat) else "the end"
        raise RecipeError(
            f"{where} is where a recipe has ToTensor: before it may stand RandomResizedCrop, or Resize and CenterCrop, or "
            "Resize to (height, width), and then RandomHorizontalFlip, each once, bilinear; what comes after the tensor may be "
            "anything. Your own transforms: move them behind ToTensor"
        )
    stages.append("op = 'to-tensor'")
    at += to_tensor
    normalize = _normalize(flat[at]) if at < len(flat) else None
    if normalize is not None:
        stages.append(normalize)
        at += 1
    toml = f"name = '{name}'\n" + "".join(f"[[stage]]\n{stage}\n" for stage in stages)
    return Recipe(toml), flat[at:]


def _flatten(transforms: Any) -> List[Transform]:
    if _kind(transforms) == "Compose":
        transforms = transforms.transforms
    if not isinstance(transforms, (list, tuple)):
        transforms = [transforms]
    flat: List[Transform] = []
    for transform in transforms:
        flat += _flatten(transform) if _kind(transform) == "Compose" else [transform]
    for transform in flat:
        if not callable(transform):
            raise RecipeError(f"{transform!r} is no recipe: give its name, a file, a Recipe, or a torchvision Compose")
    return flat


def _kind(transform: Any) -> Optional[str]:
    """The name of torchvision's class; None for anything else."""
    module = type(transform).__module__
    return type(transform).__name__ if module.startswith("torchvision.transforms") else None


def _geometry(flat: List[Transform], at: int) -> Tuple[Optional[Stages], int]:
    """The stage that begins here, and how many transforms it takes."""
    transform: Any = flat[at]
    kind = _kind(transform)
    if kind in ("RandomResizedCrop", "Resize"):
        _check_bilinear(transform)
    if kind == "RandomResizedCrop":
        scale, ratio = [[float(number) for number in pair] for pair in (transform.scale, transform.ratio)]
        return [f"op = 'random-resized-crop'\nsize = {_size(transform.size)}\nscale = {scale}\nratio = {ratio}"], 1
    if kind == "Resize":
        if getattr(transform, "max_size", None) is not None:
            raise RecipeError(f"{transform!r}: max_size cannot be expressed, for the size would not be fixed")
        both = isinstance(transform.size, (list, tuple)) and len(transform.size) == 2
        resize = f"op = 'resize'\nsize = {_size(transform.size)}"
        if both:
            return [resize], 1
        crop: Any = flat[at + 1] if at + 1 < len(flat) else None
        if _kind(crop) != "CenterCrop":
            raise RecipeError(
                f"{transform!r} leaves the longer side open, and tensors of a dataset have one size: put CenterCrop behind it, "
                "or give it (height, width)"
            )
        return [resize, f"op = 'center-crop'\nsize = {_size(crop.size)}"], 2
    return None, 0


def _check_bilinear(transform: Any) -> None:
    interpolation = getattr(transform.interpolation, "value", transform.interpolation)
    if interpolation not in ("bilinear", 2):
        raise RecipeError(f"{transform!r}: only bilinear interpolation can be expressed, antialiased, as Pillow does it")


def _size(size: Any) -> str:
    numbers = [int(number) for number in size] if isinstance(size, (list, tuple)) else [int(size)]
    return str(numbers) if len(numbers) == 2 else str(numbers[0])


def _flip(transform: Any) -> Optional[str]:
    if _kind(transform) != "RandomHorizontalFlip":
        return None
    return f"op = 'random-horizontal-flip'\np = {float(transform.p)}"


def _to_tensor(flat: List[Transform], at: int) -> int:
    """How many transforms the way to floats takes here; 0 where it does not begin here."""
    kinds = [_kind(transform) for transform in flat[at : at + 2]]
    if kinds[:1] == ["ToTensor"]:
        return 1
    if kinds in (["PILToTensor", "ConvertImageDtype"], ["ToImage", "ToDtype"], ["PILToTensor", "ToDtype"]):
        convert: Any = flat[at + 1]
        scaled = kinds[1] == "ConvertImageDtype" or getattr(convert, "scale", False)
        if str(convert.dtype) == "torch.float32" and scaled:
            return 2
        raise RecipeError(f"{convert!r}: a recipe's tensors are float32 between 0 and 1 (dtype torch.float32, scale=True)")
    return 0


def _normalize(transform: Any) -> Optional[str]:
    if _kind(transform) != "Normalize":
        return None
    mean, std = [[float(number) for number in numbers] for numbers in (transform.mean, transform.std)]
    if len(mean) != 3 or len(std) != 3:
        raise RecipeError(f"{transform!r}: photos have three channels, so give three means and three deviations")
    return f"op = 'normalize'\nmean = {mean}\nstd = {std}"
