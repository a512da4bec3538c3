"""Where the passes over a streamed dataset stand: what a process gives next, what is saved of that, and what is loaded.

What was said last holds: a state's epoch wins over what was set before it was loaded, and loses to what is set after.
"""

import logging
import weakref
from dataclasses import replace
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from headwater._headwater import HeadwaterError
from headwater.arguments import MOST_EPOCH, whole
from headwater.callers import outside
from headwater.drivers import driver
from headwater.generations import Generations
from headwater.order import Order
from headwater.passes import Pass, Passes
from headwater.picks import Log, Mask, Picks, Places
from headwater.progress import Deal, Remaining, State, find_states, merge
from headwater.ranks import Place, Ranked
from headwater.swaps import Swaps, joined
from headwater.torches import worker_of

log = logging.getLogger("headwater")


class Ledger:
    """The passes of a dataset that gives batches of `batch_size`, or single samples."""

    def __init__(
        self,
        order: Order,
        place: Place,
        generations: Generations,
        *,
        batch_size: Optional[int],
        drop_last: bool,
        uneven: Optional[str],
        heed: Callable[[int, int], None],
        log: Optional[Log] = None,
        swapped: Optional[Log] = None,
    ) -> None:
        """`heed` is told rank and number of ranks before a pass begins, in the process that reads or has workers; `log`
        has what workers take where they do not take it in order, and `swapped` what they give in others' places.
        """
        self._order, self._place, self._generations = order, place, generations
        self._batch_size, self._drop_last = batch_size, drop_last
        #: Why ranks may have different numbers of samples, however they are dealt.
        self._uneven = uneven
        self._passes, self._heed, self._log, self._swapped = Passes(), heed, log, swapped
        #: The state that StatefulDataLoader has given this very worker, for the next pass.
        self._own: Optional[State] = None
        #: Where this process stands in the pass that it gives.
        self.at: Optional[State] = None
        #: StatefulDataLoader makes an iterator of a state that was at its epoch's end, throws it away, and makes
        #: another: whether the next is the first of these, and the pass that it began, of which nothing has been asked.
        self._is_twice = False
        self._unasked: Optional[Pass] = None
        #: Iterators whose workers stay, and how often they have begun again.
        self._turns: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()

    def heed(self) -> None:
        """Hears of an iterator that it is made, before its workers start, and of one whose workers stay that it begins
        another pass: from the one question that it puts before, what kind of dataset this is. What is said later is not
        for this pass.
        """
        asking = outside()
        if asking is None or asking.module != "torch.utils.data.dataloader":
            return
        iterator = asking.local_or("self", None)
        if asking.function == "__init__" and hasattr(asking.local_or("loader", None), "num_workers"):
            # Of the questions of a new iterator, the first: it does not know yet how many workers it has.
            if asking.local("loader").num_workers and not hasattr(iterator, "_num_workers"):
                self._renew(self._passes.coming())
        if asking.function == "_reset" and not asking.local_or("first_iter", True) and iterator._num_workers:
            self._renew(self._passes.coming())
            self._turns[iterator] = turn = self._turns.get(iterator, 0) + 1
            self._passes.open(int(iterator._base_seed) % 2**63, turn, self._generations.number())

    def _renew(self, began: Pass) -> None:
        """Takes the newest generation for a pass, unless it goes on with an epoch that has begun."""
        if not worker_of()[1]:
            self._heed(*self._place.resolve())
        if self._resumed(began) is None:
            self._generations.renew(began.epoch, self._place.resolve()[1])
        elif not worker_of()[1]:
            self._generations.note()

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_turns": {}}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._turns = weakref.WeakKeyDictionary()

    @property
    def epoch(self) -> int:
        """The epoch of the pass under way; before a pass begins, the epoch that was said for it."""
        latest = self._passes.latest()
        return self._passes.said.epoch if latest is None else latest.epoch

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of this epoch: of its rest, where a state of this epoch has been loaded."""
        epoch, said, asks = whole("epoch", epoch, 0, MOST_EPOCH), self._passes.said, driver()
        resumed = said.resumed if self._passes.is_new() else None
        if resumed is not None and asks.loader is not None and asks.counts and epoch < said.epoch:
            # Accelerate counts from 0 in every run: it is told where this one stands.
            asks.loader.iteration = epoch = said.epoch
        if resumed is not None and epoch not in (resumed["epoch"], said.epoch):
            log.warning(
                "set_epoch(%d) comes after a state of epoch %d was loaded, which is dropped: to go on where it "
                "stands, set that epoch, or none",
                epoch,
                resumed["epoch"],
            )
            resumed = None
        self._passes.say(epoch, resumed, asks.dispatched)

    def steps(self) -> int:
        """How many batches, or samples, one pass of this rank gives."""
        rank, world = self._ranked(driver().dispatched is not None)
        deal = self._deal(Remaining(self._order.length(self.epoch)), world, 0)
        return deal.rounds if self._batch_size else deal.samples(rank)

    def remaining(self) -> int:
        """How many batches, or samples, the pass under way or else the next still gives: fewer than `steps` after a
        state was loaded.
        """
        if self.at is not None and self._is_latest(self.at):
            shares = self.at.deal.share(self.at.rank, self.at.worker)
            return (len(shares[1]) if self.at.batched else len(shares[0])) - self.at.taken
        rank, world = self._ranked(False)
        deal = self._deal(self._standing()[1], world, 0)
        return deal.rounds if self._batch_size else deal.samples(rank)

    def begin(self) -> State:
        """Where this process's part of a new pass begins."""
        own, self._own = self._own, None
        if own is not None:
            self._check_own(own)
            self._passes.begin(own.epoch.epoch, self._generations.number())
            self._order.enter(own.epoch)
            self.at = own
            return own
        driver()
        began = self._unasked or self._passes.begin(generation=self._generations.number())
        self._unasked, self._is_twice = began if self._is_twice else None, False
        self._generations.follow(began.generation)
        self._renew(began)
        resumed = self._resumed(began)
        self._order.enter(None if resumed is None else resumed.epoch)
        said, (worker, workers) = began.said, worker_of()
        dispatched = said.driver if began.first else None
        rank, world = self._ranked(dispatched is not None)
        if dispatched is not None and not dispatched.gives:
            left = Remaining(0)
        else:
            left = self._even(self._left(began), world, began.epoch)
        deal = self._deal(left, world, workers)
        epoch = self._order.epoch(began.epoch, left.length)
        swaps = None
        if resumed is not None and resumed.swaps is not None and len(resumed.base) == len(left):
            swaps = resumed.swaps.part(deal.share(rank, worker)[0])
        self.at = State(epoch, left, deal, rank, worker, 0, bool(self._batch_size), swaps=swaps)
        return self.at

    def turn(self, state: State, batch: int) -> State:
        """Deals single samples to workers by the batches that DataLoader makes of them."""
        if state.taken and state.deal.turn != batch:
            raise HeadwaterError(
                f"this state was saved where DataLoader made batches of {state.deal.turn}, and now they are of "
                f"{batch}: load what merge_states makes of it before the DataLoader is made"
            )
        self.at = replace(state, deal=replace(state.deal, turn=batch))
        return self.at

    def asked(self, state: State) -> None:
        """Notes that the pass that has begun is being read. HeadwaterError where another pass has taken a newer
        generation since: samples of two would be mixed.
        """
        self._unasked = None
        now = self._order.epoch(state.epoch.epoch, state.epoch.length)
        if now.generation != state.epoch.generation and state.epoch.generation:
            raise HeadwaterError(
                "another pass of this dataset, or refresh(), has taken a newer generation between the beginning of "
                "this pass and its first sample: begin it anew"
            )

    def save(self, steps: Optional[int] = None, epoch_steps: Optional[int] = None) -> Dict[str, Any]:
        """Where the pass under way stands: see IterableDataset.state_dict."""
        if epoch_steps is not None:
            if steps is not None:
                raise ValueError("give steps=, those of this pass, or epoch_steps=, those of its epoch, not both")
            steps = whole("epoch_steps", epoch_steps) - self._before()
        if steps is None and self.at is not None and self._is_latest(self.at):
            return self.at.to_dict()
        latest = self._passes.latest()
        if steps is None and latest is not None and not worker_of()[1]:
            raise HeadwaterError(
                "the workers of a DataLoader fetch ahead, so that only you know what was used: give steps=, the "
                "batches that each rank has taken, or use torchdata's StatefulDataLoader"
            )
        taken = 0 if steps is None else whole("steps", steps)
        if taken and not self._batch_size:
            raise HeadwaterError("steps= counts batches: let the dataset make them, with batch_size=")
        (epoch, left), (rank, world) = self._standing(), self._ranked(False)
        deal = self._deal(left, world, 0)
        if taken > deal.rounds:
            raise ValueError(
                f"steps={taken}: a rank takes {deal.rounds} in this pass over epoch {epoch}; give those since it began"
            )
        state = State(self._order.epoch(epoch, left.length), left, deal, rank, 0, taken, bool(self._batch_size))
        if self._log is not None and taken:
            state = replace(state, picks=Picks(taken_by_workers(self._log, deal, (rank, epoch), taken)))
        if self._swapped is not None:
            state = replace(state, swaps=self._swaps(state))
        return state.to_dict()

    def _swaps(self, state: State) -> Optional[Swaps]:
        """What stands in others' places of a rank's share, by what its workers have written down."""
        began = self._passes.latest()
        if state.taken and self._swapped is not None:
            return swaps_of_workers(self._swapped, state.deal, (state.rank, state.epoch.epoch), state.taken)
        resumed = None if began is None else self._resumed(began)
        if resumed is None or resumed.swaps is None:
            return None
        return resumed.swaps.part(state.deal.share(state.rank, 0)[0])

    def load(self, state: Any) -> None:
        """Goes on where a state stands: see IterableDataset.load_state_dict."""
        found, (worker, workers) = find_states(state), worker_of()
        own = bool(workers) and len(found) == 1 and found[0].deal.workers == workers
        # In a worker: StatefulDataLoader gives each its own state back. Elsewhere: the whole epoch's.
        resumed = found[0] if own else merge(found)
        resumed = replace(resumed, epoch=self._order.enter(resumed.epoch) or resumed.epoch)
        if own and (resumed.rank, resumed.worker) != (self._place.resolve()[0], worker):
            raise HeadwaterError(
                f"this state is that of worker {resumed.worker} of rank {resumed.rank}, and this is worker {worker} "
                f"of rank {self._place.resolve()[0]}: load what merge_states makes of all of them before the "
                "DataLoader is made"
            )
        self.at = self._unasked = None
        if own:
            self._own = resumed
            return
        epoch, late = resumed.epoch.epoch, _is_late()
        self._is_twice = late and not len(resumed.base)
        if not len(resumed.base):
            # Late is after a set_epoch that came after: the state was given to StatefulDataLoader before.
            said = self._passes.said.epoch if late and self._passes.is_new() else 0
            epoch = max(epoch + 1, said)
        self._passes.say(epoch, resumed.to_dict())

    def _before(self) -> int:
        """How many steps of the epoch were taken before the pass under way began."""
        (_, left), (_, world) = self._standing(), self._ranked(False)
        return self._deal(Remaining(left.length), world, 0).rounds - self._deal(left, world, 0).rounds

    def _standing(self) -> Tuple[int, Remaining]:
        """The epoch of the pass under way, or else of the next, and what there is of it at its beginning."""
        said = self._passes.said
        began = self._passes.latest() or Pass(said.epoch, True, said)
        return began.epoch, self._left(began)

    def _left(self, began: Pass) -> Remaining:
        """What is left of an epoch when a pass over it begins: all, or what a state that was loaded for it has left."""
        resumed = self._resumed(began)
        return Remaining(self._order.length(began.epoch)) if resumed is None else resumed.base

    def _resumed(self, began: Pass) -> Optional[State]:
        """The state with which a pass goes on, where one was loaded for it."""
        resumed = began.said.resumed
        goes_on = resumed is not None and began.first and began.epoch == resumed["epoch"]
        return State.from_dict(resumed) if goes_on and resumed is not None else None

    def _is_latest(self, state: State) -> bool:
        latest = self._passes.latest()
        return worker_of()[1] > 0 or latest is not None and latest.epoch == state.epoch.epoch

    def _ranked(self, dispatched: bool) -> Ranked:
        return (0, 1) if dispatched else self._place.resolve()

    def _deal(self, left: Remaining, world: int, workers: int) -> Deal:
        return Deal(len(left), world, workers, self._batch_size or 1, self._drop_last)

    def _even(self, left: Remaining, world: int, epoch: int) -> Remaining:
        """What ranks take in as many steps, all of it but for less than one sample each. Ranks that do not wait for
        each other for ever: that is said before the first step.
        """
        if world == 1 or not len(left):
            return left
        if len(left) < world:
            if len(left) == left.length:
                raise HeadwaterError(f"{len(left)} samples are fewer than the {world} ranks, each of which needs one")
            log.warning(
                "the last %d samples of epoch %d are left out, since there are %d ranks", len(left), epoch, world
            )
            return Remaining(left.length, left.length)
        if not self._batch_size and self._uneven is not None:
            raise HeadwaterError(f"{self._uneven}, {UNEVEN % world}: {EVEN}")
        if not self._batch_size and len(left) % world and not self._drop_last:
            raise HeadwaterError(
                f"{len(left)} samples are not as many for each rank, {UNEVEN % world}: {EVEN}, or drop_last=True, "
                f"which leaves out {len(left) % world}"
            )
        return left

    def _check_own(self, own: State) -> None:
        """Raises HeadwaterError where this worker cannot go on with a worker's state."""
        now = (self._place.resolve()[1], worker_of()[1], self._batch_size or 1)
        if (own.deal.world, own.deal.workers, own.deal.block) != now:
            raise HeadwaterError(
                "this state was saved with other numbers of ranks or another batch size: load what merge_states makes "
                "of it before the DataLoader is made"
            )


UNEVEN = "and %d ranks that do not take as many steps wait for each other for ever"
EVEN = "give batch_size= to the dataset (and batch_size=None to DataLoader), whose batches are dealt evenly"


def taken_by_workers(written: Log, deal: Deal, of: Tuple[int, int], steps: int) -> Mask:
    """Which places of a rank's share its workers have given in so many steps, where they do not take it in order; `of`
    are the rank and the epoch.
    """
    (rank, epoch), taken = of, np.zeros(deal.samples(of[0]), dtype=np.bool_)
    workers = max(1, written.workers(epoch))
    for worker in range(workers):
        count = _given_by((deal, workers), rank, worker, steps)
        places = written.read(epoch, worker, count).astype(np.int64)
        taken[_in_rank((deal, workers), worker, places)] = True
    return taken


def swaps_of_workers(written: Log, deal: Deal, of: Tuple[int, int], steps: int) -> Swaps:
    """What of a rank's share is of low importance and was used after so many steps, by what its workers have written
    down; `of` are the rank and the epoch.
    """
    (rank, epoch), parts = of, []
    workers = max(1, written.workers(epoch))
    for worker in range(workers):
        length = len(replace(deal, workers=workers).share(rank, worker)[0])
        places = _in_rank((deal, workers), worker, np.arange(length, dtype=np.int64))
        swaps = Swaps(written.read(epoch, worker, length))
        parts.append((places, swaps, _given_by((deal, workers), rank, worker, steps)))
    return joined(parts, deal.samples(rank))


def _given_by(dealt: Tuple[Deal, int], rank: int, worker: int, steps: int) -> int:
    """How many samples one of so many workers of a rank has given in so many steps of the rank."""
    (deal, workers), rounds = dealt, np.arange(worker, dealt[0].rounds, dealt[1])
    sizes = replace(deal, workers=workers).share(rank, worker)[1]
    return int(sizes[: int(np.count_nonzero(rounds < steps))].sum())


def _in_rank(dealt: Tuple[Deal, int], worker: int, places: Places) -> Places:
    """Where in its rank's share the places of a worker's share are."""
    (deal, workers), rounds = dealt, np.arange(worker, dealt[0].rounds, dealt[1])
    # The last round may be longer than the others.
    at = np.minimum(places // deal.block, max(0, len(rounds) - 1))
    found: Places = rounds[at] * deal.block + places - at * deal.block if len(rounds) else places[:0]
    return found


def _is_late() -> bool:
    """Whether StatefulDataLoader loads the state: it does so when its iterator is made, after `set_epoch`."""
    asking = outside()
    return asking is not None and asking.module.startswith("torchdata.")
