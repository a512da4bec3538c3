"""What is read of each sample, as the keywords of a dataset say it."""

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, Tuple

from headwater._headwater import Recipe, RecipeError
from headwater.arguments import function, names, one_of, seconds, text, whole
from headwater.choices import FIELDS, ON_ERROR, OUTPUTS, PIXELS
from headwater.cuts import PLANNED, cut_of
from headwater.rest import Rest
from headwater.transforms import recipe_and_rest


@dataclass(frozen=True)
class Reading:
    """What is read of each sample. Every keyword is one that can be, and none contradicts another."""

    #: What servers and this process run on photos; None for features, and where no photo is read.
    recipe: Optional[Recipe]
    #: What of a Compose is run here, behind the recipe.
    rest: Rest
    #: How far the servers take samples; "planned" where a plan says it of each.
    cut: str
    #: Whether floats must travel as floats.
    floats: bool
    #: What the rows of a batch hold, "tensor" or "pixels": pixels too where something is run on those here.
    rows: str
    #: "auto", or the file of a plan.
    plan: Optional[Any]
    #: The algorithm that a plan's file must be of; None: any.
    algorithm: Optional[str]
    profile_seconds: Optional[float]
    model: Optional[str]
    output: str
    pixels: str
    fields: Tuple[str, ...]
    #: Those of the fields that are the dataset's own.
    columns: Tuple[str, ...]
    seed: int
    on_error: str
    transform: Optional[Callable[[Any], Any]]

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> "Reading":
        """What a dataset's keywords say. TypeError and ValueError name the keyword that cannot be right."""
        plan, cut, model = keywords["plan"], keywords["cut"], keywords["model"]
        seed, profile_seconds = whole("seed", keywords["seed"]), _profile_seconds(keywords["profile_seconds"], plan)
        on_error, output = (
            one_of("on_error", keywords["on_error"], ON_ERROR),
            one_of("output", keywords["output"], OUTPUTS),
        )
        pixels = one_of("pixels", keywords["pixels"], PIXELS)
        fields = names("fields", keywords["fields"], FIELDS[0])
        columns = tuple(name for name in fields if name not in FIELDS)
        if model is not None:
            model = text("model", model, "the name of a model that is registered at the servers")
        if plan is not None and "image" not in fields:
            raise ValueError(f"plan= says how photos travel, and fields={fields!r} asks for none: leave either out")
        travels, floats = _cut(cut, plan)
        recipe, rest = _recipe(keywords["recipe"], travels, model, output, fields)
        rows = "tensor" if rest.floats and output != "pixels" else "pixels"
        if rows == "pixels" and floats:
            raise ValueError(
                f"cut={cut!r} sends floats, and pixels are asked for: give cut='normalized', which sends what floats "
                "are made from"
            )
        return cls(
            recipe=recipe,
            rest=rest,
            cut=travels,
            floats=floats,
            rows=rows,
            plan=plan,
            algorithm=cut if plan is not None else None,
            profile_seconds=profile_seconds,
            model=model,
            output=output,
            pixels=pixels,
            fields=fields,
            columns=columns,
            seed=seed,
            on_error=on_error,
            transform=function("transform", keywords["transform"]),
        )


def _profile_seconds(given: Any, plan: Any) -> Optional[float]:
    if given is None:
        return None
    if plan != "auto":
        raise ValueError('profile_seconds= is for plan="auto": nothing else is measured')
    return seconds("profile_seconds", given)


def _cut(cut: Optional[str], plan: Any) -> Tuple[str, bool]:
    """The cut at which samples travel, and whether floats must travel as floats."""
    if plan is None:
        return cut_of("jpeg-crop" if cut is None else cut)
    if cut is not None and cut not in PLANNED:
        raise ValueError(f"cut={cut!r} is one cut for all, and plan= has one for each sample: give either")
    if plan == "auto" and cut == "sophon":
        raise ValueError(
            'plan="auto" looks for the shortest epoch: leave cut= out, or give plan=FILE of the algorithm sophon'
        )
    # Its pixels are coded as the plan says.
    return "planned", False


def _recipe(
    recipe: Any, cut: str, model: Optional[str], output: str, fields: Sequence[str]
) -> Tuple[Optional[Recipe], Rest]:
    if cut == "features":
        if model is None:
            raise ValueError('cut="features" needs a model: give model=NAME, as it is registered at the servers')
        if output == "pixels":
            raise ValueError('cut="features" gives features, and output="pixels" asks for photos: leave either out')
        if recipe is not None:
            raise RecipeError(
                "features are made with the recipe that their model was registered with: leave recipe= out"
            )
        return None, Rest()
    if model is not None:
        other = "plan=" if cut == "planned" else f"cut={cut!r}"
        raise ValueError(f'model= is for cut="features", not for {other}: leave either out')
    if recipe is None and "image" not in fields:
        return None, Rest()
    if recipe is None:
        known = ", ".join(Recipe.builtin_names())
        raise RecipeError(f"give a recipe: one in the box ({known}), a Recipe, or a torchvision Compose")
    return recipe_and_rest(recipe, output)
