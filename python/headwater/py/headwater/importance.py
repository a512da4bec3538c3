"""Sampling by importance, after iCache: samples that are learnt already come less often.

iCache (HPCA 2023) takes a sample with the probability of its loss's percentile to the power beta, as Selective-Backprop
(Jiang and others, 2019) does. Here the choice belongs to samples, and not to their positions in a shuffled epoch; the
hardest samples have percentile 1 and are always taken; and each sample's probability is known, so that a weighted mean
can be unbiased.
"""

from typing import Any, Dict, Iterator, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError, permute
from headwater.arguments import MOST_EPOCH, indices_of, number, whole
from headwater.ranks import Place
from headwater.torches import Sampler as TorchSampler
from headwater.torches import as_array, numbers_of, torch


class ImportanceSampler(TorchSampler[int]):
    """Chooses the samples of each epoch by the losses that `update` was told.

    length   samples of the dataset: data.num_samples (and not len(data), which counts batches where the dataset makes
             them)
    beta     0 takes all samples; the higher, the fewer easy ones. A sample whose loss is above q of all others' is
             taken with the probability q ** beta.
    warm_up  epochs at the start that take all samples
    reuse    epochs that a choice lasts
    seed     with the epoch it decides which samples are drawn, and their order: the same on every rank
    rank, world
             default: torch.distributed's, else torchrun's

    Give it to `DataLoader(MapDataset(...), sampler=...)` or `IterableDataset(..., sampler=...)`; call `set_epoch`
    before each epoch and `update` after each batch. Under torch.distributed all ranks make the same choice: `set_epoch`
    exchanges their losses.
    """

    def __init__(
        self,
        length: int,
        *,
        beta: float = 1.0,
        warm_up: int = 1,
        reuse: int = 1,
        seed: int = 0,
        rank: Optional[int] = None,
        world: Optional[int] = None,
    ) -> None:
        length, seed = whole("length", length, 1), whole("seed", seed)
        warm_up, reuse = whole("warm_up", warm_up), whole("reuse", reuse, 1)
        beta = number("beta", beta, 0, 1e9, "0 (all samples) or more")
        self._ranks = Place(rank, world)
        self._length, self._beta, self._warm_up, self._reuse, self._seed = length, beta, warm_up, reuse, seed
        self._losses = np.full(length, np.nan, dtype=np.float32)
        #: Whether a sample's loss is new since the last exchange.
        self._news: npt.NDArray[np.bool_] = np.zeros(length, dtype=np.bool_)
        self._epoch = 0
        #: The epoch since which the probabilities hold.
        self._since = -1
        self._probabilities = np.ones(length, dtype=np.float64)

    @property
    def length(self) -> int:
        """How many samples the dataset has that the sampler was made for."""
        return self._length

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def losses(self) -> npt.NDArray[np.float32]:
        """The latest loss of each sample; NaN where none is known. A copy."""
        return self._losses.copy()

    def update(self, indices: Any, losses: Any) -> None:
        """The losses of these samples, as trained on just now: arrays, lists or tensors on any device."""
        which, new = self._known(indices), as_array(losses, np.float32)
        if len(which) != len(new):
            raise ValueError(f"{len(which)} samples and {len(new)} losses: give one loss for each (reduction='none')")
        if not np.isfinite(new).all():
            raise ValueError(
                "a loss is not a finite number: see where it comes from before it decides what is trained on"
            )
        self._losses[which] = new
        self._news[which] = True

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch: exchanges losses among ranks, and makes a new choice where one is due."""
        epoch = whole("epoch", epoch, 0, MOST_EPOCH)
        self._exchange()
        self._epoch = epoch
        since = self._drawn_at(epoch)
        if since != self._since:
            self._since = since
            self._probabilities = self._percentiles() ** self._beta if since >= self._warm_up else np.ones(self._length)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """The probability with which each sample is taken in this epoch. A copy."""
        return self._probabilities.copy()

    def weights(self, indices: Any) -> npt.NDArray[np.float32]:
        """1 / probability of these samples: sum(weights * losses) / len(dataset) is an unbiased estimate of the mean
        loss.
        """
        weights: npt.NDArray[np.float32] = (1.0 / self._probabilities[self._known(indices)]).astype(np.float32)
        return weights

    def flags(self) -> npt.NDArray[np.bool_]:
        """Whether each sample is taken in this epoch."""
        draws = np.random.Generator(np.random.Philox(key=[self._seed % 2**64, self._drawn_at(self._epoch)]))
        taken: npt.NDArray[np.bool_] = draws.random(self._length) < self._probabilities
        return taken

    def epoch_indices(self, epoch: int) -> npt.NDArray[np.uint64]:
        """The samples of this epoch over all ranks, in the epoch's order."""
        if epoch != self._epoch:
            raise HeadwaterError(
                f"the sampler is at epoch {self._epoch}, and epoch {epoch} is asked for: call its set_epoch too"
            )
        taken = np.flatnonzero(self.flags()).astype(np.uint64)
        places = permute(len(taken), self._seed % 2**64, epoch, np.arange(len(taken), dtype=np.uint64))
        return taken[places]

    def __len__(self) -> int:
        """How many samples this rank has in this epoch."""
        return -(-int(np.count_nonzero(self.flags())) // self._ranks.resolve()[1])

    def __iter__(self) -> Iterator[int]:
        order = self.epoch_indices(self._epoch)
        # As DistributedSampler: ranks take as many steps, so a few samples at the end come twice.
        rank, world = self._ranks.resolve()
        order = np.resize(order, len(self) * world)
        return iter(order[rank::world].tolist())

    def __repr__(self) -> str:
        return f"<headwater.ImportanceSampler of {self._length} samples, beta {self._beta:g}, epoch {self._epoch}>"

    def state_dict(self) -> Dict[str, Any]:
        """What `load_state_dict` takes: losses, probabilities and epoch."""
        return {"losses": self._losses.copy(), "probabilities": self._probabilities.copy(), **self._place()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        missing = {"losses", "probabilities", "epoch", "since"} - set(state if isinstance(state, dict) else ())
        if missing:
            raise HeadwaterError(f"this is no state of an ImportanceSampler: it has no {', '.join(sorted(missing))}")
        losses, probabilities = as_array(state["losses"], np.float32), as_array(state["probabilities"], np.float64)
        if len(losses) != self._length or len(probabilities) != self._length:
            raise HeadwaterError(f"this state is of {len(losses)} samples, and this sampler of {self._length}")
        self._losses, self._probabilities = losses.copy(), probabilities.copy()
        self._epoch, self._since = int(state["epoch"]), int(state["since"])
        self._news[:] = False

    def _known(self, indices: Any) -> npt.NDArray[np.uint64]:
        """Indices as an array. IndexError where there is no such sample."""
        which = indices_of(numbers_of(indices))
        if len(which) and which.max() >= self._length:
            raise IndexError(f"there is no sample {int(which.max())}: this sampler was made for {self._length}")
        return which

    def _place(self) -> Dict[str, int]:
        return {"epoch": self._epoch, "since": self._since}

    def _drawn_at(self, epoch: int) -> int:
        """The epoch in which the choice of this epoch's samples was made."""
        if epoch < self._warm_up:
            return epoch
        return epoch - (epoch - self._warm_up) % self._reuse

    def _percentiles(self) -> npt.NDArray[np.float64]:
        """The percentile of each sample's loss among those that are known; 1 for the highest loss, and where none is
        known.
        """
        percentiles = np.ones(self._length, dtype=np.float64)
        known = np.flatnonzero(~np.isnan(self._losses))
        if len(known):
            ordered = np.sort(self._losses[known])
            # Equal losses are equally important.
            percentiles[known] = np.searchsorted(ordered, self._losses[known], side="right") / len(known)
        return percentiles

    def _exchange(self) -> None:
        """Gives every rank's new losses to every rank."""
        if self._ranks.resolve()[1] == 1:
            return
        for which, losses in _gathered(self._news, self._losses):
            self._losses[which] = losses
        self._news[:] = False


def _gathered(news: npt.NDArray[np.bool_], losses: npt.NDArray[np.float32]) -> Tuple[Any, ...]:
    distributed = None if torch is None else torch.distributed
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        raise HeadwaterError(
            "losses of several ranks are exchanged through torch.distributed: initialise it before set_epoch"
        )
    which = np.flatnonzero(news)
    everybody: Any = [None] * distributed.get_world_size()
    distributed.all_gather_object(everybody, (which, losses[which]))
    return tuple(everybody)
