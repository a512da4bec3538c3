"""Rows from the servers: what both kinds of datasets read."""

from typing import Any, Callable, Dict, Iterator, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError, Recipe, RecipeError
from headwater.arguments import function, indices_of, one_of, seconds, some_of, text
from headwater.auto import AutoPlan
from headwater.choices import FIELDS, ON_ERROR, OUTPUTS, PIXELS
from headwater.cuts import PLANNED, cut_of
from headwater.failures import Failures, Rows
from headwater.handover import prepare
from headwater.plans import PlanFile
from headwater.ranks import Place
from headwater.repeats import Epochs
from headwater.rest import Rest, stacked
from headwater.selection import Selection
from headwater.shared import Counters
from headwater.source import Source
from headwater.torches import batched_again, collated, tensor
from headwater.transforms import recipe_and_rest

Servers = Union[str, Sequence[str]]

#: Samples in one array, where single samples are asked for: their tensors are rows of it.
TOGETHER = 32


class Reader:
    """What is fetched of samples, and how. Travels to other processes with its settings."""

    def __init__(
        self,
        source: Source,
        selection: Selection,
        *,
        recipe: Any,
        cut: Optional[str],
        plan: Optional[Any],
        model: Optional[str],
        output: str,
        pixels: str,
        seed: int,
        fields: Sequence[str],
        on_error: str,
        transform: Optional[Callable[[Any], Any]],
        place: Place,
        repeats: bool,
        profile_seconds: Optional[float],
    ) -> None:
        if profile_seconds is not None and plan != "auto":
            raise ValueError('profile_seconds= is for plan="auto": nothing else is measured')
        if profile_seconds is not None:
            profile_seconds = seconds("profile_seconds", profile_seconds)
        on_error, output = one_of("on_error", on_error, ON_ERROR), one_of("output", output, OUTPUTS)
        pixels, fields = one_of("pixels", pixels, PIXELS), some_of("fields", fields, FIELDS)
        if model is not None:
            model = text("model", model, "the name of a model that is registered at the servers")
        if plan is not None and "image" not in fields:
            raise ValueError(f"plan= says how photos travel, and fields={fields!r} asks for none: leave either out")
        self.source = source
        self.selection = selection
        self._counters = Counters()
        if plan is None:
            self.cut, self._floats = cut_of("jpeg-crop" if cut is None else cut)
        elif cut is None or cut in PLANNED:
            # Its pixels are coded as it says.
            self.cut, self._floats = "planned", False
        else:
            raise ValueError(f"cut={cut!r} is one cut for all, and plan= has one for each sample: give either")
        if plan == "auto" and cut == "sophon":
            raise ValueError('plan="auto" looks for the shortest epoch: leave cut= out, or give plan=FILE of the algorithm sophon')
        self.recipe, self.rest = _recipe(recipe, self.cut, model, output, fields)
        #: What rows hold: the pixels, where something is run on those here.
        self._rows = "tensor" if self.rest.floats and output != "pixels" else "pixels"
        if self._rows == "pixels" and self._floats:
            raise ValueError(
                f"cut={cut!r} sends floats, and pixels are asked for: give cut='normalized', which sends what floats are made from"
            )
        self.model = model
        self.output = output
        self.seed = seed
        self.fields = fields
        self._pixels = pixels
        self._transform = function("transform", transform)
        self._failures = Failures(on_error, source, selection, self._counters)
        self.plan: Union[None, PlanFile, AutoPlan] = None
        # Last, for "auto" takes seconds, and what is wrong with the others should be said before.
        if plan == "auto":
            assert self.recipe is not None
            self.plan = AutoPlan(
                source, self.recipe, seed=seed, place=place, repeats=repeats, seconds=profile_seconds
            )
        elif plan is not None:
            self.plan = PlanFile(plan, cut, self.recipe)

    def close(self) -> None:
        """Ends this process's connections and threads."""
        if isinstance(self.plan, AutoPlan):
            self.plan.close()
        self.source.close()

    def read(
        self, indices: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64], epochs: Epochs, ahead: int, singles: bool = False
    ) -> Iterator[Rows]:
        """Batches of these sizes, in this order; what fails has been seen to. Of `singles` an array may be left with none. Each sample's
        epoch is the address of its draws.
        """
        if len(indices) == 0:
            return
        prepare()
        if "image" not in self.fields:
            yield from self._listed(indices, sizes)
            return
        if isinstance(self.plan, AutoPlan):
            self.plan.begin(self.source, indices, self.selection.indices is None)
        batches, done = self._fetch(indices, sizes, epochs, ahead), 0
        try:
            while True:
                given = batches.next()
                if isinstance(self.plan, AutoPlan):
                    self.plan.hear(self._counters)
                if given is None:
                    return
                rows = Rows(*given)
                count = len(rows.indices)
                each = epochs if isinstance(epochs, int) else epochs[done : done + count]
                done += count
                yield self._labelled(self._failures.settle(rows, each, singles, self._fetch))
        finally:
            batches.close()

    def give(self, rows: Rows, at: int) -> Any:
        """One sample of these, as its reader gets it."""
        values: Dict[str, Any] = {
            "image": lambda: self._image(rows.values[at]),
            "label": lambda: self.selection.label(int(rows.labels[at])),
            "key": lambda: rows.keys[at],
            "index": lambda: int(rows.indices[at]),
        }
        given = tuple(values[field]() for field in self.fields)
        return given if len(given) > 1 else given[0]

    def give_batch(self, rows: Rows) -> Any:
        """All of them as one batch. HeadwaterError where a DataLoader would make batches of batches."""
        if batched_again():
            raise HeadwaterError(
                "this dataset makes batches, and so does the DataLoader that reads it: give DataLoader(data, batch_size=None), or "
                "leave batch_size= out of the dataset"
            )
        values: Dict[str, Any] = {
            "image": lambda: self._images(rows.values),
            "label": lambda: self._labels(rows.labels),
            "key": lambda: list(rows.keys),
            "index": lambda: self._given(rows.indices.astype(np.int64)),
        }
        given = tuple(values[field]() for field in self.fields)
        return given if len(given) > 1 else given[0]

    def counters(self) -> Dict[str, int]:
        """Of this dataset and its copies in workers, since it was made."""
        return self._counters.totals()

    def report(self, which: Any, losses: npt.NDArray[np.float32]) -> Tuple[int, int]:
        """(kept, unknown)"""
        client = self.source.client()
        which = which.tolist() if hasattr(which, "tolist") else list(which)
        if which and all(isinstance(key, str) for key in which):
            return client.report_keys(which, losses)
        return client.report_indices(indices_of(which, "which"), losses)

    def _fetch(
        self, indices: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64], epochs: Epochs, ahead: int
    ) -> Any:
        epoch, each = (epochs, None) if isinstance(epochs, int) else (0, np.ascontiguousarray(epochs, dtype=np.uint64))
        return self.source.client().fetch(
            np.ascontiguousarray(indices, dtype=np.uint64),
            np.ascontiguousarray(sizes, dtype=np.uint64),
            recipe=self.recipe,
            cuts=self.cut if self.plan is None else self.plan.of(self.source),
            output=self._rows,
            pixels=self._pixels,
            floats=self._floats,
            seed=self.seed,
            epoch=epoch,
            epochs=each,
            model=self.model,
            ahead=ahead,
        )

    def _listed(self, indices: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64]) -> Iterator[Rows]:
        """Batches without photos: what the servers list is all that is asked of them, and no photo can fail."""
        listing = self.source.listing()
        for part in np.split(indices, np.cumsum(sizes[:-1]).astype(np.int64)):
            self._counters.add("samples", len(part))
            keys = [listing.keys[index] for index in part.tolist()] if "key" in self.fields else []
            yield self._labelled(Rows(np.empty((len(part), 0)), part, listing.labels[part], keys, []))

    def _labelled(self, rows: Rows) -> Rows:
        """With the labels of this dataset, for the servers'."""
        return rows._replace(labels=self.selection.labels(rows.labels))

    def _labels(self, labels: npt.NDArray[np.int64]) -> Any:
        """Of a batch: numbers, or what default_collate makes of target_transform's."""
        if not self.selection.transforms:
            return self._given(labels)
        made = [self.selection.label(label) for label in labels.tolist()]
        return np.asarray(made) if self.output == "numpy" else collated(made)

    def _given(self, array: npt.NDArray[Any]) -> Any:
        """As its reader gets it: a tensor of its memory, or itself."""
        return array if self.output == "numpy" else tensor(array)

    def _image(self, row: npt.NDArray[Any]) -> Any:
        image = self.rest(row) if self.rest else self._given(row)
        if self.output == "numpy" and hasattr(image, "detach"):
            image = image.numpy()
        return image if self._transform is None else self._transform(image)

    def _images(self, values: npt.NDArray[Any]) -> Any:
        if not (self.rest or self._transform is not None) or len(values) == 0:
            return self._given(values)
        return stacked([self._image(row) for row in values])


def _recipe(recipe: Any, cut: str, model: Optional[str], output: str, fields: Sequence[str]) -> Tuple[Optional[Recipe], Rest]:
    if cut == "features":
        if model is None:
            raise ValueError('cut="features" needs a model: give model=NAME, as it is registered at the servers')
        if output == "pixels":
            raise ValueError('cut="features" gives features, and output="pixels" asks for photos: leave either out')
        if recipe is not None:
            raise RecipeError("features are made with the recipe that their model was registered with: leave recipe= out")
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


def sizes_for(count: int) -> npt.NDArray[np.uint64]:
    """Arrays in which single samples come."""
    full, rest = divmod(count, TOGETHER)
    return np.asarray([TOGETHER] * full + ([rest] if rest else []), dtype=np.uint64)
