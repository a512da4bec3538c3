"""How samples travel to this process, and how long servers are waited for."""

import warnings
from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Optional, Sequence

from headwater._headwater import Client, bandwidth, traces
from headwater.access import Access
from headwater.arguments import boolean, one_of, seconds, text, whole
from headwater.callers import stacklevel_outside
from headwater.choices import PRIORITIES
from headwater.errors import HeadwaterWarning
from headwater.limits import limits_of


@dataclass(frozen=True)
class Transport:
    """The settings of a connection, checked. Each is a keyword of the datasets, but for `bandwidth`, which is their
    `limit_bandwidth`.
    """

    #: Calls at once to each server.
    streams: int
    #: Bytes of payloads that may wait in this process.
    window: int
    #: Threads that finish recipes, in each process; 0: the process's part of the cores.
    threads: int
    #: Seconds to wait for a server at the start.
    connect_for: float
    #: Seconds to wait for a server that was there before.
    patience: float
    #: Bits a second that this process and its workers receive together; None: as many as come.
    bandwidth: Optional[float]
    allow_partial: bool
    #: What a photo may be here, by the limits' names; for the others, each server's limit holds.
    limits: Dict[str, int]
    allow_non_finite: bool
    #: How much its calls count on servers beside those of others.
    priority: str = "normal"
    #: Whether slow samples are asked of another server of their partition too.
    hedge: bool = False
    #: How servers are reached.
    access: Access = Access()

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> "Transport":
        """What a dataset's keywords say. TypeError and ValueError name the keyword that cannot be right."""
        _check_traces()
        return cls(
            streams=whole("streams", keywords["streams"], 1, 4096),
            window=whole("window", keywords["window"], 1),
            threads=whole("threads", keywords["threads"], 0, 4096),
            connect_for=seconds("connect_for", keywords["connect_for"]),
            patience=seconds("patience", keywords["patience"]),
            bandwidth=_bandwidth(keywords["limit_bandwidth"]),
            allow_partial=boolean("allow_partial", keywords["allow_partial"]),
            limits=limits_of(keywords["limits"]),
            allow_non_finite=boolean("allow_non_finite", keywords["allow_non_finite"]),
            priority=one_of("priority", keywords["priority"], PRIORITIES),
            hedge=boolean("hedge", keywords["hedge"]),
            access=Access.of(keywords["tls"], keywords["token"]),
        )

    def connect(
        self,
        servers: Sequence[str],
        dataset: str,
        *,
        threads: int,
        workers: int,
        generation: Optional[Sequence[str]] = None,
    ) -> Client:
        """A connection for a process that is one of so many workers, with so many threads: to the generation of these
        digests, or to the newest.
        """
        part = None if self.bandwidth is None else self.bandwidth / workers
        held = None if generation is None else list(generation)
        return Client(servers, dataset, replace(self, threads=threads, bandwidth=part), held)


def _check_traces() -> None:
    """Warns of a variable of OpenTelemetry's that is not taken here: the process may have it for its own SDK."""
    try:
        traces()
    except ValueError as error:
        warnings.warn(f"no traces are sent: {error}", HeadwaterWarning, stacklevel=stacklevel_outside())


def _bandwidth(given: Optional[str]) -> Optional[float]:
    """Bits a second, of the keyword `limit_bandwidth`."""
    if given is None:
        return None
    what = 'bits a second with their unit, such as "430Mbps"'
    try:
        return bandwidth(text("limit_bandwidth", given, what))
    except ValueError:
        raise ValueError(f"limit_bandwidth={given!r}: give {what}, more than 0") from None
