"""What ranks agree on without waiting for each other: the first of them that asks decides, and the others find that.

Ranks need not come to a question at the same time, or at all: so there is no collective here, at which one that does
not come would hold up the others. torch.distributed keeps a store of keys and values, in which a key is set once.
"""

import logging
from typing import Any, Optional

from headwater.torches import torch, worker_of

log = logging.getLogger("headwater")

#: Before each key, for the store is everybody's.
PREFIX = "headwater/"


def agreed(subject: str, proposal: str) -> Optional[str]:
    """What the first of all ranks has proposed about a subject; None where ranks cannot speak to each other, as where
    the one that keeps the store has ended.
    """
    store = _store()
    if store is None:
        return None
    try:
        # Set where it is not there; else what is there.
        return bytes(store.compare_set(PREFIX + subject, "", proposal)).decode()
    except RuntimeError as error:
        log.warning("the store of torch.distributed does not answer: %s", error)
        return None


def _store() -> Optional[Any]:
    """The store of torch.distributed, where it is initialised and has one. A worker has no right to it: what it would
    send goes over the connection of the process that forked it.
    """
    if torch is None or worker_of()[1]:
        return None
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    try:
        return torch.distributed.distributed_c10d._get_default_store()
    except (AttributeError, RuntimeError):
        return None
