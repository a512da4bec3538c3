"""Lazy shards, after BiLevelCache: each place keeps to its own part of the dataset, so that a cache there fills once.

A place is a rank, a node or a disk. Shards are disjoint, cover the dataset, stay the same in every epoch, and differ in
size by one sample at most: which sizes fit is worked out here. What caches cannot hold is dealt anew in each epoch.
"""

from typing import Iterator, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from headwater._headwater import permute
from headwater.arguments import MOST_EPOCH, boolean, number, one_of, whole
from headwater.choices import MODES, Mode
from headwater.ranks import Place
from headwater.torches import Sampler as TorchSampler

#: Address of the shards' permutation: no epoch of a run.
SHARDS = 2**64 - 1


class ShardSampler(TorchSampler[int]):
    """Gives a rank the samples of its shard, shuffled anew in each epoch, and its part of what no shard holds.

    length        samples of the dataset: data.num_samples
    mode          who has a shard: each "rank", each "node" or each "disk"; ranks of one place share its shard
    places        nodes or disks over all ranks, for those modes. Ranks are theirs in order: with 8 ranks and 2 nodes
                  the first 4 are the first node's.
    fraction      of the dataset that one place's cache can hold; or
    bytes         of that cache. Without either, shards are as large as they must be
    sample_bytes  that a sample takes there: bytes needs it
    overflow      by how much of itself a shard may be larger than its cache: 0.1 for a tenth
    min_elements  samples that a shard has at least, whatever its cache holds
    seed          decides which samples are whose, and with the epoch their order
    shuffle       another order in each epoch; False: by index
    rank, world   default: torch.distributed's, else what torchrun, Slurm or MPI have set

    Give it to `DataLoader(MapDataset(...), sampler=...)`. Every rank must be given the same numbers.
    """

    def __init__(
        self,
        length: int,
        *,
        mode: Mode = "rank",
        places: Optional[int] = None,
        fraction: Optional[float] = None,
        bytes: Optional[int] = None,
        sample_bytes: Optional[float] = None,
        overflow: float = 0.0,
        min_elements: int = 0,
        seed: int = 0,
        shuffle: bool = True,
        rank: Optional[int] = None,
        world: Optional[int] = None,
    ) -> None:
        length, seed, min_elements = whole("length", length), whole("seed", seed), whole("min_elements", min_elements)
        self._mode, shuffle = one_of("mode", mode, MODES), boolean("shuffle", shuffle)
        self._overflow, self._min_elements = (
            number("overflow", overflow, 0, 1e9, "0 or more, such as 0.1 for a tenth"),
            min_elements,
        )
        self._given = None if places is None else whole("places", places, 1)
        if self._mode != "rank" and places is None:
            raise ValueError(f"places={places}: give the number of {self._mode}s, of which the ranks make a multiple")
        self._place = Place(rank, world)
        self._length, self._seed, self._shuffle, self._epoch = length, seed % 2**64, shuffle, 0
        self._capacity = _capacity(length, fraction, bytes, sample_bytes)
        if rank is not None:
            self._layout()

    def _layout(self) -> "Layout":
        """How the dataset lies over the places of the ranks that there are now."""
        rank, world = self._place.resolve()
        places = self._given or world
        if self._mode == "rank" and places != world:
            raise ValueError(f"places={places}: with mode='rank' every rank is one, and there are {world}")
        if world % places:
            raise ValueError(
                f"places={places}: give the number of {self._mode}s, of which {world} ranks make a multiple"
            )
        if self._length < places:
            raise ValueError(f"length={self._length}: {places} shards need a sample each")
        held = _held(self._length, places, self._capacity, self._overflow, self._min_elements)
        return Layout(rank, world, places, held)

    def set_epoch(self, epoch: int) -> None:
        """The next pass has this epoch's order, and its deal of what no shard holds."""
        self._epoch = whole("epoch", epoch, 0, MOST_EPOCH)

    @property
    def length(self) -> int:
        """How many samples the dataset has that the sampler was made for."""
        return self._length

    @property
    def place(self) -> int:
        """This rank's place, and so its shard."""
        layout = self._layout()
        return layout.rank // layout.ranks

    def shard(self, place: Optional[int] = None) -> npt.NDArray[np.uint64]:
        """Samples of a place's shard, sorted: the same in every epoch."""
        layout = self._layout()
        at = layout.rank // layout.ranks if place is None else whole("place", place, 0, layout.places - 1)
        return np.sort(self._in_order(layout.start(at), layout.start(at + 1)))

    def rest(self) -> npt.NDArray[np.uint64]:
        """Samples that no shard holds, sorted."""
        return np.sort(self._in_order(self._layout().held, self._length))

    def samples(self, rank: Optional[int] = None) -> npt.NDArray[np.uint64]:
        """The samples of this rank in this epoch, in order. All ranks together have each sample once."""
        layout = self._layout()
        mine = layout.rank if rank is None else whole("rank", rank, 0, layout.world - 1)
        place, within = divmod(mine, layout.ranks)
        shard = self._shuffled(self.shard(place), place)
        rest = self._shuffled(self.rest(), layout.places)
        # Who has the fewest of a shard is dealt the rest first, so that ranks differ by one sample at most.
        fewest = sorted(range(layout.world), key=layout.own)
        mixed = np.concatenate([shard[within :: layout.ranks], rest[fewest.index(mine) :: layout.world]])
        return self._shuffled(mixed, layout.places + 1 + mine) if self._shuffle else np.sort(mixed)

    def __len__(self) -> int:
        return len(self.samples())

    def __iter__(self) -> Iterator[int]:
        return iter(self.samples().tolist())

    def __repr__(self) -> str:
        rank, world = self._place.resolve()
        return (
            f"<headwater.ShardSampler of {self._length} samples, mode {self._mode}, rank {rank} of {world}, "
            f"epoch {self._epoch}>"
        )

    def epoch_indices(self, epoch: int) -> npt.NDArray[np.uint64]:
        """Not for IterableDataset, which deals samples to ranks itself."""
        raise ValueError(
            "IterableDataset deals samples to ranks by itself: give a ShardSampler to DataLoader(MapDataset(...), "
            "sampler=...), or this rank's shard to IterableDataset(..., indices=sampler.shard(), rank=0, world=1)"
        )

    def _in_order(self, start: int, stop: int) -> npt.NDArray[np.uint64]:
        return permute(self._length, self._seed, SHARDS, np.arange(start, stop, dtype=np.uint64))

    def _shuffled(self, samples: npt.NDArray[np.uint64], what: int) -> npt.NDArray[np.uint64]:
        if not self._shuffle:
            return samples
        places = np.arange(len(samples), dtype=np.uint64)
        return samples[permute(len(samples), (self._seed + 1 + what) % 2**64, self._epoch, places)]


class Layout(NamedTuple):
    """How the dataset lies over places."""

    rank: int
    world: int
    places: int
    #: Samples of all shards together; what is behind them in the shards' order is dealt anew.
    held: int

    @property
    def ranks(self) -> int:
        """How many ranks a place has."""
        return self.world // self.places

    def start(self, place: int) -> int:
        """Where a place's shard begins, in the shards' order."""
        return self.held * place // self.places

    def own(self, rank: int) -> int:
        """Samples that a rank has of its shard."""
        place, within = divmod(rank, self.ranks)
        return len(range(within, self.start(place + 1) - self.start(place), self.ranks))


def _capacity(
    length: int, fraction: Optional[float], bytes: Optional[int], sample_bytes: Optional[float]
) -> Optional[float]:
    """How many samples one place's cache holds; None where nobody said."""
    if fraction is not None and bytes is not None:
        raise ValueError("give fraction= or bytes=, not both: each says what a cache holds")
    if fraction is not None:
        return length * number(
            "fraction", fraction, 0, 1, "the part of the dataset that a cache holds, between 0 and 1"
        )
    if bytes is not None:
        if sample_bytes is None:
            raise ValueError(
                "bytes= needs sample_bytes=, what a sample takes in the cache: 602112 for f32 [3, 224, 224]"
            )
        what = "what a sample takes in the cache, more than 0: 602112 for f32 [3, 224, 224]"
        return whole("bytes", bytes) / number("sample_bytes", sample_bytes, 1e-9, 1e15, what)
    if sample_bytes is not None:
        raise ValueError("sample_bytes= is for bytes=, what a cache holds: give both, or neither")
    return None


def _held(length: int, places: int, capacity: Optional[float], overflow: float, min_elements: int) -> int:
    """Samples of all shards: as many as fit, the same for each place, and never more than there are."""
    if capacity is None:
        return length
    each = max(int(capacity * (1 + overflow)), min_elements)
    return min(length, each * places)
