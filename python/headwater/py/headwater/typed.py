"""Arguments by what they have to do with the type of a sample, for type checkers. Nothing of it is used at run time.

What a dataset gives follows from `batch_size`, `fields`, `output`, `transform` and `target_transform`: where they are
as usual, type checkers know it.
"""

import os
from typing import Any, Callable, Literal, Optional, Sequence, TypedDict, TypeVar, Union

from headwater.access import Tls, Token
from headwater.choices import Cut, FieldNames, OnError, Ordering, Output, Pixels, Priority
from headwater.limits import Limits

#: What one sample is, or one batch.
S = TypeVar("S")

#: The outputs whose values are tensors.
OfTorch = Literal["tensor", "pixels"]


class Settings(TypedDict, total=False):
    """The keywords of both datasets that leave the type of a sample alone."""

    cut: Optional[Cut]
    plan: Optional[Union[str, "os.PathLike[str]"]]
    profile_seconds: Optional[float]
    model: Optional[str]
    seed: int
    pixels: Pixels
    indices: Optional[Any]
    classes: Optional[Sequence[str]]
    where: Optional[str]
    on_error: OnError
    streams: int
    priority: Priority
    hedge: bool
    window: int
    threads: int
    connect_for: float
    patience: float
    limit_bandwidth: Optional[str]
    allow_partial: bool
    limits: Optional[Limits]
    allow_non_finite: bool
    tls: Optional[Tls]
    token: Optional[Token]


class Shape(TypedDict, total=False):
    """The keywords that decide the type of a sample."""

    output: Output
    fields: FieldNames
    transform: Optional[Callable[[Any], Any]]
    target_transform: Optional[Callable[[Any], Any]]


class Streaming(Settings, total=False):
    """The keywords of IterableDataset that leave the type of a sample alone."""

    drop_last: bool
    shuffle: bool
    order: Ordering
    order_window: Optional[int]
    substitute: Optional[float]
    sampler: Optional[Any]
    rank: Optional[int]
    world: Optional[int]
    prefetch: int


class AnyStreaming(Streaming, Shape, total=False):
    """All keywords of IterableDataset."""

    batch_size: Optional[int]


class Mapped(Settings, total=False):
    """The keywords of MapDataset that leave the type of a sample alone."""

    deterministic: bool


class AnyMapped(Mapped, Shape, total=False):
    """All keywords of MapDataset."""
