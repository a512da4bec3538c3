"""Which sample stands at a position of an epoch, and where its randomness has its address."""

import logging
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import ServerError, permute
from headwater.announcer import PassOrder
from headwater.arguments import Expected, boolean, indices_of
from headwater.earlier import Earlier, find
from headwater.identity import is_of_another_generation, recognised
from headwater.progress import Epoch, Positions
from headwater.repeats import Epochs, addresses, occurrences
from headwater.selection import Selection
from headwater.source import Source


log = logging.getLogger("headwater")


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
        #: The epoch of an earlier generation that is gone on with.
        self._earlier: Optional[Earlier] = None
        source.follow(self._forget)

    def _forget(self) -> None:
        """What was looked up is of a generation that is no longer held."""
        self._chosen = self._counted = self._earlier = None

    @property
    def is_by_number(self) -> bool:
        """Whether samples were chosen by number, or are by a sampler: numbers mean others in another generation."""
        return self._sampler is not None or self._selection.is_by_number

    def enter(self, saved: Optional[Epoch]) -> Optional[Epoch]:
        """Makes ready for a pass that goes on with an epoch that was saved, or for one of an epoch as it is now: gives
        the epoch as this run knows it. HeadwaterError where it is of another run.

        An epoch of an earlier generation goes on in the one that is held, where the servers know what differs; else in
        its own, where they still hold it.
        """
        if saved is None:
            self._earlier = None
            return None
        if self._earlier is not None and self._earlier.epoch == saved:
            return saved
        self._earlier = None
        mine = self.epoch(saved.epoch, saved.length)
        if not is_of_another_generation(saved, mine):
            return recognised(saved, mine)
        if self._sampler is None and self._selection.is_everything:
            try:
                self._earlier = find(saved, self._source)
                return saved
            except ServerError as unknown:
                log.info("what differs since the state was saved is not known: %s", unknown)
        try:
            self._source.hold(saved.generation)
        except ServerError as gone:
            log.info("the generation of the state is no longer held: %s", gone)
            return recognised(saved, mine)
        return recognised(saved, self.epoch(saved.epoch, saved.length))

    def length(self, epoch: int) -> int:
        """How many samples an epoch has."""
        if self._earlier is not None and self._earlier.epoch.epoch == epoch:
            return self._earlier.epoch.length
        if self._sampler is not None:
            return len(self._choice(epoch))
        return len(self._selection)

    def epoch(self, epoch: int, length: int) -> Epoch:
        """What a state says of an epoch, so that only a run of the same samples goes on with it."""
        if self._earlier is not None and self._earlier.epoch.epoch == epoch:
            return self._earlier.epoch
        chosen = self._chosen_of(epoch)
        described, choice = self._source.describe(), self._selection.digest(chosen)
        names = described.names and described.names + choice
        return Epoch(described.digest + choice, length, self._seed, epoch, self._shuffle, names, described.generation)

    def announced(self, epoch: Epoch, position: int) -> Optional[PassOrder]:
        """The order of an epoch of which what is before this position is done, as servers compute it; None where they
        cannot.
        """
        if self._earlier is not None and self._earlier.epoch.epoch == epoch.epoch:
            return None
        chosen = self._chosen_of(epoch.epoch)
        if chosen is not None and occurrences(chosen) is not None:
            return None
        own = self._sampler is None
        return PassOrder(epoch.seed, epoch.epoch, self._shuffle and own, chosen, own, position)

    def samples(self, epoch: int, positions: Positions) -> npt.NDArray[np.uint64]:
        """The samples at these positions; those that are gone since the epoch began, with a mark."""
        places = self._places(epoch, positions)
        if self._earlier is not None and self._earlier.epoch.epoch == epoch:
            return self._earlier.places[places]
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
