"""What is left of an epoch, and how it is dealt to ranks and workers.

An epoch is a sequence of positions 0, 1, 2 ...; which sample stands at a position is the permutation's. They are dealt
in rounds: a round gives every rank one batch, of neighbouring positions, and the rounds go to a rank's workers in turn.
So after t steps of all ranks, whatever their number and that of their workers, what is done is the first t rounds: one
number, the global position, says it, and the rest can be dealt anew to any other ranks and workers.

The last round is what remains, spread evenly; where that is less than a sample for each rank, the round before takes it
too. So every sample is there exactly once, and every rank takes as many steps.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.picks import Picks, from_text, to_text
from headwater.swaps import Swaps, joined

Positions = npt.NDArray[np.int64]

#: The key by which a state of ours is found inside whatever it was saved in, and the version of what is there.
MARK = "headwater"
VERSION = 1


@dataclass(frozen=True)
class Remaining:
    """Positions of an epoch that are still to come: from `position` on, without those of `ahead`."""

    length: int
    position: int = 0
    ahead: Tuple[int, ...] = ()

    def __len__(self) -> int:
        return self.length - self.position - len(self.ahead)

    def at(self, ordinals: Positions) -> Positions:
        """The positions that are the first, second ... of what remains."""
        positions = ordinals + self.position
        if self.ahead:
            gaps = np.asarray(self.ahead, dtype=np.int64) - np.arange(len(self.ahead))
            positions += np.searchsorted(gaps, positions, side="right")
        return positions

    def without(self, done: Positions) -> "Remaining":
        """What remains without the positions that are done."""
        done = np.union1d(np.asarray(self.ahead, dtype=np.int64), done)
        done = done[done >= self.position]
        in_line = int(np.count_nonzero(done == self.position + np.arange(len(done))))
        ahead = tuple(int(position) for position in done[in_line:])
        return Remaining(self.length, self.position + in_line, ahead)


@dataclass(frozen=True)
class Deal:
    """How so many samples are dealt."""

    left: int
    world: int
    #: The workers of each rank; 0 in the main process, which then does a single worker's part.
    workers: int
    #: Samples of a rank in a round.
    block: int
    drop_last: bool
    #: Rounds that a worker takes in a row. Of single samples these are a batch of DataLoader's, so that only the last
    #: of all is short.
    turn: int = 1

    @property
    def _round(self) -> int:
        return self.world * self.block

    @property
    def rounds(self) -> int:
        """How many steps every rank takes."""
        full, rest = divmod(self.left, self._round)
        if rest == 0 or self.drop_last or (0 < rest < self.world and full > 0):
            return full
        return full + 1

    def _last(self, rank: int) -> Tuple[int, int]:
        """A rank's part of the last round, which takes what remains."""
        start = (self.rounds - 1) * self._round
        rest = min(self.left - start, self._round if self.drop_last else self.left)
        return start + rest * rank // self.world, start + rest * (rank + 1) // self.world

    def samples(self, rank: int) -> int:
        """How many samples a rank has in all rounds."""
        if self.rounds == 0:
            return 0
        start, stop = self._last(rank)
        return (self.rounds - 1) * self.block + stop - start

    def share(self, rank: int, worker: int) -> Tuple[Positions, Positions]:
        """(ordinals, sizes of batches) of one worker of a rank."""
        mine = np.arange(self.rounds, dtype=np.int64)
        mine = mine[mine // self.turn % max(1, self.workers) == worker]
        sizes = np.full(len(mine), self.block, dtype=np.int64)
        starts = mine * self._round + rank * self.block
        ordinals = (starts[:, None] + np.arange(self.block)).reshape(-1)
        if len(mine) and mine[-1] == self.rounds - 1:
            start, stop = self._last(rank)
            ordinals = np.concatenate([ordinals[: -self.block], np.arange(start, stop)])
            sizes[-1] = stop - start
        return ordinals, sizes[sizes > 0]

    def done(self, rounds: int) -> Positions:
        """Ordinals that all ranks have taken after so many rounds."""
        if rounds >= self.rounds:
            return np.arange(self.left if not self.drop_last else self.rounds * self._round, dtype=np.int64)
        return np.arange(rounds * self._round, dtype=np.int64)


class Epoch(NamedTuple):
    """Which samples an epoch has, in which order. Two states of one run have the same."""

    #: The digest of everything that is listed,
    digest: str
    length: int
    seed: int
    epoch: int
    shuffle: bool
    #: and of keys and labels alone; empty where that is not known, as in states of before.
    names: str = ""
    #: The digests of the generation's partitions, by which servers know it; empty in states of before.
    generation: Tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Where one process stands."""

    epoch: Epoch
    #: What was left of the epoch when the pass began,
    base: Remaining
    #: how that was dealt,
    deal: Deal
    rank: int
    worker: int
    #: and how much of its share it has given: batches, or samples where it gives samples.
    taken: int
    batched: bool
    #: In which order it takes its share, where that is not the share's own.
    picks: Optional[Picks] = field(default=None, compare=False)
    #: What of its share is of low importance and stands in others' places, where that may be.
    swaps: Optional[Swaps] = field(default=None, compare=False)

    def to_dict(self) -> Dict[str, Any]:
        """The state as a dictionary of numbers, strings and lists."""
        return {
            MARK: VERSION,
            **self.epoch._asdict(),
            "generation": list(self.epoch.generation),
            "position": self.base.position,
            "ahead": _ahead_to(self.base),
            "world": self.deal.world,
            "workers": self.deal.workers,
            "block": self.deal.block,
            "drop_last": self.deal.drop_last,
            "turn": self.deal.turn,
            "rank": self.rank,
            "worker": self.worker,
            "taken": self.taken,
            "batched": self.batched,
            **({} if self.picks is None else {"picks": to_text(self.picks.taken(self.given()))}),
            **({} if self.swaps is None else self.swaps.to_dict(self.given())),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "State":
        """Reads a state and checks it, for it comes from a file. HeadwaterError where it is broken."""
        if state.get(MARK) != VERSION:
            raise HeadwaterError(f"this state is of version {state.get(MARK)!r}, and this package reads {VERSION}")
        try:
            length = int(state["length"])
            ahead = _ahead_from(state["ahead"], int(state["position"]), length)
            base = Remaining(length, int(state["position"]), ahead)
            deal = Deal(
                len(base),
                int(state["world"]),
                int(state["workers"]),
                int(state["block"]),
                bool(state["drop_last"]),
                int(state.get("turn", 1)),
            )
            epoch = Epoch(
                str(state["digest"]),
                length,
                int(state["seed"]),
                int(state["epoch"]),
                bool(state["shuffle"]),
                str(state.get("names", "")),
                tuple(str(digest) for digest in state.get("generation", ())),
            )
            found = cls(
                epoch, base, deal, int(state["rank"]), int(state["worker"]), int(state["taken"]), bool(state["batched"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise HeadwaterError(f"this state is broken: {error!r}") from error
        good = (
            0 <= base.position <= length
            and all(base.position <= position < length for position in ahead)
            and deal.world > 0
            and deal.block > 0
            and deal.turn > 0
            and 0 <= found.rank < deal.world
            and 0 <= found.worker < max(1, deal.workers)
            and found.taken >= 0
        )
        if not good:
            raise HeadwaterError("this state is broken: its numbers contradict each other")
        return found._with_picks(state.get("picks"))._with_swaps(state)

    def _with_picks(self, text: Any) -> "State":
        """With what a state says of the order in which it was taken."""
        if text is None:
            return self
        try:
            taken = from_text(str(text), len(self.deal.share(self.rank, self.worker)[0]))
        except ValueError as error:
            raise HeadwaterError(f"this state is broken: {error!r}") from error
        if int(np.count_nonzero(taken)) != self.given():
            raise HeadwaterError("this state is broken: it has taken more or fewer samples than it says")
        return replace(self, picks=Picks(taken))

    def _with_swaps(self, state: Mapping[str, Any]) -> "State":
        """With what a state says of what stands in others' places."""
        try:
            swaps = Swaps.from_dict(state, len(self.deal.share(self.rank, self.worker)[0]))
        except (KeyError, ValueError) as error:
            raise HeadwaterError(f"this state is broken: {error!r}") from error
        return replace(self, swaps=swaps)

    def given(self) -> int:
        """How many samples of its share this process has given."""
        ordinals, sizes = self.deal.share(self.rank, self.worker)
        return min(len(ordinals), int(sizes[: self.taken].sum()) if self.batched else self.taken)

    def done(self) -> Positions:
        """Positions that this process has given."""
        ordinals, count = self.deal.share(self.rank, self.worker)[0], self.given()
        return self.base.at(ordinals[:count] if self.picks is None else ordinals[self.picks.taken(count)])

    def same_run(self, other: "State") -> bool:
        """Whether both are of one run of an epoch, in different processes."""
        # Who has given nothing yet need not know whose turns are how long.
        deals = replace(self.deal, turn=1), replace(other.deal, turn=1)
        return deals[0] == deals[1] and (self.epoch, self.base, self.batched) == (
            other.epoch,
            other.base,
            other.batched,
        )


#: More positions than this are saved as bits.
LISTED = 1024


def _ahead_to(base: Remaining) -> Union[List[int], str]:
    """Positions that are done ahead of others, as a state has them."""
    if len(base.ahead) <= LISTED:
        return list(base.ahead)
    mask = np.zeros(base.length - base.position, dtype=np.bool_)
    mask[np.asarray(base.ahead) - base.position] = True
    return to_text(mask)


def _ahead_from(saved: Any, position: int, length: int) -> Tuple[int, ...]:
    """Positions of a state, sorted. ValueError for what cannot be those."""
    if not isinstance(saved, str):
        return tuple(sorted(int(each) for each in saved))
    if not 0 <= position <= length:
        raise ValueError(f"position {position} of {length}")
    return tuple((np.flatnonzero(from_text(saved, length - position)) + position).tolist())


def find_states(saved: Any) -> List[State]:
    """Every state of ours in what was saved, however deep: StatefulDataLoader puts them among its own."""
    return [State.from_dict(state) for state in _walk(saved)]


def _walk(saved: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(saved, Mapping):
        if MARK in saved:
            yield saved
            return
        for value in saved.values():
            yield from _walk(value)
    elif isinstance(saved, (list, tuple)):
        for value in saved:
            yield from _walk(value)


def merge(states: Sequence[State]) -> State:
    """One state from those of all workers, of all ranks or of one: then the others are taken to have taken as many
    steps.

    What comes of it stands for the whole: a single rank, and nothing taken beyond its base.
    """
    if not states:
        raise HeadwaterError("there is no state of headwater in what was given")
    first = states[0]
    for state in states:
        if not first.same_run(state):
            raise HeadwaterError("these states are of different runs, or epochs: give those that were saved together")
    deal = first.deal
    newest: Dict[Tuple[int, int], State] = {}
    for state in states:
        known = newest.get((state.rank, state.worker))
        if known is None or known.taken < state.taken:
            newest[state.rank, state.worker] = state
    ranks = {rank for rank, _ in newest}
    for rank in ranks:
        missing = [worker for worker in range(max(1, deal.workers)) if (rank, worker) not in newest]
        if missing:
            raise HeadwaterError(
                f"the state of worker {missing[0]} of rank {rank} is missing: give all of one loader's, or use steps="
            )
    if len(ranks) < deal.world and any(state.picks is not None for state in states):
        raise HeadwaterError(
            'with order="opportunistic" each rank takes what is cached first: '
            f"give the states of all {deal.world} ranks"
        )
    if len(ranks) < deal.world and any(state.swaps is not None for state in states):
        raise HeadwaterError(
            "with substitute= each rank gives what is cached in others' places: "
            f"give the states of all {deal.world} ranks"
        )
    if len(ranks) not in (1, deal.world):
        raise HeadwaterError(f"there are states of {len(ranks)} of {deal.world} ranks: give one rank's, or all")
    some = next(iter(ranks))
    everybody = [
        replace(newest[(rank if rank in ranks else some), worker], rank=rank)
        for rank in range(deal.world)
        for worker in range(max(1, deal.workers))
    ]
    left = first.base.without(np.concatenate([state.done() for state in everybody]))
    whole = Deal(len(left), 1, 0, 1, deal.drop_last)
    return replace(
        first, base=left, deal=whole, rank=0, worker=0, taken=0, picks=None, swaps=_swaps_of(everybody, left)
    )


def _swaps_of(everybody: Sequence[State], left: Remaining) -> Optional[Swaps]:
    """What all say of what is left; None where nobody says it."""
    parts = []
    for state in everybody:
        if state.swaps is not None:
            ordinals = state.deal.share(state.rank, state.worker)[0]
            parts.append((state.base.at(ordinals), state.swaps, state.given()))
    if not parts:
        return None
    return joined(parts, left.length).part(left.at(np.arange(len(left), dtype=np.int64)))


def merge_states(states: Any) -> Dict[str, Any]:
    """One state from whatever was saved: a dataset's `state_dict`, a StatefulDataLoader's, or a list of those of all
    ranks.

    It can be loaded with any number of workers and ranks. Where only one rank's is given, the others are taken to have
    done as many steps, as they have under DDP.
    """
    return merge(find_states(states)).to_dict()
