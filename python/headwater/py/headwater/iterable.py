"""A dataset that streams: the fast way."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Sequence, Tuple, overload

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.arguments import MOST_EPOCH, boolean, whole
from headwater.choices import Cut, Field, OnError, Output, Pixels
from headwater.identity import recognised
from headwater.order import Order
from headwater.progress import Deal, Remaining, State, find_states, merge
from headwater.reader import Reader, Servers, sizes_for
from headwater.selection import Selection
from headwater.served import Served
from headwater.source import Source
from headwater.torches import IterableDataset as TorchIterableDataset
from headwater.torches import rank_and_world, worker_of
from headwater.typed import AnyStreaming, OfTorch, S, Streaming

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import Unpack


class IterableDataset(Served, TorchIterableDataset[S]):
    """The samples of a dataset on storage servers, in a shuffled order that every rank and worker computes for itself.

    With `batch_size` it gives batches (use `DataLoader(data, batch_size=None)`), and every rank as many; without, samples.
    Each sample of an epoch is given exactly once over all ranks and workers. Call `set_epoch` before each epoch, as with
    DistributedSampler: order, crops and flips depend on (seed, epoch) alone.

    What is read:

    servers      "host:port,host:port", or a list
    dataset      its name at the servers
    recipe       one in the box, a TOML file, a Recipe, or transforms of torchvision or timm; what a Compose has behind what servers
                 can run is run here, on what torchvision would have given it
    model        for cut="features": a model that is registered at the servers
    indices      only these samples of the dataset: whole numbers, or a mask with a boolean for each sample
    classes      only samples of these classes: a list of names, and labels are positions in it
    fields       what a sample is: some of "image", "label", "key", "index". Without "image" no photo is fetched, and none can fail
    output       "tensor": f32 [3, h, w]; "pixels": the u8 [h, w, 3] that it is made from; "numpy": the tensor as a NumPy
                 array, also where PyTorch is installed (of which a DataLoader makes tensors again)
    transform    is run on each image after the recipe, and after what of a Compose is run here
    target_transform
                 is run on each label

    Order and batches:

    batch_size   samples of a batch: then give DataLoader(data, batch_size=None). Default: single samples
    drop_last    leaves out what is left at an epoch's end and makes no whole step of all ranks
    shuffle      another order in each epoch; False: that of the dataset, by key
    seed         with the epoch and a sample's key it decides order, crops and flips: the same seed gives the same run
    sampler      chooses the samples of each epoch: an ImportanceSampler, or an object with epoch_indices(epoch)
    rank, world  default: torch.distributed's, else torchrun's

    How samples travel; the tensors are the same:

    cut          how far the servers take samples: see CUTS, or SOPHON's no-off, resize-off, all-off. Default: jpeg-crop
    plan         a cut for each sample: a file of `profiler plan`, which with cut="sophon" or "optimal" must be of that algorithm; or
                 "auto": the dataset is profiled a little here and now, and planned anew when what epochs see leaves what was
                 predicted. Under torch.distributed rank 0 measures for all, so that all ranks must make the dataset
    profile_seconds
                 time that plan="auto" may take to measure. Default: a twentieth of what an epoch is estimated to take. Where that is too
                 short for a profile, photos come as they are stored, and `data.plan` says static:encoded
    pixels       "lossless" has pixels coded on the wire: half the bytes, for some CPU on both sides
    limit_bandwidth
                 most that this rank receives, such as "430Mbps", shared by its workers

    What fails:

    on_error     "raise" SampleError, "skip" the sample, or "substitute" its neighbour; both are counted in counters(). A batch that
                 skipping would leave empty gets one substitute, so that all ranks take as many steps
    allow_partial
                 goes on without the samples of partitions that no server serves; without it they are a ServerError
    connect_for  seconds to wait for a server at the start
    patience     seconds to wait for a server that was there before

    What it may use:

    prefetch     batches that are made ahead, in each worker
    threads      threads that finish recipes, in each process; 0: the cores, shared among ranks and workers
    streams      calls at once to each server
    window       bytes of payloads that may wait here
    """

    # fmt: off
    @overload
    def __init__(self: "IterableDataset[Tuple[Tensor, Tensor]]", servers: Servers, dataset: str, recipe: Any = ..., *,
                 batch_size: int, output: OfTorch = ..., **settings: "Unpack[Streaming]") -> None: ...
    @overload
    def __init__(self: "IterableDataset[Tuple[Tensor, int]]", servers: Servers, dataset: str, recipe: Any = ..., *,
                 batch_size: None = ..., output: OfTorch = ..., **settings: "Unpack[Streaming]") -> None: ...
    @overload
    def __init__(self: "IterableDataset[Any]", servers: Servers, dataset: str, recipe: Any = ...,
                 **settings: "Unpack[AnyStreaming]") -> None: ...
    # fmt: on

    def __init__(
        self,
        servers: Servers,
        dataset: str,
        recipe: Any = None,
        *,
        cut: Optional[Cut] = None,
        plan: Optional[Any] = None,
        profile_seconds: Optional[float] = None,
        model: Optional[str] = None,
        batch_size: Optional[int] = None,
        drop_last: bool = False,
        shuffle: bool = True,
        seed: int = 0,
        output: Output = "tensor",
        pixels: Pixels = "raw",
        fields: Sequence[Field] = ("image", "label"),
        indices: Optional[Any] = None,
        classes: Optional[Sequence[str]] = None,
        sampler: Optional[Any] = None,
        on_error: OnError = "raise",
        transform: Optional[Callable[[Any], Any]] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
        rank: Optional[int] = None,
        world: Optional[int] = None,
        prefetch: int = 2,
        streams: int = 2,
        window: int = 64 << 20,
        threads: int = 0,
        connect_for: float = 10.0,
        patience: float = 60.0,
        limit_bandwidth: Optional[str] = None,
        allow_partial: bool = False,
    ) -> None:
        super().__init__()
        if batch_size is not None:
            batch_size = whole("batch_size", batch_size, 1)
        seed, prefetch = whole("seed", seed), whole("prefetch", prefetch, 1, 4096)
        drop_last = boolean("drop_last", drop_last)
        if (rank is None) != (world is None):
            raise ValueError("give rank and world together, or neither")
        found = rank_and_world() if rank is None or world is None else (rank, world)
        found = whole("rank", found[0]), whole("world", found[1], 1)
        if found[0] >= found[1]:
            raise ValueError(f"rank={found[0]} is not one of world={found[1]}")
        self._rank, self._world = found
        source = Source(
            servers,
            dataset,
            streams=streams,
            window=window,
            threads=threads,
            connect_for=connect_for,
            patience=patience,
            limit_bandwidth=limit_bandwidth,
            allow_partial=allow_partial,
        )
        selection = Selection(source, indices=indices, classes=classes, target_transform=target_transform)
        self._reader = Reader(
            source,
            selection,
            recipe=recipe,
            cut=cut,
            plan=plan,
            model=model,
            output=output,
            pixels=pixels,
            seed=seed,
            fields=fields,
            on_error=on_error,
            transform=transform,
            rank=self._rank,
            world=self._world,
            repeats=False,
            profile_seconds=profile_seconds,
        )
        self._batch_size = batch_size
        self._drop_last = drop_last
        self._prefetch = prefetch
        self._order = Order(source, selection, seed=seed, shuffle=shuffle, indices=indices, sampler=sampler)
        self._resumed: Optional[State] = None
        self._at: Optional[State] = None

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch: another order, other crops. Reaches workers that are already running."""
        epoch = whole("epoch", epoch, 0, MOST_EPOCH)
        if epoch != self.epoch:
            self._reader.shared.begin()
            self._at = None
        self._reader.shared.epoch = epoch

    def __len__(self) -> int:
        """What one iteration of this rank gives: batches, or samples; after `load_state_dict` what is left of the epoch."""
        deal = Deal(len(self._left(0)), self._world, 0, self._batch_size or 1, self._drop_last)
        return deal.rounds if self._batch_size else deal.samples(self._rank)

    def __iter__(self) -> Iterator[S]:
        self._at = state = self._begin()
        ordinals, sizes = state.deal.share(self._rank, state.worker)
        given = int(sizes[: state.taken].sum()) if state.batched else state.taken
        indices = self._order.samples(state.epoch.epoch, state.base.at(ordinals[given:]))
        arrays = sizes[state.taken :].astype(np.uint64) if state.batched else sizes_for(len(indices))
        return self._give(state, indices, arrays)

    def _begin(self) -> State:
        """Where this process's share of the epoch begins."""
        worker, workers = worker_of()
        own = self._own_state(worker, workers)
        if own is not None:
            return own
        left = self._left(workers)
        deal = Deal(len(left), self._world, workers, self._batch_size or 1, self._drop_last)
        epoch = self._order.epoch(self.epoch, left.length)
        return State(epoch, left, deal, self._rank, worker, 0, bool(self._batch_size))

    def _give(self, state: State, indices: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64]) -> Iterator[Any]:
        reader, taken = self._reader, state.taken
        read = reader.read(indices, sizes, state.epoch.epoch, max(1, self._prefetch), singles=not state.batched)
        for rows, size in zip(read, sizes.tolist()):
            if state.batched:
                taken += 1
                self._at = replace(state, taken=taken)
                yield reader.give_batch(rows)
                continue
            places = rows.places if rows.places is not None else range(size)
            for at, place in enumerate(places):
                # Those behind the last that are skipped are given with it.
                self._at = replace(state, taken=taken + (place + 1 if at + 1 < len(places) else size))
                yield reader.give(rows, at)
            taken += size
            self._at = replace(state, taken=taken)
        reader.shared.finish()

    def state_dict(self, steps: Optional[int] = None) -> Dict[str, Any]:
        """Where the epoch stands.

        In the process that iterates: after the samples that it has given. Beside a DataLoader with workers, whose batches are
        fetched ahead, `steps` says how many batches each rank has taken since this iteration began.
        """
        if steps is None and self._at is not None:
            return self._at.to_dict()
        if steps is None and worker_of()[1]:
            return self._begin().to_dict()
        if steps is None and self._reader.shared.by_workers("samples"):
            raise HeadwaterError(
                "the workers of a DataLoader fetch ahead, so that only you know what was used: give steps=, the batches that "
                "each rank has taken, or use torchdata's StatefulDataLoader"
            )
        if steps is not None:
            steps = whole("steps", steps)
        left = self._left(0)
        deal = Deal(len(left), self._world, 0, self._batch_size or 1, self._drop_last)
        batched = bool(self._batch_size)
        if steps and not batched:
            raise HeadwaterError("steps= counts batches: let the dataset make them, with batch_size=")
        state = State(self._order.epoch(self.epoch, left.length), left, deal, self._rank, 0, steps or 0, batched)
        return state.to_dict()

    def load_state_dict(self, state: Any) -> None:
        """Goes on where a state stands: that of `state_dict`, `merge_states` or a StatefulDataLoader, or a list of all ranks'.

        The rest of the epoch is dealt to the ranks and workers that there are now. Where they are as many as before, the order is
        that of a run that was never stopped.
        """
        found = find_states(state)
        worker, workers = worker_of()
        # In a worker: StatefulDataLoader gives each its own state back. Elsewhere: the whole epoch's.
        resumed = found[0] if workers and len(found) == 1 and found[0].deal.workers == workers else merge(found)
        mine = self._order.epoch(resumed.epoch.epoch, resumed.epoch.length)
        resumed = replace(resumed, epoch=recognised(resumed.epoch, mine))
        if workers and resumed.deal.workers == workers and (resumed.rank, resumed.worker) != (self._rank, worker):
            raise HeadwaterError(
                f"this state is that of worker {resumed.worker} of rank {resumed.rank}, and this is worker {worker} of rank "
                f"{self._rank}: load what merge_states makes of all of them before the DataLoader is made"
            )
        self._resumed = resumed
        self._at = None
        if not workers:
            self._reader.shared.begin()
            self._reader.shared.epoch = resumed.epoch.epoch

    def _left(self, workers: int) -> Remaining:
        """Of the epoch: all, or what a state has left, until that has been given to its end."""
        resumed = self._resumed
        if resumed is not None and resumed.epoch.epoch == self.epoch and resumed.taken == 0:
            if not self._reader.shared.finished(workers):
                return resumed.base
        return Remaining(self._order.length(self.epoch))

    def _own_state(self, worker: int, workers: int) -> Optional[State]:
        """A state that StatefulDataLoader has given this very worker."""
        resumed = self._resumed
        if resumed is None or resumed.taken == 0 or resumed.epoch.epoch != self.epoch:
            return None
        if not workers or self._reader.shared.finished(workers):
            return None
        same = (resumed.deal.world, resumed.deal.workers, resumed.deal.block) == (
            self._world,
            workers,
            self._batch_size or 1,
        )
        if not same:
            raise HeadwaterError(
                "this state was saved with other numbers of ranks or another batch size: load what merge_states makes of it "
                "before the DataLoader is made"
            )
        return resumed

