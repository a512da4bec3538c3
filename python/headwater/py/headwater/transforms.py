"""Recipes from torchvision's transforms: what the storage side can run, stage by stage, and what is left to run
here."""

import json
import os
from typing import Any, List, Optional, Sequence, Tuple, Union

from headwater import stages
from headwater._headwater import Recipe, RecipeError
from headwater.arguments import text
from headwater.composes import Transform, flattened, kind_of
from headwater.instead import line_of, lines_instead
from headwater.rest import Rest


def recipe_from(transforms: Any, name: str = "torchvision") -> Recipe:
    """The recipe of a torchvision Compose (or list of transforms), which must be one to its end.

    RecipeError names the transform that cannot be expressed, and why.
    """
    recipe, rest = _split(flattened(transforms), text("name", name, "a name for the recipe"))
    if rest.transforms:
        raise RecipeError(
            f"{line_of(rest.transforms[0])} is no part of a recipe: give the Compose to the dataset, which runs this "
            "and what is behind it in the trainer, or leave it out"
        )
    if not rest.floats:
        raise RecipeError("the Compose ends with pixels, and a recipe with floats: put ToTensor at its end")
    return recipe


def recipe_and_rest(recipe: Any, output: str) -> Tuple[Recipe, Rest]:
    """What a dataset was given as its recipe, and what of it is run here."""
    if isinstance(recipe, Recipe):
        return recipe, Rest()
    if isinstance(recipe, (str, os.PathLike)):
        return _named(os.fspath(recipe)), Rest()
    flat = flattened(recipe)
    found, rest = _split(flat, "torchvision")
    if output == "pixels":
        _check_pixels(rest)
        return found, Rest()
    try:
        ends = rest.ends()
    except stages.NoStage as error:
        why, transform = error.args
        raise _refused(transform, why, flat) from None
    if ends == stages.PIL:
        raise RecipeError(
            "the Compose ends with a PIL image, of which no batch can be made: "
            + lines_instead(flat)
            + '\nor give output="pixels", for u8 [h, w, 3]'
        )
    return found, rest


def _check_pixels(rest: Rest) -> None:
    """Sees to it that output="pixels" leaves out nothing but floats and their normalisation."""
    if rest.transforms or not (rest.floats or rest.kind == stages.PIL):
        first = line_of(rest.transforms[0]) if rest.transforms else "what makes a tensor of it"
        raise RecipeError(
            f'output="pixels" is a photo as it is before {first}, u8 [h, w, 3], and nothing of the Compose runs on '
            f"it: leave "
            "output= out, and the Compose is run on those very pixels here; or end the Compose before it"
        )


def _named(name: Union[str, bytes]) -> Recipe:
    path = os.fsdecode(name)
    if path in Recipe.builtin_names():
        return Recipe.builtin(path)
    try:
        with open(path, encoding="utf-8") as file:
            return Recipe(file.read(1 << 16))
    except FileNotFoundError:
        known = ", ".join(Recipe.builtin_names())
        raise RecipeError(f"there is no recipe {path!r}: it is neither a file nor in the box ({known})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read the recipe {path!r}: {error}") from error


def _split(flat: Sequence[Transform], name: str) -> Tuple[Recipe, Rest]:
    walk = _Walk(flat)
    walk.run()
    toml = f"name = {json.dumps(name)}\n" + "".join(f"[[stage]]\n{stage}\n" for stage in walk.stages)
    try:
        recipe = Recipe(toml)
    except RecipeError as error:
        raise RecipeError(f"what can be done beside the photos is no recipe: {error}; it reads\n{toml}") from None
    return recipe, Rest(walk.kind, walk.floats, flat[walk.at :])


class _Walk:
    """A walk through a Compose from its start, as far as a recipe goes."""

    def __init__(self, flat: Sequence[Transform]) -> None:
        self._flat = flat
        self.at = 0
        self.kind = stages.PIL
        self.floats = False
        self.stages: List[str] = ["op = 'decode'"]

    def run(self) -> None:
        try:
            self._geometry()
            self._take(stages.flip)
            self.floats = self._take(lambda transform: stages.to_floats(transform, self.kind))
            if not self.floats:
                # What is asked for is pixels; a recipe has a tensor at its end. What follows is to be torchvision's, to
                # the bit.
                self.stages = [*map(stages.in_two_steps, self.stages), "op = 'to-tensor'"]
                return
            self.kind = stages.TENSOR if self.kind == stages.PIL else self.kind
            self._take(stages.normalize)
            self._convert()
        except stages.NoStage as error:
            raise _refused(self._flat[self.at], str(error), self._flat) from None

    def _geometry(self) -> None:
        self._convert()
        if not any(map(stages.sets_size, self._flat)):
            raise RecipeError(
                "nothing in this Compose brings photos to one size, and tensors of a dataset have one: "
                + lines_instead(self._flat)
                + "\nor, to train, RandomResizedCrop(224) for the first two"
            )
        found = stages.geometry(self._flat, self.at, self.kind)
        if found is None:
            raise stages.NoStage(_misplaced(self._flat, self.at))
        self.stages += found.stages
        self.at += found.taken

    def _take(self, stage_of: Any) -> bool:
        """Takes the next transform if it is this stage."""
        self._convert()
        stage: Optional[str] = stage_of(self._flat[self.at]) if self.at < len(self._flat) else None
        if stage is None:
            return False
        self.stages.append(stage)
        self.at += 1
        return True

    def _convert(self) -> None:
        """Passes transforms that change no pixel."""
        while self.at < len(self._flat):
            kind = stages.converted(self._flat[self.at], self.kind, self.floats)
            if kind is None:
                return
            self.kind = kind
            self.at += 1


def _misplaced(flat: Sequence[Transform], at: int) -> str:
    """Why a transform cannot stand before a photo is cropped or resized."""
    name = kind_of(flat[at])
    if name == "CenterCrop":
        return "it cuts photos without resizing them, and smaller ones would need padding: put Resize before it"
    if name == "timm.ResizeKeepRatio":
        return "it leaves sizes open, to be cut or padded, and a recipe resizes and cuts: padding is no part of it"
    if name in ("RandomCrop", "FiveCrop", "TenCrop", "Pad"):
        return "it works on photos of any size, as they are stored, and servers send what is cropped and resized"
    if name in ("ToTensor", "ToDtype", "ConvertImageDtype", "Normalize", "timm.ToTensor", "timm.MaybeToTensor"):
        return "it stands before the crop, and servers crop and resize pixels: floats come behind"
    inner = getattr(flat[at], "transforms", None)
    if not name and kind_of(inner) == "Compose":
        raise RecipeError(
            f"{line_of(flat[at])} may do anything with a whole photo, and servers send the crop: give the Compose "
            "that it has, as recipe=preset.transforms"
        )
    moved = " (photos are RGB here in any case)" if not name or name == "Lambda" else ""
    return f"it works on the whole photo, and servers send the crop: behind the crop it runs here, on that{moved}"


def _refused(transform: Any, why: str, flat: Sequence[Transform]) -> RecipeError:
    place = next(at for at, step in enumerate(flat) if step is transform) + 1
    return RecipeError(f"{line_of(transform)}, at place {place}: {why}; {lines_instead(flat)}")
