"""The batches of an epoch for engines that deal work to tasks of their own: Ray, Daft, Hugging Face's datasets,
TensorFlow, Grain.

Which sample stands where, and its crop, are computed as for IterableDataset, so that the batches have the same bits.
A dataset of an engine is of one generation, the newest when it was made, whichever of its tasks runs when; and an
epoch's shares have each sample once between them, however they are cut.
"""

import copy
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import RecipeError
from headwater.access import Tls, Token
from headwater.arguments import MOST_EPOCH, boolean, names, one_of, whole
from headwater.choices import FIELDS, OUTPUTS, Cut, FieldNames, Output, Pixels, Priority
from headwater.limits import Limits
from headwater.order import Order
from headwater.progress import Deal
from headwater.ranks import Place
from headwater.reader import Reader, Servers
from headwater.share import Column, Share, Wanted

#: What is done about samples that fail. A substitute would come twice, and engines count each sample once.
ON_ERROR = ("raise", "skip")
#: What an engine may be given of a sample, beside the dataset's own fields.
GIVEN = tuple(name for name in FIELDS if name != "replaced")


class Blocks:
    """A dataset on storage servers as batches, any part of which may be read anywhere. The keywords are those of
    IterableDataset that mean something where an engine decides who reads what.
    """

    def __init__(
        self,
        servers: Servers,
        dataset: str,
        recipe: Any = None,
        *,
        cut: Optional[Cut] = None,
        model: Optional[str] = None,
        batch_size: int = 64,
        drop_last: bool = False,
        shuffle: bool = True,
        seed: int = 0,
        output: Output = "tensor",
        pixels: Pixels = "raw",
        fields: FieldNames = ("image", "label"),
        indices: Optional[Any] = None,
        classes: Optional[Sequence[str]] = None,
        where: Optional[str] = None,
        on_error: str = "raise",
        prefetch: int = 2,
        streams: int = 2,
        priority: Priority = "normal",
        hedge: bool = False,
        window: int = 64 << 20,
        threads: int = 0,
        connect_for: float = 10.0,
        patience: float = 120.0,
        limit_bandwidth: Optional[str] = None,
        allow_partial: bool = False,
        limits: Optional[Limits] = None,
        allow_non_finite: bool = False,
        tls: Optional[Tls] = None,
        token: Optional[Token] = None,
    ) -> None:
        """Asks the servers what the dataset has. TypeError and ValueError name the keyword that cannot be right."""
        given = {name: value for name, value in locals().items() if name != "self"}
        self._batch_size = whole("batch_size", batch_size, 1)
        self._drop_last, self._shuffles = boolean("drop_last", drop_last), boolean("shuffle", shuffle)
        prefetch = whole("prefetch", prefetch, 1, 4096)
        if one_of("on_error", on_error, (*ON_ERROR, "substitute")) == "substitute":
            raise ValueError(
                'on_error="substitute" gives samples twice, and engines count each once: use raise or skip'
            )
        if "replaced" in names("fields", fields, GIVEN[0]):
            raise ValueError(f"fields={list(fields)!r}: no sample is replaced here; use some of {', '.join(GIVEN)}")
        # Nothing of these: engines have functions of their own for what is done to a sample.
        nothing = dict.fromkeys(("plan", "profile_seconds", "transform", "target_transform"))
        output = "pixels" if one_of("output", output, OUTPUTS) == "pixels" else "numpy"
        keywords = {**given, **nothing, "output": output}
        reader = Reader(keywords, Place(0, 1), repeats=False)
        if reader.reading.rest:
            raise RecipeError(
                f"servers do not run all of this recipe: {reader.reading.rest} would be run here; leave that out, and "
                "give it to the engine's own map"
            )
        self._source, self._selection = reader.source, reader.selection
        self._order = Order(reader.source, reader.selection, seed=seed, shuffle=shuffle, indices=indices, sampler=None)
        held = reader.source.describe()
        labels = None
        if classes is not None:
            labels = reader.selection.labels(np.arange(-1, len(held.classes), dtype=np.int64))
            labels = np.concatenate([labels[1:], labels[:1]])
        # Shares name their samples by number, and have their recipe with them.
        chosen = {"recipe": reader.reading.recipe, **dict.fromkeys(("indices", "classes", "where"))}
        self.wanted = Wanted({**keywords, **chosen, "prefetch": prefetch}, held, self._columns(reader), labels)
        self.samples = self._order.length(0)

    @property
    def classes(self) -> List[str]:
        """Class names: a label is a position in this list."""
        return self._selection.classes

    @property
    def batch_size(self) -> int:
        """Samples of a batch, but for the last."""
        return self._batch_size

    @property
    def is_random(self) -> bool:
        """Whether an epoch differs from the one before, in its order or its crops."""
        recipe = self.wanted.keywords["recipe"]
        return self._shuffles or (recipe is not None and recipe.is_random)

    def of_batches(self, batch_size: int) -> "Blocks":
        """The same in batches of another size."""
        made = copy.copy(self)
        made._batch_size = batch_size
        return made

    @property
    def may_skip(self) -> bool:
        """Whether samples may be left out, so that nobody knows before how many come."""
        return bool(self.wanted.keywords["on_error"] == "skip")

    def epoch(self, epoch: int, rank: int = 0, world: int = 1) -> "Dealt":
        """The batches of an epoch for one of so many ranks, each of which has as many: those of IterableDataset."""
        epoch = whole("epoch", epoch, 0, MOST_EPOCH)
        deal = Deal(self.samples, world, 0, self._batch_size, self._drop_last)
        return Dealt(self, epoch, *deal.share(rank, 0))

    def order(self, epoch: int, positions: npt.NDArray[np.int64]) -> Tuple[npt.NDArray[np.uint64], Any]:
        """The samples at these positions of an epoch, and the addresses of their draws."""
        return self._order.samples(epoch, positions), self._order.draws(epoch, positions)

    def _columns(self, reader: Reader) -> Tuple[Column, ...]:
        reading, found = reader.reading, []
        own = {"integer": "int64", "number": "float64"}
        for name in reading.fields:
            if name == "image":
                found.append(_image(reader))
            elif name in GIVEN:
                found.append(Column(name, "text" if name == "key" else "int64"))
            else:
                kind = reader.source.describe().fields[name]
                found.append(Column(name, own.get(kind, kind)))
        return tuple(found)


class Dealt:
    """A rank's batches of one epoch, in order."""

    def __init__(
        self, blocks: Blocks, epoch: int, ordinals: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
    ) -> None:
        self._blocks, self._epoch, self._ordinals, self._sizes = blocks, epoch, ordinals, sizes
        self._ends = np.cumsum(sizes)

    def __len__(self) -> int:
        """How many batches."""
        return len(self._sizes)

    @property
    def samples(self) -> int:
        return len(self._ordinals)

    def share(self, part: slice, wanted: Optional[Wanted] = None) -> Share:
        """Those of these batches, with what is wanted of each sample, if that is not everything."""
        wanted, sizes = wanted or self._blocks.wanted, self._sizes[part]
        starts = (self._ends - self._sizes)[part]
        positions = [self._ordinals[start : start + size] for start, size in zip(starts.tolist(), sizes.tolist())]
        together = np.concatenate(positions) if positions else np.empty(0, dtype=np.int64)
        indices, draws = self._blocks.order(self._epoch, together)
        dataset = wanted.keywords["dataset"]
        name = f"dataset {dataset}, epoch {self._epoch}, {len(sizes)} of {len(self)} batches"
        return Share(wanted, indices, sizes.astype(np.uint64), draws, name)

    def run(self, number: int, count: int, wanted: Optional[Wanted] = None) -> Share:
        """The share of this number of so many, each of which has neighbouring batches: as many, but for one."""
        return self.share(slice(len(self) * number // count, len(self) * (number + 1) // count), wanted)


def _image(reader: Reader) -> Column:
    reading = reader.reading
    if reading.model is not None:
        return Column("image", "float32", (reader.source.model(reading.model)[1],))
    assert reading.recipe is not None
    height, width = reading.recipe.output_size
    if reading.output == "pixels":
        return Column("image", "uint8", (height, width, 3))
    return Column("image", "float32", (3, height, width))
