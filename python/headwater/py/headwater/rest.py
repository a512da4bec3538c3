"""What a Compose has behind its recipe: run here, on exactly what torchvision would have given it.

A photo comes from the servers as pixels or as floats; torchvision's transforms tell a PIL image, a tv_tensors.Image and
a plain tensor apart, so that each is made as torchvision makes it. What is random draws from the generators of the
process that reads: torch's, and for timm Python's, which DataLoader seeds in each worker.
"""

import importlib
from typing import Any, List, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.composes import Transform, kind_of
from headwater.instead import line_of
from headwater.stages import FLOATS_ONLY, IMAGE, PIL, TENSOR, NoStage, converted, to_floats
from headwater.torches import tensor


#: Of known classes, those whose result nobody knows.
ANYTHING = ("Lambda", "timm.ToNumpy")


class Rest:
    """Transforms, and what the first of them is given: `kind`, and whether that has floats."""

    def __init__(self, kind: str = TENSOR, floats: bool = True, transforms: Sequence[Transform] = ()) -> None:
        self.kind, self.floats, self.transforms = kind, floats, list(transforms)

    def __bool__(self) -> bool:
        """Whether anything is run here."""
        return bool(self.transforms) or not self.floats

    def __call__(self, row: npt.NDArray[Any]) -> Any:
        """Runs the transforms on a row, which is f32 [3, h, w] where floats come, else u8 [h, w, 3]."""
        value = self._start(row)
        for transform in self.transforms:
            value = transform(value)
        return value

    def __repr__(self) -> str:
        return ", ".join(line_of(transform) for transform in self.transforms) or self.kind

    def ends(self) -> str:
        """What it makes, as far as that is known: pil, image or tensor; "" behind a transform that could do anything.

        NoStage, of the reason and the transform, where one cannot take what it is given.
        """
        kind, floats = self.kind, self.floats
        for transform in self.transforms:
            if not kind_of(transform) or kind_of(transform) in ANYTHING:
                return ""
            try:
                kind, floats = _behind(transform, kind, floats)
            except NoStage as error:
                raise NoStage(str(error), transform) from None
        return kind

    def _start(self, row: npt.NDArray[Any]) -> Any:
        if self.kind == PIL:
            pillow: Any = importlib.import_module("PIL.Image")
            return pillow.fromarray(row)
        values = tensor(row)
        if not self.floats:
            # As torchvision's pil_to_tensor: a view, channels first.
            values = values.permute(2, 0, 1)
        return importlib.import_module("torchvision.tv_tensors").Image(values) if self.kind == IMAGE else values


def _behind(transform: Any, kind: str, floats: bool) -> Tuple[str, bool]:
    """What a photo is behind a known transform, and whether of floats."""
    name = kind_of(transform)
    takes = kind != PIL if name.endswith("RandomErasing") else floats
    if name in FLOATS_ONLY and not takes:
        raise NoStage("it takes a tensor of floats: put it behind ToTensor")
    if name == "ToPILImage":
        return PIL, False
    if not floats and to_floats(transform, kind) is not None:
        return TENSOR if kind == PIL else kind, True
    as_floats = floats or (name in ("ToDtype", "ConvertImageDtype") and "float" in str(transform.dtype))
    return converted(transform, kind, floats) or kind, as_floats


def stacked(images: List[Any]) -> Any:
    """Transformed images as one batch: of tensors, or of NumPy arrays."""
    kinds = sorted({_described(image) for image in images})
    if len(kinds) > 1 or not hasattr(images[0], "shape") and not isinstance(images[0], (bool, int, float)):
        raise HeadwaterError(
            f"transforms made {' and '.join(kinds)}, which cannot be stacked to a batch: end with ToTensor and one "
            "size, or let DataLoader make the batches, with a collate_fn of yours: leave batch_size= out of the "
            "dataset"
        )
    if hasattr(images[0], "detach"):
        return importlib.import_module("torch").stack(images)
    return np.stack(images)


def _described(image: Any) -> str:
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", "")
    return type(image).__name__ if shape is None else f"{type(image).__name__} {dtype} {list(shape)}"
