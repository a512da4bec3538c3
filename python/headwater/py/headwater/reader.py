"""Rows from the servers: what both kinds of datasets read."""

from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import Batches, Client, HeadwaterError
from headwater.arguments import indices_of
from headwater.auto import AutoPlan
from headwater.columns import Columns
from headwater.earlier import parted
from headwater.failures import Failures, Names, Rows, without_gone
from headwater.generations import Generations
from headwater.handover import prepare
from headwater.plan_file import PlanFile
from headwater.plans import OneCut, Plan
from headwater.ranks import Place
from headwater.reading import Reading
from headwater.repeats import Epochs
from headwater.samples import Samples
from headwater.selection import Selection
from headwater.shared import Counters
from headwater.source import Description, Source
from headwater.traces import caller
from headwater.transport import Transport
from headwater.where import where_of

Servers = Union[str, Sequence[str]]

#: Samples of which the servers are asked for names and fields at once, where no photo is asked for.
DESCRIBED = 4096

#: Samples in one array, where single samples are asked for: their tensors are rows of it.
TOGETHER = 32


class Reader:
    """Fetches samples, and makes of them what was asked for. Travels to other processes with its settings."""

    def __init__(
        self, keywords: Mapping[str, Any], place: Place, *, repeats: bool, held: Optional[Description] = None
    ) -> None:
        """`keywords` are those of a dataset; `repeats`: samples are asked for again and again, in calls of their own;
        `held`: the generation to read, the newest where none is named."""
        self._place = place
        self.source = source = Source(keywords["servers"], keywords["dataset"], Transport.of(keywords), held)
        self.selection = Selection(
            source,
            indices=keywords["indices"],
            classes=keywords["classes"],
            where=where_of(keywords),
            target_transform=keywords["target_transform"],
        )
        self.reading = reading = Reading.of(keywords)
        self.samples = Samples(reading, self.selection, Columns(source, reading.columns, reading.output))
        self.tallies = Counters()
        self._failures = Failures(reading.on_error, source, self.selection, self.tallies)
        # Last, for "auto" takes seconds, and what is wrong with the other keywords should be said before.
        self.plan = _plan(reading, source, place, repeats)

    def close(self) -> None:
        """Ends this process's connections and threads."""
        self.plan.close()
        self.source.close()

    def refresh(self, generations: Generations) -> bool:
        """Takes the newest generation, and makes the plan for it. HeadwaterError where a plan's file is of another."""
        held = self.source.known
        taken = generations.refresh(self._place.resolve()[1])
        if not taken or held is None:
            return taken
        try:
            self.plan.renew(self.source)
        except HeadwaterError:
            self.source.take(held)
            generations.note()
            raise
        return True

    def read(
        self,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        epochs: Epochs,
        ahead: int,
        singles: bool = False,
    ) -> Iterator[Rows]:
        """Batches of these sizes, in this order, without samples that fail. Of `singles` an array may be left empty.
        Each sample's epoch is the address of its draws.

        Nothing is asked for before the first is.
        """
        yield from self.start(indices, sizes, epochs, ahead, singles)

    def start(
        self,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        epochs: Epochs,
        ahead: int,
        singles: bool = False,
    ) -> Iterator[Rows]:
        """As `read`; the samples are asked for now."""
        if len(indices) == 0:
            return iter(())
        prepare()
        labels = self.selection.labelling()
        indices, gone = parted(indices, self.source.describe().samples)
        if "image" not in self.reading.fields:
            return self._listed(indices, sizes, gone, labels)
        self.plan.begin(self.source, indices, self.selection.indices is None)
        # A pass keeps its connection, and so its generation, whatever the dataset takes meanwhile.
        fetch = partial(self._fetch, self.source.client(), self.plan.cuts(self.source))
        return self._given(fetch(indices, sizes, epochs, ahead), gone, epochs, singles, (fetch, labels))

    def _given(
        self,
        batches: Batches,
        gone: npt.NDArray[np.uint64],
        epochs: Epochs,
        singles: bool,
        means: Tuple[Callable[..., Batches], Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]],
    ) -> Iterator[Rows]:
        """Batches as they come, without samples that fail: `means` fetch what stands in their place, and label."""
        (fetch, labels), done = means, 0
        try:
            while True:
                given = batches.next()
                self.plan.hear(self.tallies)
                if given is None:
                    return
                rows = Rows(*given)
                count = len(rows.indices)
                each = epochs if isinstance(epochs, int) else epochs[done : done + count]
                rows = without_gone(rows, gone[done : done + count])
                done += count
                settled = self._failures.settle(rows, each, singles, fetch)
                yield settled._replace(labels=labels(settled.labels))
        finally:
            batches.close()

    def counters(self) -> Dict[str, int]:
        """What this dataset and its copies in workers have counted since it was made."""
        return self.tallies.totals()

    def report(self, which: Any, losses: npt.NDArray[np.float32]) -> Tuple[int, int]:
        """Tells the servers losses: how many they keep, and of how many samples they know nothing."""
        client = self.source.client()
        which = which.tolist() if hasattr(which, "tolist") else list(which)
        if which and all(isinstance(key, str) for key in which):
            kept, unknown = client.report_keys(which, losses)
        else:
            kept, unknown = client.report_indices(indices_of(which, "which"), losses)
        self.tallies.add("reported", kept)
        return kept, unknown

    def _fetch(
        self,
        client: Client,
        cuts: Any,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        epochs: Epochs,
        ahead: int,
    ) -> Any:
        return client.fetch(
            np.ascontiguousarray(indices, dtype=np.uint64),
            np.ascontiguousarray(sizes, dtype=np.uint64),
            self.reading,
            cuts=cuts,
            epochs=epochs if isinstance(epochs, int) else np.ascontiguousarray(epochs, dtype=np.uint64),
            ahead=ahead,
            caller=caller(),
        )

    def _listed(
        self,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        gone: npt.NDArray[np.uint64],
        labels: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]],
    ) -> Iterator[Rows]:
        """Batches without photos: what the servers list is all that is asked of them, and only what is gone since the
        epoch began can fail.
        """
        ends = np.cumsum(sizes).astype(np.int64)
        first = 0
        while first < len(ends):
            # So many batches together that the servers are not asked for each.
            begin = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, begin + DESCRIBED)))
            end = int(ends[last - 1])
            together = self._names(indices[begin:end])
            for at in range(first, last):
                part = slice((int(ends[at - 1]) if at else 0) - begin, int(ends[at]) - begin)
                rows = without_gone(_part(together, part), gone[begin:end][part])
                settled = self._failures.settle(rows, 0, False, self._neighbour)
                yield settled._replace(labels=labels(settled.labels))
            first = last

    def _names(self, indices: npt.NDArray[np.uint64]) -> Rows:
        """Rows without photos: from the list of all samples, or where the dataset's own fields are asked for too, what
        the servers say of these.
        """
        nothing, columns = np.empty((len(indices), 0)), self.reading.columns
        if columns:
            keys, labels, values = self.source.described(indices, columns)
            return Rows(nothing, indices.copy(), labels, list(keys), [], values)
        listing = self.source.listing()
        names: List[Optional[str]] = [listing.keys[index] for index in indices.tolist()]
        return Rows(nothing, indices.copy(), listing.labels[indices], names, [])

    def _neighbour(
        self, indices: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64], epochs: Epochs, ahead: int
    ) -> "Names":
        """What stands next to a sample that is gone, where no photo is asked for."""
        return Names(self._names(indices))


def _part(rows: Rows, part: slice) -> Rows:
    """Some of these rows, in memory of their own."""
    columns = [column[part] for column in rows.columns]
    indices, labels = rows.indices[part].copy(), rows.labels[part].copy()
    return Rows(rows.values[part], indices, labels, rows.keys[part], [], columns)


def _plan(reading: Reading, source: Source, place: Place, repeats: bool) -> Plan:
    if reading.plan is None:
        return OneCut(reading.cut)
    if reading.plan != "auto":
        return PlanFile(reading.plan, reading.algorithm, reading.recipe)
    assert reading.recipe is not None
    return AutoPlan(
        source, reading.recipe, seed=reading.seed, place=place, repeats=repeats, seconds=reading.profile_seconds
    )


def sizes_for(count: int) -> npt.NDArray[np.uint64]:
    """The sizes of the arrays in which so many single samples come."""
    full, rest = divmod(count, TOGETHER)
    return np.asarray([TOGETHER] * full + ([rest] if rest else []), dtype=np.uint64)
