"""Which samples servers have cached, as far as they say it."""

import logging
from typing import Iterator

import numpy as np
import numpy.typing as npt

from headwater._headwater import Client, ServerError

log = logging.getLogger("headwater")


def resident(client: Client, samples: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Whether each of these samples is cached. None is where the servers do not say it: samples come in their order
    then.
    """
    cached = np.zeros(len(samples), dtype=np.bool_)
    # What a server does not have of samples that are gone is nothing.
    known = samples < np.uint64(len(client))
    try:
        cached[known] = client.cached(np.ascontiguousarray(samples[known]))
    except ServerError as error:
        log.debug("what is cached is not known, and samples come in their order: %s", error)
    return cached


def in_parts(sizes: npt.NDArray[np.uint64], least: int) -> Iterator[int]:
    """How many batches of these sizes are chosen at a time, by one question to the servers: of `least` samples, at
    least.
    """
    count = samples = 0
    for size in sizes.tolist():
        count, samples = count + 1, samples + size
        if samples >= least:
            yield count
            count = samples = 0
    if count:
        yield count
