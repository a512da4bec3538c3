"""A dataset that is asked by index: the drop-in for torchvision's ImageFolder."""

from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence, Tuple, overload

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.announcer import Announcer
from headwater.arguments import MOST_EPOCH, boolean, place_of, whole
from headwater.access import Tls, Token
from headwater.choices import Cut, FieldNames, OnError, Output, Pixels, Priority
from headwater.drivers import driver
from headwater.failures import Rows
from headwater.generations import Generations
from headwater.job import Job
from headwater.limits import Limits
from headwater.passes import Passes
from headwater.ranks import Place
from headwater.reader import Reader, Servers
from headwater.repeats import Epochs, addresses, fresh, occurrences
from headwater.served import Served
from headwater.torches import Dataset as TorchDataset
from headwater.typed import AnyMapped, Mapped, OfTorch, S

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import Unpack


class MapDataset(Served, TorchDataset[S]):
    """Samples by index, for DataLoader with any sampler: `data[7]`, or a whole batch in one call (`__getitems__`, which
    DataLoader uses from PyTorch 2.0 on).

    Every batch waits for its answer, so give DataLoader workers; IterableDataset streams, and is faster.

    Crops and flips are new at every access, drawn from torch's generator as torchvision's transforms draw:
    `torch.manual_seed` makes them again. `set_epoch` and `deterministic` make them functions of (seed, epoch, key), the
    same until the next epoch, but for a sample that one `__getitems__` names several times: that has others each time.
    The arguments are those of IterableDataset, whose help says more of each:

    servers      "host:port,host:port", or a list; "@FILE", "dns:///name:port" and "etcd://host:port/prefix" find them
    dataset      its name at the servers
    recipe       one in the box, a TOML file, a Recipe, or transforms of torchvision or timm
    model        for cut="features": a model that is registered at the servers
    indices      only these samples of the dataset, in this order: `data[0]` is the first of them. Numbers, or a boolean
                 mask
    classes      only samples of these classes: a list of names, and labels are positions in it
    where        only samples of which models said so, such as "label = 'Banana' and score > 0.9": see IterableDataset
    fields       what a sample is: some of "image", "label", "key", "index", and of the dataset's own fields, such as
                 "caption" (data.fields). Without "image" no photo is fetched
    output       "tensor": f32 [3, h, w]; "pixels": the u8 [h, w, 3] that it is made from; "numpy": the tensor as a
                 NumPy array
    transform    is run on each image after the recipe
    target_transform
                 is run on each label
    seed         with the epoch and a sample's key it decides crops and flips

    deterministic
                 crops and flips are functions of (seed, epoch, key), whoever asks and when

    cut          how far the servers take samples; the tensors are the same. Default: jpeg-crop
    plan         a cut for each sample: a file of `profiler plan`, or "auto"
    profile_seconds
                 time that plan="auto" may take to measure
    pixels       "lossless" has pixels coded on the wire
    limit_bandwidth
                 most that this rank receives, such as "430Mbps", shared by its workers

    on_error     "raise" SampleError, "skip" the sample in batches, or "substitute" its neighbour
    allow_partial
                 goes on without the samples of partitions that no server serves; without it they are a ServerError
    allow_non_finite
                 takes features that are not finite (NaN or an infinity) too; without it their samples fail
    tls          reaches servers by TLS: {"ca": FILE}, and {"cert": FILE, "key": FILE} where they ask for a certificate;
                 the files are in PEM, and read anew when they change
    token        shows servers this token, a text; or the first line of a file, a pathlib.Path
    connect_for  seconds to wait for a server at the start
    patience     seconds to wait for a server that was there before

    threads      threads that finish recipes, in each process; 0: its part of the cores
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
    def __init__(self: "MapDataset[Tuple[Tensor, int]]", servers: Servers, dataset: str, recipe: Any = ..., *,
                 output: OfTorch = ..., **settings: "Unpack[Mapped]") -> None: ...
    @overload
    def __init__(self: "MapDataset[Any]", servers: Servers, dataset: str, recipe: Any = ...,
                 **settings: "Unpack[AnyMapped]") -> None: ...
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
        seed: int = 0,
        deterministic: bool = False,
        output: Output = "tensor",
        pixels: Pixels = "raw",
        fields: FieldNames = ("image", "label"),
        indices: Optional[Any] = None,
        classes: Optional[Sequence[str]] = None,
        where: Optional[str] = None,
        on_error: OnError = "raise",
        transform: Optional[Callable[[Any], Any]] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
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
        # The reader takes its keywords out of all of them, each by its name.
        self._place = place = Place()
        self._reader = Reader(locals(), place, repeats=True)
        self._passes, source = Passes(), self._reader.source
        subject = ("map", source.servers, dataset, seed, classes, where)
        self._generations = Generations(source, subject=subject)
        self._announcer = Announcer(source, Job((*subject, self._reader.selection.mark)), self._reader.tallies)
        self._deterministic = boolean("deterministic", deterministic)
        self._skips = on_error == "skip"

    def set_epoch(self, epoch: int) -> None:
        """From here on crops and flips are functions of (seed, epoch, key), in workers too.

        Accelerate calls this by itself; that alone makes nothing deterministic.
        """
        epoch = whole("epoch", epoch, 0, MOST_EPOCH)
        if self._deterministic or self._passes.said.number or driver().loader is None:
            self._passes.say(epoch)

    @property
    def epoch(self) -> int:
        """The epoch of `set_epoch`; 0 where that was not called."""
        return self._passes.heard().epoch

    def __len__(self) -> int:
        return len(self._reader.selection)

    def __getitem__(self, index: int) -> S:
        """The sample at this place: a whole number, Python's, NumPy's or a tensor's; negative ones count from the end.
        TypeError for anything else, IndexError where there is none.
        """
        if self._skips:
            raise HeadwaterError('on_error="skip" is for batches: a single sample cannot be left out; use "substitute"')
        rows = self._rows([index])
        given: S = self._reader.samples.one(rows, 0)
        return given

    def __getitems__(self, indices: Sequence[int]) -> List[S]:
        """A batch in one call, as a list of samples; their tensors are rows of one array. With `on_error="skip"` it may
        be shorter, and has at least one.
        """
        indices = list(indices)
        if not indices:
            return []
        rows = self._rows(indices)
        return [self._reader.samples.one(rows, at) for at in range(len(rows.indices))]

    def _rows(self, indices: Sequence[int]) -> Rows:
        # Workers that stay hear of a refresh here.
        self._generations.follow()
        count = len(self)
        asked = np.asarray([place_of(index, count) for index in indices], dtype=np.uint64)
        chosen = self._reader.selection.indices
        if chosen is not None:
            asked = chosen[asked]
        sizes = np.asarray([len(asked)], dtype=np.uint64)
        if "image" in self._reader.reading.fields:
            self._announcer.stand(*self._place.resolve())
        return next(iter(self._reader.read(asked, sizes, self._draws(asked), 1)))

    def _draws(self, asked: npt.NDArray[np.uint64]) -> Epochs:
        """The addresses of the draws of these samples."""
        recipe, said = self._reader.reading.recipe, self._passes.heard()
        epoch, random = said.epoch, recipe is not None and recipe.is_random
        if random and not self._deterministic and not said.number:
            epoch = fresh(asked)
        times = occurrences(asked) if random else None
        return epoch if times is None else addresses(epoch, times)
