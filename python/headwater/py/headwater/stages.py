"""Single transforms as stages of a recipe: the TOML of those that servers can run, and why others cannot be one."""

import math
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from headwater.composes import Transform, is_v2, kind_of

#: What a photo is on its way through a Compose: a PIL image, a tv_tensors.Image, or a plain tensor.
PIL, IMAGE, TENSOR = "pil", "image", "tensor"

RANDOM_CROPS = ("RandomResizedCrop", "timm.RandomResizedCropAndInterpolation")
CROPS = ("CenterCrop", "RandomCrop", "FiveCrop", "TenCrop", "timm.CenterCropOrPad", "timm.RandomCropOrPad")
RESIZES = ("Resize", "timm.ResizeKeepRatio")
#: Names of the interpolations that a recipe has, and Pillow's numbers of all.
INTERPOLATIONS = ("bilinear", "bicubic")
PILLOW = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
#: What takes tensors of floats; RandomErasing any tensor.
FLOATS_ONLY = ("Normalize", "RandomErasing", "LinearTransformation", "timm.RandomErasing")


class NoStage(Exception):
    """Why a transform is no stage, and what would be one."""


class Geometry(NamedTuple):
    """What brings a photo to one size."""

    stages: List[str]
    #: How many transforms the geometry is made of.
    taken: int


def geometry(flat: Sequence[Transform], at: int, kind: str) -> Optional[Geometry]:
    """The geometry that begins here; None where none does."""
    transform: Any = flat[at]
    name = kind_of(transform)
    if name in RANDOM_CROPS:
        scale, ratio = [[float(number) for number in pair] for pair in (transform.scale, transform.ratio)]
        size = _size(transform.size)
        stage = f"op = 'random-resized-crop'\nsize = {size}\nscale = {scale}\nratio = {ratio}"
        return Geometry([stage + interpolation(transform, kind)], 1)
    if name != "Resize":
        return None
    if getattr(transform, "max_size", None) is not None:
        raise NoStage("max_size leaves the size open, and tensors of a dataset have one size")
    resize = f"op = 'resize'\nsize = {_size(transform.size)}{interpolation(transform, kind)}"
    if isinstance(transform.size, (list, tuple)) and len(transform.size) == 2:
        return Geometry([resize], 1)
    crop: Any = flat[at + 1] if at + 1 < len(flat) else None
    if kind_of(crop) != "CenterCrop":
        raise NoStage(
            "this leaves the longer side open, and tensors of a dataset have one size: put CenterCrop behind it, or "
            "give it (height, width)"
        )
    if max(_sides(crop.size)) > min(_sides(transform.size)):
        raise NoStage(
            "CenterCrop behind it cuts more than it leaves, and torchvision would pad photos: resize to more, or "
            "crop less"
        )
    return Geometry([resize, f"op = 'center-crop'\nsize = {_size(crop.size)}"], 2)


def in_two_steps(stage: str) -> str:
    """A center crop behind a resize as torchvision does it: the whole photo is resized, and then cut."""
    return f"{stage}\nexact = 'two-step'" if stage.startswith("op = 'center-crop'") else stage


def sets_size(transform: Any) -> bool:
    """Whether a transform may give photos a size, as a stage of a recipe or in another way."""
    name = kind_of(transform)
    return name in RESIZES + RANDOM_CROPS + CROPS or not name


def interpolation(transform: Any, kind: str) -> str:
    """The stage's line for the interpolation; empty for bilinear."""
    given = transform.interpolation
    if isinstance(given, (list, tuple)):
        raise NoStage(
            "it draws the interpolation of each photo, and a recipe has one: give interpolation='bicubic' or 'bilinear'"
        )
    value = getattr(given, "value", given)
    name = PILLOW.get(value, str(value)) if isinstance(value, int) else str(value)
    if name not in INTERPOLATIONS:
        raise NoStage(f"a recipe resizes {' or '.join(INTERPOLATIONS)}, antialiased, as Pillow does it, and not {name}")
    # Pillow ignores the argument: its bilinear and bicubic are always antialiased.
    if kind != PIL and getattr(transform, "antialias", None) is not True:
        raise NoStage(
            "on tensors it resizes without antialiasing, which no recipe does: give antialias=True, or put ToImage or "
            "PILToTensor behind it"
        )
    return "" if name == "bilinear" else f"\ninterpolation = '{name}'"


def flip(transform: Any) -> Optional[str]:
    """The stage of a flip; None for any other transform."""
    if kind_of(transform) != "RandomHorizontalFlip":
        return None
    return f"op = 'random-horizontal-flip'\np = {float(transform.p)}"


def converted(transform: Any, kind: str, floats: bool = False) -> Optional[str]:
    """What a photo is behind a transform that changes no pixel; None for one that is something else."""
    name = kind_of(transform)
    if name in ("Identity", "nn.Identity", "RGB"):
        return kind
    if name == "ToPureTensor":
        return TENSOR if kind == IMAGE else kind
    if name == "ToImage":
        return IMAGE
    if floats:
        return None
    if name in ("PILToTensor", "timm.MaybePILToTensor"):
        return _as_tensor(transform, kind)
    if name == "timm.MaybeToTensor" and kind != PIL:
        return kind
    if name == "ToPILImage":
        if kind == PIL and not is_v2(transform):
            raise NoStage("it takes tensors and arrays, and photos are PIL images here already: leave it out")
        return PIL
    if name in ("ToDtype", "ConvertImageDtype") and str(_dtype(transform, kind)) in ("torch.uint8", "None"):
        return kind
    return None


def to_floats(transform: Any, kind: str) -> Optional[str]:
    """The stage that makes float32 of pixels; None where this does not, or makes others."""
    name = kind_of(transform)
    if name in ("ToTensor", "timm.ToTensor", "timm.MaybeToTensor"):
        if kind != PIL:
            raise NoStage(
                "it takes PIL images, and the photo is a tensor here: write ToDtype or ConvertImageDtype instead"
            )
        if name == "timm.ToTensor":
            return _scaled("byte") if str(transform.dtype) == "torch.float32" else None
        return _scaled("unit")
    if name not in ("ToDtype", "ConvertImageDtype"):
        return None
    if kind == PIL:
        raise NoStage("it takes tensors, and the photo is a PIL image here: put ToImage or PILToTensor before it")
    if str(_dtype(transform, kind)) != "torch.float32":
        return None
    return _scaled("unit" if name == "ConvertImageDtype" or transform.scale else "byte")


def normalize(transform: Any) -> Optional[str]:
    """The stage of a Normalize; None for any other transform."""
    if kind_of(transform) != "Normalize":
        return None
    mean, std = [_three(numbers) for numbers in (transform.mean, transform.std)]
    return f"op = 'normalize'\nmean = {mean}\nstd = {std}"


def _three(numbers: Sequence[Any]) -> List[float]:
    """Three numbers, one for each channel; a single number is that of every channel."""
    three = [float(number) for number in numbers]
    three = three * 3 if len(three) == 1 else three
    if len(three) != 3 or not all(math.isfinite(number) for number in three):
        raise NoStage("photos have three channels, so give three means and three deviations")
    return three


def _scaled(scale: str) -> str:
    return "op = 'to-tensor'" + ("" if scale == "unit" else f"\nscale = '{scale}'")


def _as_tensor(transform: Any, kind: str) -> Optional[str]:
    if kind == PIL:
        return TENSOR
    # v1's raises a TypeError; the others leave tensors alone.
    if kind_of(transform) == "PILToTensor" and not is_v2(transform):
        raise NoStage("it takes PIL images, and the photo is a tensor here already: leave it out")
    return kind


def _dtype(transform: Any, kind: str) -> Any:
    """The type that a ToDtype has for what a photo is: it may have one for images and another for tensors."""
    dtype = transform.dtype
    if not isinstance(dtype, dict):
        return dtype
    wanted = "Image" if kind == IMAGE else "Tensor"
    named = {getattr(key, "__name__", key): value for key, value in dtype.items()}
    if wanted not in named and "others" not in named:
        raise NoStage(f"its dict has no dtype for {wanted}")
    return named.get(wanted, named.get("others"))


def _size(size: Any) -> str:
    numbers = _sides(size)
    return str(list(numbers)) if len(numbers) == 2 else str(numbers[0])


def _sides(size: Any) -> Tuple[int, ...]:
    return tuple(int(number) for number in size) if isinstance(size, (list, tuple)) else (int(size),)
