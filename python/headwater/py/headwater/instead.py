"""What to write instead of a Compose that is refused: its own transforms, in an order and with arguments that can be
run.
"""

import enum
import inspect
from typing import Any, List, Optional, Sequence, Tuple

from headwater.composes import Transform, is_v2, kind_of
from headwater.stages import CROPS, FLOATS_ONLY, RANDOM_CROPS, RESIZES

#: What leaves pixels as they are, and may stand before the crop.
TYPES = ("ToImage", "PILToTensor", "RGB", "Identity", "nn.Identity", "timm.MaybePILToTensor", "ToPureTensor")
FLOATS = ("ToTensor", "ToDtype", "ConvertImageDtype", "timm.ToTensor", "timm.MaybeToTensor")
CENTERED = ("CenterCrop", "timm.CenterCropOrPad")
#: By how much a resize is larger than the crop behind it.
MARGIN = 256 / 224


def lines_instead(flat: Sequence[Transform]) -> str:
    """The Compose that does what can be done, as lines to paste."""
    prefix = "v2." if any(map(is_v2, flat)) else "T."
    at, taken = _geometry_of(flat)
    before, behind = flat[:at], flat[at + taken :]
    first = [step for step in before if kind_of(step) in TYPES]
    pixels, floats, last = _parted(before, behind)
    lines = [line_of(step) for step in first]
    lines += _geometry_lines(flat[at : at + taken], prefix, _tensors(first))
    lines += [line_of(step) for step in pixels]
    lines += _floats_lines(floats, prefix, _tensors([*first, *pixels]))
    lines += [line_of(step) for step in last]
    return f"write instead:\n{prefix}Compose([\n" + "".join(f"    {line},\n" for line in lines) + "])"


def _parted(before: Sequence[Transform], behind: Sequence[Transform]) -> Tuple[List[Any], Optional[Any], List[Any]]:
    """The transforms that run on pixels behind the crop, the one that makes floats, and those that run on floats."""
    early = next((step for step in before if _makes_floats(step)), None)
    place = next((at for at, step in enumerate(behind) if _makes_floats(step)), None)
    pixels: List[Any] = []
    last: List[Any] = []
    for at, step in [*((-1, step) for step in before), *enumerate(behind)]:
        name = kind_of(step)
        if name in FLOATS or (at < 0 and name in (*TYPES, "ToPILImage")):
            continue
        late = at > place if place is not None else early is not None and not name
        (last if late or name in FLOATS_ONLY else pixels).append(step)
    return pixels, early if place is None else behind[place], last


def _makes_floats(step: Transform) -> bool:
    return kind_of(step) in FLOATS and "uint8" not in str(getattr(step, "dtype", ""))


def _tensors(steps: Sequence[Transform]) -> bool:
    return any(kind_of(step) in ("ToImage", "PILToTensor", "timm.MaybePILToTensor") for step in steps)


def line_of(transform: Any) -> str:
    """A transform as it is written: its class, and the arguments that are not the defaults."""
    cls = type(transform)
    if inspect.isfunction(transform):
        return "your_function" if transform.__name__ == "<lambda>" else transform.__name__
    prefix = ""
    if cls.__module__.startswith("torchvision.transforms"):
        prefix = "v2." if is_v2(transform) else "T."
    given = []
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        value = getattr(transform, name, inspect.Parameter.empty)
        if name == "self" or value is inspect.Parameter.empty or _same(value, parameter.default):
            continue
        shown = _shown(name, value, cls.__name__)
        given.append(shown if parameter.default is inspect.Parameter.empty else f"{name}={shown}")
    return f"{prefix}{cls.__name__}({', '.join(given)})"


def _geometry_of(flat: Sequence[Transform]) -> Tuple[int, int]:
    """Where the geometry begins, or should stand, and of how many transforms it is made; of 0 where there is none."""
    for at, step in enumerate(flat):
        name = kind_of(step)
        if name in RANDOM_CROPS or name in CROPS:
            return at, 1
        if name in RESIZES:
            both = (
                name == "Resize"
                and isinstance(getattr(step, "size", None), (list, tuple))
                and len(getattr(step, "size")) == 2
            )
            return at, 2 if not both and at + 1 < len(flat) and kind_of(flat[at + 1]) in CROPS else 1
    leading = 0
    while leading < len(flat) and kind_of(flat[leading]) in TYPES:
        leading += 1
    return leading, 0


def _geometry_lines(steps: Sequence[Any], prefix: str, tensors: bool) -> List[str]:
    antialias = ", antialias=True" if tensors and prefix == "T." else ""
    if not steps:
        return [f"{prefix}Resize(256{antialias})", f"{prefix}CenterCrop(224)"]
    first, name = steps[0], kind_of(steps[0])
    if name in RANDOM_CROPS:
        ranges = "".join(
            f", {key}={_shown(key, getattr(first, key), '')}"
            for key, default in (("scale", (0.08, 1.0)), ("ratio", (3 / 4, 4 / 3)))
            if tuple(getattr(first, key)) != default
        )
        return [
            f"{prefix}RandomResizedCrop({_shown('size', first.size, '')}{ranges}{_bicubic(first, prefix)}{antialias})"
        ]
    if name in CENTERED or (len(steps) == 2 and kind_of(steps[1]) in CENTERED):
        crop = steps[-1]
        size = _shown("size", crop.size, "")
        wanted = _shorter(first.size) if name in RESIZES else 0
        largest = max(crop.size) if isinstance(crop.size, (list, tuple)) else int(crop.size)
        resize = str(wanted if wanted >= largest else round(largest * MARGIN))
        return [f"{prefix}Resize({resize}{_bicubic(first, prefix)}{antialias})", f"{prefix}CenterCrop({size})"]
    if name in RESIZES:
        sides = first.size if isinstance(first.size, (list, tuple)) else [first.size or first.max_size]
        if len(steps) == 1 and len(sides) == 1:
            return [
                f"{prefix}Resize({sides[0]}{_bicubic(first, prefix)}{antialias})",
                f"{prefix}CenterCrop({sides[0]})",
            ]
        square = tuple(sides) if len(sides) == 2 else (sides[0], sides[0])
        return [f"{prefix}Resize({square}{_bicubic(first, prefix)}{antialias})", *map(line_of, steps[1:])]
    larger = round(_shorter(first.size) * MARGIN)
    if name == "RandomCrop":
        return [f"{prefix}RandomResizedCrop({_shown('size', first.size, '')}{antialias})"]
    return [f"{prefix}Resize(({larger}, {larger}){antialias})", line_of(first)]


def _floats_lines(floats: Optional[Any], prefix: str, tensors: bool) -> List[str]:
    if floats is not None and (kind_of(floats) in ("ToDtype", "ConvertImageDtype")) == tensors:
        return [line_of(floats)]
    if prefix == "T.":
        return ["T.ConvertImageDtype(torch.float32)" if tensors else "T.ToTensor()"]
    return [*([] if tensors else ["v2.ToImage()"]), "v2.ToDtype(torch.float32, scale=True)"]


def _bicubic(transform: Any, prefix: str) -> str:
    given = getattr(transform, "interpolation", None)
    value = getattr(given, "value", given)
    return f", interpolation={prefix}InterpolationMode.BICUBIC" if value in ("bicubic", 3) else ""


def _shorter(size: Any) -> int:
    return int(min(size)) if isinstance(size, (list, tuple)) else int(size)


def _same(value: Any, default: Any) -> bool:
    if default is inspect.Parameter.empty:
        return False
    if value is None:
        return not default
    if isinstance(value, (list, tuple)) and isinstance(default, (list, tuple)):
        return list(value) == list(default)
    value, default = getattr(value, "value", value), getattr(default, "value", default)
    return type(value) in (bool, int, float, str) and bool(value == default)


def _shown(name: str, value: Any, cls: str) -> str:
    """A value as it is written in Python; `...` where it cannot be written."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, enum.Enum):
        return repr(value.value) if not isinstance(value.value, int) else str(value.value)
    if isinstance(value, (list, tuple)):
        if name == "size" and len(value) == 1:
            return _shown("", value[0], "")
        if name == "size" and cls != "Resize" and len(value) == 2 and value[0] == value[1]:
            return str(value[0])
        inner = [_shown("", part, "") for part in value]
        return (
            f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
            if isinstance(value, tuple)
            else f"[{', '.join(inner)}]"
        )
    if isinstance(value, float):
        return f"{value:.6g}" if value != int(value) else repr(value)
    if isinstance(value, (bool, int, str)):
        return repr(value)
    if str(value).startswith("torch."):
        return str(value)
    return line_of(value) if kind_of(value) else "..."
