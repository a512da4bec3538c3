"""What every dataset says of its servers, and tells them."""

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from headwater._headwater import Recipe
from headwater.announcer import Announcer
from headwater.generations import Generations
from headwater.plans import PlanSummary
from headwater.reader import Reader
from headwater.torches import as_array


class Served:
    """A dataset whose samples a reader fetches."""

    _reader: Reader
    _generations: Generations
    _announcer: Announcer

    @property
    def classes(self) -> List[str]:
        """Class names: a label is a position in this list. Those of `classes=`, where that was given."""
        return self._reader.selection.classes

    @property
    def fields(self) -> Dict[str, str]:
        """The dataset's own fields, which `fields=` may name: the kind of each, which is integer,
        number, text, integers or numbers.
        """
        return dict(self._reader.source.describe().fields)

    @property
    def targets(self) -> List[int]:
        """Labels of the dataset's samples, before `target_transform`: as ImageFolder has them. Servers are asked for
        them without a photo.

        In the order of `MapDataset`'s index, which for an IterableDataset is that of an epoch that is not shuffled;
        those of `indices=` and `classes=`, where these were given. What a sampler chooses is not looked at.
        """
        labels: List[int] = self._reader.selection.listing().labels.tolist()
        return labels

    @property
    def keys(self) -> List[str]:
        """Keys of the dataset's samples, such as "cat/1.jpg", in the order of `targets`."""
        return list(self._reader.selection.listing().keys)

    @property
    def samples(self) -> List[Tuple[str, int]]:
        """(key, label) of the dataset's samples, in the order of `targets`: ImageFolder's list, with keys for paths."""
        return list(zip(self.keys, self.targets))

    @property
    def imgs(self) -> List[Tuple[str, int]]:
        """`samples`, by ImageFolder's other name for them."""
        return self.samples

    @property
    def num_samples(self) -> int:
        """Samples of the dataset at the servers: what samplers are made for, whatever batch size, rank and
        `indices`."""
        return self._reader.source.describe().samples

    @property
    def class_to_idx(self) -> Dict[str, int]:
        return {name: number for number, name in enumerate(self.classes)}

    @property
    def recipe(self) -> Optional[Recipe]:
        return self._reader.reading.recipe

    @property
    def plan(self) -> Optional[PlanSummary]:
        """What `plan=` came to: samples of each way, and an epoch's predicted seconds; None without one. With "auto" it
        is what was planned when the dataset was made; changes since are counted in `counters()`.
        """
        return self._reader.plan.summary

    @property
    def epoch(self) -> int:
        """The epoch of which samples are given now, or next."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """What the dataset reads, as far as that is known without asking a server."""
        reader, reading, known = self._reader, self._reader.reading, self._reader.source.known
        samples = "" if known is None else f"{known.samples} samples, "
        if reader.selection.known is not None:
            samples = f"{reader.selection.known} of {'its' if known is None else known.samples} samples, "
        plan = f" by {self.plan.algorithm}" if self.plan is not None else ""
        what = "no photos" if reading.recipe is None else f"recipe {reading.recipe.name}"
        what = what if reading.model is None else f"model {reading.model}"
        here = f", and here {reading.rest}" if reading.rest else ""
        return (
            f"<headwater.{type(self).__name__} {reader.source.dataset!r} at {', '.join(reader.source.servers)}: "
            f"{samples}cut {reading.cut}{plan}, {what}{here}, epoch {self.epoch}>"
        )

    def counters(self) -> Dict[str, int]:
        """Samples given, failed, skipped and substituted, and changes of plan, by this dataset and its copies in
        workers.
        """
        return self._reader.counters()

    def refresh(self) -> bool:
        """Takes the newest generation of the dataset that the servers have: whether it is another than was held.
        Length, keys, labels and classes are those of the new one from here on. A pass under way keeps its own, and
        samplers that were made for the old length are to be made anew. Of several ranks, all call it, as often as each
        other.
        """
        return self._reader.refresh(self._generations)

    def report(self, which: Any, losses: Any) -> int:
        """Tells the servers how much samples mattered: keys, or indices, and the loss of each. Gives how many they
        know.
        """
        self._announcer.join(self._reader.source.client())
        return self._reader.report(which, as_array(losses, np.float32))[0]

    def close(self) -> None:
        """Ends this process's connections and threads; the next sample makes them anew. Servers are told that this job
        reads the dataset no longer.
        """
        self._announcer.end()
        self._reader.close()
