"""A dataset that streams: the fast way."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Sequence, Tuple, overload

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.announcer import Announcer, Telling
from headwater.arguments import boolean, one_of, whole
from headwater.access import Tls, Token
from headwater.choices import ORDERINGS, Cut, FieldNames, OnError, Ordering, Output, Pixels, Priority
from headwater.failures import Rows
from headwater.generations import Generations
from headwater.job import Job
from headwater.ledger import Ledger
from headwater.limits import Limits
from headwater.opportunity import Opportunity, chained, window_of
from headwater.order import Order
from headwater.picks import Log, Picks
from headwater.progress import State
from headwater.ranks import Place
from headwater.reader import Reader, Servers, sizes_for
from headwater.resident import in_parts
from headwater.served import Served
from headwater.substitution import LEAST, Substitutes, lowest, refuse_inference, said, share_of
from headwater.swaps import Swaps
from headwater.torches import IterableDataset as TorchIterableDataset
from headwater.torches import batch_asked_for, worker_of
from headwater.typed import AnyStreaming, OfTorch, S, Streaming

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import Unpack


class IterableDataset(Served, TorchIterableDataset[S]):
    """The samples of a dataset on storage servers, in a shuffled order that every rank and worker computes for itself.

    With `batch_size` it gives batches (use `DataLoader(data, batch_size=None)`), and every rank as many; without,
    samples. Each sample of an epoch is given exactly once over all ranks and workers. Every pass is of the next epoch,
    unless `set_epoch` says which: order, crops and flips depend on (seed, epoch) alone.

    What is read:

    servers      "host:port,host:port", or a list; "@FILE", "dns:///name:port" and "etcd://host:port/prefix" find them
    dataset      its name at the servers
    recipe       one in the box, a TOML file, a Recipe, or transforms of torchvision or timm; what a Compose has behind
                 what servers can run is run here, on what torchvision would have given it
    model        for cut="features": a model that is registered at the servers
    indices      only these samples of the dataset: whole numbers, or a mask with a boolean for each sample
    classes      only samples of these classes: a list of names, and labels are positions in it
    where        only samples of which models said so (tuner relabel), such as "label = 'Banana' and score > 0.9": label
                 = 'A', label in ('A', 'B'), score >, >=, <, <=, model = 'M', digest = 'D', joined by `and`. The servers
                 are asked once, here
    fields       what a sample is: some of "image", "label", "key", "index", "replaced" (see substitute), and of the
                 dataset's own fields, such as "caption" (data.fields). Without "image" no photo is fetched, and none
                 can fail
    output       "tensor": f32 [3, h, w]; "pixels": the u8 [h, w, 3] that it is made from; "numpy": the tensor as a
                 NumPy array, also where PyTorch is installed (of which a DataLoader makes tensors again)
    transform    is run on each image after the recipe, and after what of a Compose is run here
    target_transform
                 is run on each label

    Order and batches:

    batch_size   samples of a batch: then give DataLoader(data, batch_size=None). Default: single samples
    drop_last    leaves out what is left at an epoch's end and makes no whole step of all ranks
    shuffle      another order in each epoch; False: that of the dataset, by key
    order        "opportunistic": of the next `order_window` positions, what servers have cached comes first. It is for
                 several jobs that read one slow origin: each takes what another has just brought. Every sample still
                 comes once an epoch, with the same tensor; which come together in a batch differs from run to run
    order_window
                 positions among which it chooses. Default: half of the epoch
    substitute   the part of the samples, at most 0.5, that is of low importance: those of the lowest losses that were
                 reported. Where one of them is not cached at the servers, another one of them is given in its place
                 that is, at most once an epoch. Then not every sample comes in every epoch. The field "replaced" says
                 of each sample in whose place it is, by index; -1: in its own. It is for training from a slow origin,
                 and never for inference. Default: every sample comes itself
    seed         with the epoch and a sample's key it decides order, crops and flips: the same seed gives the same run
    sampler      chooses the samples of each epoch: an ImportanceSampler, or an object with epoch_indices(epoch)
    rank, world  default: torch.distributed's, else what torchrun, Slurm or MPI have set; asked for when a pass begins

    How samples travel; the tensors are the same:

    cut          how far the servers take samples: see CUTS, or SOPHON's no-off, resize-off, all-off. Default: jpeg-crop
    plan         a cut for each sample: a file of `profiler plan`, which with cut="sophon" or "optimal" must be of that
                 algorithm; or "auto": the dataset is profiled a little here and now, and planned anew when what epochs
                 see leaves what was predicted. Under torch.distributed rank 0 measures for all, so that all ranks must
                 make the dataset
    profile_seconds
                 time that plan="auto" may take to measure. Default: a twentieth of what an epoch is estimated to take.
                 Where that is too short for a profile, photos come as they are stored, and `data.plan` says
                 static:encoded
    pixels       "lossless" has pixels coded on the wire: half the bytes, for some CPU on both sides
    limit_bandwidth
                 most that this rank receives, such as "430Mbps", shared by its workers

    What fails:

    on_error     "raise" SampleError, "skip" the sample, or "substitute" its neighbour; both are counted in counters().
                 A batch that skipping would leave empty gets one substitute, so that all ranks take as many steps
    allow_partial
                 goes on without the samples of partitions that no server serves; without it they are a ServerError
    allow_non_finite
                 takes features that are not finite (NaN or an infinity) too; without it their samples fail
    tls          reaches servers by TLS: {"ca": FILE}, and {"cert": FILE, "key": FILE} where they ask for a certificate;
                 the files are in PEM, and read anew when they change
    token        shows servers this token, a text; or the first line of a file, a pathlib.Path
    connect_for  seconds to wait for a server at the start
    patience     seconds to wait for a server that was there before

    What it may use:

    prefetch     batches that are made ahead, in each worker
    threads      threads that finish recipes, in each process; 0: the cores, shared among ranks and workers
    streams      calls at once to each server
    priority     "high", "normal" or "low": how much the calls count on servers beside those of others, where memory or
                 cores are short; eight times as much as those of the next lower priority
    hedge        asks another server of a partition too for samples that one keeps waiting for longer than 99 of 100
                 calls wait, of at most one answer in a hundred; the first that answers is read on
    window       bytes of payloads that may wait here
    limits       headwater.Limits(max_pixels=...): what a photo may be here. Default: what each server says
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
        order: Ordering = "seeded",
        order_window: Optional[int] = None,
        substitute: Optional[float] = None,
        seed: int = 0,
        output: Output = "tensor",
        pixels: Pixels = "raw",
        fields: FieldNames = ("image", "label"),
        indices: Optional[Any] = None,
        classes: Optional[Sequence[str]] = None,
        where: Optional[str] = None,
        sampler: Optional[Any] = None,
        on_error: OnError = "raise",
        transform: Optional[Callable[[Any], Any]] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
        rank: Optional[int] = None,
        world: Optional[int] = None,
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
        super().__init__()
        if batch_size is not None:
            batch_size = whole("batch_size", batch_size, 1)
        self._prefetch = whole("prefetch", prefetch, 1, 4096)
        self._picks = one_of("order", order, ORDERINGS) == "opportunistic"
        self._window = None if order_window is None else whole("order_window", order_window, 1)
        if self._window is not None and not self._picks:
            raise ValueError(
                f'order_window={order_window} is for order="opportunistic": give that too, or leave it out'
            )
        self._share = share_of(
            substitute,
            order=order,
            shuffle=boolean("shuffle", shuffle),
            sampler=sampler,
            model=model,
            cut=cut,
            fields=fields,
        )
        place, drop_last = Place(rank, world), boolean("drop_last", drop_last)
        # The reader takes its keywords out of all of them, each by its name.
        self._reader = reader = Reader(locals(), place, repeats=False)
        self._order = Order(
            reader.source, reader.selection, seed=reader.reading.seed, shuffle=shuffle, indices=indices, sampler=sampler
        )
        uneven = 'on_error="skip" leaves samples out' if on_error == "skip" else None
        fixed = "samples were chosen by number (indices=, sampler=)" if self._order.is_by_number else None
        fixed = fixed or ("plan= was made for it" if reader.plan.is_of_generation else None)
        recipe_digest = None if reader.reading.recipe is None else reader.reading.recipe.digest
        chosen = (classes, where)
        subject: Tuple[Any, ...] = (reader.source.servers, dataset, seed, shuffle, *chosen, batch_size, recipe_digest)
        if self._share is not None:
            # Servers keep for each job which samples are of low importance to it.
            subject = (*subject, self._share)
        self._generations = Generations(reader.source, fixed=fixed, subject=subject)
        self._announcer = Announcer(reader.source, Job((*subject, reader.selection.mark)), reader.tallies)
        self._log = Log('order="opportunistic"') if self._picks else None
        self._swapped = Log(f"substitute={self._share}") if self._share is not None else None
        heed = self._announcer.heed if self._share is None else partial(_heed_training, self._share, self._announcer)
        self._ledger = Ledger(
            self._order,
            place,
            self._generations,
            batch_size=batch_size,
            drop_last=drop_last,
            uneven=uneven,
            heed=heed,
            log=self._log,
            swapped=self._swapped,
        )

    def set_epoch(self, epoch: int) -> None:
        """The next pass is of this epoch: order and crops. This reaches workers that are already running.

        A pass that has begun, and so every DataLoader's iterator that has been made, keeps its own. Passes of which
        nothing is said are of one epoch after the other.
        """
        self._ledger.set_epoch(epoch)

    @property
    def epoch(self) -> int:
        """The epoch of the pass under way; before the first pass, and after `set_epoch`, the epoch of the next."""
        return self._ledger.epoch

    @property
    def remaining(self) -> int:
        """How many batches, or samples, this rank still gets of the pass that this process reads, or else of the next.
        They are fewer than `len` after a state was loaded.
        """
        return self._ledger.remaining()

    @property  # type: ignore[misc]  # Nobody sets it.
    def __class__(self) -> Any:
        """The dataset's class. Torch asks for it, once, where workers that stay begin another pass: see Ledger.heed."""
        ledger = self.__dict__.get("_ledger")
        if ledger is not None:
            ledger.heed()
        return type(self)

    def __len__(self) -> int:
        """How many batches, or samples, a whole epoch gives this rank."""
        return self._ledger.steps()

    def __iter__(self) -> Iterator[S]:
        try:
            return self._pass(self._ledger.begin())
        except Exception as error:
            if not worker_of()[1]:
                raise
            # Torch hands on what a worker raises when it is asked for samples; here it would just end.
            return _failed(error)

    def _pass(self, state: State) -> Iterator[Any]:
        if state.batched or state.deal.workers < 2:
            return self._dealt(state)
        return self._turned(state)

    def _turned(self, state: State) -> Iterator[Any]:
        """Single samples for one of several workers. DataLoader's batch size is known when the first sample is asked
        for.
        """
        yield from self._dealt(self._ledger.turn(state, batch_asked_for()))

    def _dealt(self, state: State) -> Iterator[Any]:
        if self._picks or state.picks is not None:
            return self._picked(state)
        if self._share is not None:
            return self._substituted(state, self._share)
        epoch = state.epoch.epoch
        ordinals, sizes = state.deal.share(state.rank, state.worker)
        given = int(sizes[: state.taken].sum()) if state.batched else state.taken
        positions = state.base.at(ordinals[given:])
        indices, draws = self._order.samples(epoch, positions), self._order.draws(epoch, positions)
        arrays = sizes[state.taken :].astype(np.uint64) if state.batched else sizes_for(len(indices))
        read = self._reader.read(indices, arrays, draws, self._prefetch, singles=not state.batched)
        return self._give(state, read, arrays)

    def _picked(self, state: State) -> Iterator[Any]:
        """What is left of a share, what servers have cached first."""
        ordinals, sizes = state.deal.share(state.rank, state.worker)
        positions, epoch = state.base.at(ordinals), state.epoch.epoch
        picks = self._picks_of(state, len(ordinals))
        indices, draws = self._order.samples(epoch, positions), self._order.draws(epoch, positions)
        left = sizes[state.taken :].astype(np.uint64) if state.batched else sizes_for(len(ordinals) - len(picks))
        window = window_of(self._window or -(-state.epoch.length // 2), len(ordinals), state.epoch.length)

        def parts() -> Iterator[Iterator[Rows]]:
            # Without a window of its own this dataset goes on with what another has left, in order.
            chance = Opportunity(self._reader.source.client(), picks, indices, window if self._picks else 1)
            begin = 0
            for count in chance.parts(left):
                part = left[begin : begin + count]
                places = chance.choose(int(part.sum()))
                each = draws if isinstance(draws, int) else draws[places]
                yield self._reader.start(indices[places], part, each, self._prefetch, not state.batched)
                begin += count

        return self._give(replace(state, picks=picks), chained(parts()), left)

    def _substituted(self, state: State, share: float) -> Iterator[Any]:
        """What is left of a share, others in the places of some that are not cached."""
        ordinals, sizes = state.deal.share(state.rank, state.worker)
        positions, epoch, given = state.base.at(ordinals), state.epoch.epoch, state.given()
        indices, swaps = self._order.samples(epoch, positions), self._swaps_of(state, len(ordinals))
        if not isinstance(self._order.draws(epoch, positions), int):
            raise HeadwaterError(f"substitute={share} is for epochs of which each sample comes once: see sampler=")
        left = sizes[state.taken :].astype(np.uint64) if state.batched else sizes_for(len(ordinals) - given)

        def parts() -> Iterator[Iterator[Rows]]:
            client, at, batch = self._reader.source.client(), given, 0
            if state.swaps is None:
                workers = max(1, state.deal.workers)
                low = lowest(client, share, indices, len(indices) * workers, self._reader.source, self._reader.tallies)
                swaps.mark(low, np.zeros(len(indices), dtype=np.bool_))
            chance = Substitutes(client, swaps, indices, given, epoch)
            for count in in_parts(left, LEAST):
                part = left[batch : batch + count]
                chosen = chance.choose(at, at + int(part.sum()))
                read = self._reader.start(chosen.samples, part, chosen.draws, self._prefetch, not state.batched)
                yield said(read, part, chosen.replaced, self._reader.tallies)
                batch, at = batch + count, at + int(part.sum())

        return self._give(replace(state, swaps=swaps), chained(parts()), left)

    def _swaps_of(self, state: State, share: int) -> Swaps:
        """Where to write down what stands in others' places, with what is known of it."""
        swaps, workers = Swaps(np.zeros(share, dtype=np.int32)), state.deal.workers
        if self._swapped is not None and workers:
            swaps = Swaps(self._swapped.sequence(state.epoch.epoch, state.worker, workers, share))
            swaps.notes[:] = 0
        if state.swaps is not None:
            swaps.mark(state.swaps.low, state.swaps.used(state.given()))
        return swaps

    def _picks_of(self, state: State, share: int) -> Picks:
        """What of a share was taken, and where to write down what is chosen from now on."""
        before = np.zeros(share, dtype=np.bool_)
        before[: state.given()] = True
        if state.picks is not None:
            before = state.picks.before
        workers = state.deal.workers
        if self._log is None or not workers:
            return Picks(before)
        left = int(np.count_nonzero(~before))
        return Picks(before, self._log.sequence(state.epoch.epoch, state.worker, workers, left))

    def _give(self, state: State, read: Iterator[Rows], sizes: npt.NDArray[np.uint64]) -> Iterator[Any]:
        samples, ledger, taken = self._reader.samples, self._ledger, state.taken
        ledger.asked(state)
        telling = self._tell(state)
        try:
            for rows, size in zip(read, sizes.tolist()):
                if state.batched:
                    taken += 1
                    ledger.at = replace(state, taken=taken)
                    telling.reached(taken)
                    yield samples.batch(rows)
                    continue
                places = rows.places if rows.places is not None else range(size)
                for at, place in enumerate(places):
                    # Those behind the last that are skipped are given with it.
                    ledger.at = replace(state, taken=taken + (place + 1 if at + 1 < len(places) else size))
                    yield samples.one(rows, at)
                taken += size
                ledger.at = replace(state, taken=taken)
                telling.reached(taken)
        finally:
            telling.close(taken)

    def _tell(self, state: State) -> Telling:
        """Tells the servers of a pass, where photos are read in it."""
        if "image" not in self._reader.reading.fields:
            return Telling(state, None, self._reader.tallies, None)
        return self._announcer.begin(state, self._order.announced(state.epoch, state.base.position))

    def state_dict(self, steps: Optional[int] = None, *, epoch_steps: Optional[int] = None) -> Dict[str, Any]:
        """Where the pass under way stands.

        In the process that iterates: after the samples that it has given. Beside a DataLoader with workers, whose
        batches are fetched ahead, `steps` says how many batches each rank has taken since this pass began; or
        `epoch_steps`, since its epoch began, as trainers count: those before a state was loaded too.
        """
        return self._ledger.save(steps, epoch_steps)

    def load_state_dict(self, state: Any) -> None:
        """Goes on where a state stands: that of `state_dict`, `merge_states` or a StatefulDataLoader, or a list of all
        ranks'.

        The next pass gives the rest of its epoch, dealt to the ranks and workers that there are then; where they are as
        many as before, the order is that of a run that was never stopped. Where nothing is left of it, the next pass is
        the next epoch, whole. `set_epoch` with another epoch, called after this, drops the state.
        """
        self._ledger.load(state)


def _heed_training(share: float, announcer: Announcer, rank: int, world: int) -> None:
    """Hears of a pass that may give samples in others' places, before it begins."""
    refuse_inference(share)
    announcer.heed(rank, world)


def _failed(error: Exception) -> Iterator[Any]:
    raise error
    yield
