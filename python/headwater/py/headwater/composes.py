"""A Compose as the flat list of what it runs, however it was put together; and what each transform is called here.

A transform is known by its exact class in torchvision, timm or torch.nn: a subclass may do anything.
"""

import functools
import importlib
from typing import Any, Callable, Dict, List

from headwater._headwater import RecipeError

Transform = Callable[[Any], Any]

#: The modules whose transforms are known, and the prefix of their names here.
LIBRARIES: Dict[str, str] = {"torchvision.transforms": "", "timm.data.": "timm.", "torch.nn.modules.": "nn."}


def kind_of(transform: Any) -> str:
    """The name of the class: `Resize` for torchvision's (v1 and v2), `timm.MaybeToTensor`, `nn.Identity`; "" for any
    other.
    """
    cls = type(transform)
    for module, prefix in LIBRARIES.items():
        if cls.__module__.startswith(module):
            return prefix + cls.__name__
    return ""


def is_v2(transform: Any) -> bool:
    """Whether a transform is one of torchvision.transforms.v2."""
    return type(transform).__module__.startswith("torchvision.transforms.v2")


def flattened(transforms: Any) -> List[Transform]:
    """What a Compose, an nn.Sequential, a preset or a list runs, in order. RecipeError for what is none of them."""
    kind = kind_of(transforms)
    if kind == "Compose":
        transforms = transforms.transforms
    elif kind == "ImageClassification":
        return _preset(transforms)
    if isinstance(transforms, (list, tuple)) or kind == "nn.Sequential":
        return [step for transform in transforms for step in flattened(transform)]
    _check(transforms)
    return [transforms]


def _check(transform: Any) -> None:
    if isinstance(transform, type):
        raise RecipeError(f"{transform.__name__} is a class and not a transform: write {transform.__name__}(...)")
    if isinstance(transform, functools.partial) and isinstance(transform.func, type):
        name = transform.func.__name__
        raise RecipeError(f"this makes {name} and is no transform yet: call it, as in weights.transforms()")
    if type(transform).__module__.startswith("torchvision.transforms._presets"):
        raise RecipeError(
            f"{type(transform).__name__} is no preset for classification: photos of a dataset come in one size"
        )
    if not callable(transform):
        raise RecipeError(f"{transform!r} is no recipe: give its name, a file, a Recipe, or a torchvision Compose")


def _preset(preset: Any) -> List[Transform]:
    """What `weights.transforms()` does, in its own words: see ImageClassification.forward."""
    transforms: Any = importlib.import_module("torchvision.transforms")
    torch: Any = importlib.import_module("torch")
    return [
        transforms.Resize(preset.resize_size, preset.interpolation),
        transforms.CenterCrop(preset.crop_size),
        transforms.PILToTensor(),
        transforms.ConvertImageDtype(torch.float32),
        transforms.Normalize(preset.mean, preset.std),
    ]
