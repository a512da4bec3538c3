"""A dataset that is asked by index: the drop-in for torchvision's ImageFolder."""

from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from headwater._headwater import HeadwaterError
from headwater.arguments import MOST_EPOCH, place_of, whole
from headwater.reader import Reader, Rows, Servers
from headwater.served import Served
from headwater.source import Source
from headwater.torches import Dataset as TorchDataset
from headwater.torches import rank_and_world


class MapDataset(Served, TorchDataset[Any]):
    """Samples by index, for DataLoader with any sampler: `data[7]`, or a whole batch in one call (`__getitems__`, which
    DataLoader uses from PyTorch 2.0 on).

    Every batch waits for its answer, so give DataLoader workers; IterableDataset streams, and is faster. The arguments are
    those of IterableDataset; call `set_epoch` before each epoch for other crops and flips.
    """

    def __init__(
        self,
        servers: Servers,
        dataset: str,
        recipe: Any = None,
        *,
        cut: Optional[str] = None,
        plan: Optional[Any] = None,
        profile_seconds: Optional[float] = None,
        model: Optional[str] = None,
        seed: int = 0,
        output: str = "tensor",
        pixels: str = "raw",
        fields: Sequence[str] = ("image", "label"),
        indices: Optional[Any] = None,
        on_error: str = "raise",
        transform: Optional[Callable[[Any], Any]] = None,
        streams: int = 2,
        window: int = 64 << 20,
        threads: int = 0,
        connect_for: float = 10.0,
        patience: float = 60.0,
        limit_bandwidth: Optional[str] = None,
        allow_partial: bool = False,
    ) -> None:
        rank, world = rank_and_world()
        seed = whole("seed", seed)
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
        self._reader = Reader(
            source,
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
            rank=rank,
            world=world,
            repeats=True,
            profile_seconds=profile_seconds,
        )
        self._skips = on_error == "skip"
        self._indices = None if indices is None else source.chosen(indices)
        if self._indices is not None:
            self._reader.within = np.unique(self._indices)

    def set_epoch(self, epoch: int) -> None:
        """Other crops and flips from here on, in workers too."""
        self._reader.shared.epoch = whole("epoch", epoch, 0, MOST_EPOCH)

    def __len__(self) -> int:
        return self._reader.source.describe().samples if self._indices is None else len(self._indices)

    def __getitem__(self, index: int) -> Any:
        """The sample at this place: a whole number, Python's, NumPy's or a tensor's; negative ones count from the end. TypeError for
        anything else, IndexError where there is none.
        """
        if self._skips:
            raise HeadwaterError('on_error="skip" is for batches: a single sample cannot be left out; use "substitute"')
        rows = self._rows([index])
        return self._reader.give(rows, 0)

    def __getitems__(self, indices: Sequence[int]) -> List[Any]:
        """A batch in one call, as a list of samples; their tensors are rows of one array. With `on_error="skip"` it may be shorter,
        and has at least one.
        """
        indices = list(indices)
        if not indices:
            return []
        rows = self._rows(indices)
        return [self._reader.give(rows, at) for at in range(len(rows.indices))]

    def _rows(self, indices: Sequence[int]) -> Rows:
        count = len(self)
        asked = np.asarray([place_of(index, count) for index in indices], dtype=np.uint64)
        if self._indices is not None:
            asked = self._indices[asked]
        sizes = np.asarray([len(asked)], dtype=np.uint64)
        return next(iter(self._reader.read(asked, sizes, self.epoch, 1)))
