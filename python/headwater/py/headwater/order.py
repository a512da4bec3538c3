"""Which sample stands at a position of an epoch, and where its randomness has its address."""

from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import permute
from headwater.arguments import Expected, boolean, indices_of
from headwater.progress import Epoch, Positions
from headwater.repeats import Epochs, addresses, occurrences
from headwater.selection import Selection
from headwater.source import Source


class Order:
    """The samples of each epoch, in order. A permutation is computed where it is asked for, and never stored."""

    def __init__(
        self,
        source: Source,
        selection: Selection,
        *,
        seed: int,
        shuffle: bool,
        indices: Optional[Any],
        sampler: Optional[Any],
    ) -> None:
        if indices is not None and sampler is not None:
            raise ValueError("give indices= or sampler=, not both: a sampler chooses the samples")
        if sampler is not None and (isinstance(sampler, type) or not hasattr(sampler, "epoch_indices")):
            raise ValueError(
                f"{sampler!r} is no sampler for this dataset: it needs epoch_indices(epoch), as ImportanceSampler and "
                "ShardSampler have it; others go into DataLoader(MapDataset(...), sampler=...)"
            )
        if sampler is not None and hasattr(sampler, "length"):
            source.expect(Expected("sampler=", sampler.length, True))
        self._source = source
        self._seed = seed
        self._shuffle = boolean("shuffle", shuffle)
        self._selection = selection
        self._sampler = sampler
        self._chosen: Optional[Tuple[int, npt.NDArray[np.uint64]]] = None
        #: A choice of samples, and how often each of them came before in it; None where each comes once.
        self._counted: Optional[Tuple[npt.NDArray[np.uint64], Optional[npt.NDArray[np.uint64]]]] = None

    def length(self, epoch: int) -> int:
        """How many samples an epoch has."""
        if self._sampler is not None:
            return len(self._choice(epoch))
        return len(self._selection)

    def epoch(self, epoch: int, length: int) -> Epoch:
        """What a state says of an epoch, so that only a run of the same samples goes on with it."""
        chosen = self._chosen_of(epoch)
        described, choice = self._source.describe(), self._selection.digest(chosen)
        names = described.names and described.names + choice
        return Epoch(described.digest + choice, length, self._seed, epoch, self._shuffle, names)

    def samples(self, epoch: int, positions: Positions) -> npt.NDArray[np.uint64]:
        """The samples at these positions."""
        places = self._places(epoch, positions)
        chosen = self._chosen_of(epoch)
        return places if chosen is None else chosen[places]

    def draws(self, epoch: int, positions: Positions) -> Epochs:
        """The addresses of the draws of the samples at these positions: the epoch, but for samples that come more than
        once.
        """
        chosen = self._chosen_of(epoch)
        if chosen is None:
            return epoch
        if self._counted is None or self._counted[0] is not chosen:
            self._counted = (chosen, occurrences(chosen))
        times = self._counted[1]
        if times is None:
            return epoch
        return addresses(epoch, times[self._places(epoch, positions)])

    def _places(self, epoch: int, positions: Positions) -> npt.NDArray[np.uint64]:
        """Where in its choice the samples at these positions stand; a sampler's is in order."""
        places = positions.astype(np.uint64)
        return (
            permute(self.length(epoch), self._seed, epoch, places)
            if self._shuffle and self._sampler is None
            else places
        )

    def _chosen_of(self, epoch: int) -> Optional[npt.NDArray[np.uint64]]:
        """The samples of an epoch, as a sampler, `indices=` or `classes=` choose them; None where an epoch has all."""
        return self._selection.indices if self._sampler is None else self._choice(epoch)

    def _choice(self, epoch: int) -> npt.NDArray[np.uint64]:
        """A sampler's choice, kept while the epoch lasts: losses that come meanwhile change the next epoch."""
        if self._chosen is None or self._chosen[0] != epoch:
            sampler: Any = self._sampler
            chosen = indices_of(sampler.epoch_indices(epoch), "sampler=")
            if len(chosen):
                Expected("sampler=", int(chosen.max()) + 1, False).check(
                    self._source.dataset, self._source.describe().samples
                )
            self._chosen = (epoch, self._selection.admitted(chosen))
        return self._chosen[1]
