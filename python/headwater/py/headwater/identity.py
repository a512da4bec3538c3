"""Whether a state is of this run: of the same samples in the same order.

A dataset has two digests. One is of everything that the servers list: keys, labels, sizes and modification times. The
other is of keys and labels alone. Files that were touched or copied have others of the first, and the same samples in
the same order all the same: their states are gone on with.
"""

import logging
from typing import Tuple

from headwater._headwater import HeadwaterError
from headwater.progress import Epoch

log = logging.getLogger("headwater")


def recognised(saved: Epoch, mine: Epoch) -> Epoch:
    """This run's epoch, where a state's is of the same samples in the same order. HeadwaterError where it is not."""
    saved = saved._replace(generation=mine.generation)
    if saved == mine or saved._replace(names=mine.names) == mine:
        return mine
    if saved.names and saved._replace(digest=mine.digest) == mine:
        log.warning(
            "the files of this dataset have other times or sizes than when the state was saved, as after touch or a "
            "copy; their keys and labels are the same, in the same order, and so it is gone on with"
        )
        return mine
    raise HeadwaterError(f"this state is of another run: {_difference(saved, mine)}")


def is_of_another_generation(saved: Epoch, mine: Epoch) -> bool:
    """Whether two epochs differ only in what the dataset holds: other samples, under other names."""
    here = mine._replace(digest="", length=0, names="", generation=())
    same = saved._replace(digest="", length=0, names="", generation=()) == here
    (_, chosen), (_, choice) = _parts(saved.digest), _parts(mine.digest)
    return bool(same and chosen == choice and saved.generation and saved.names and saved.names != mine.names)


def _difference(saved: Epoch, mine: Epoch) -> str:
    """In what two epochs differ, and what to do about it."""
    (before, chosen), (now, choice) = _parts(saved.digest), _parts(mine.digest)
    names, names_now = _parts(saved.names)[0], _parts(mine.names)[0]
    if before != now and names != names_now:
        return _files(names)
    if chosen != choice:
        return (
            "it was saved with other samples chosen of the dataset: give indices=, classes= or the sampler as they "
            "were then, the classes in the same order; or begin the epoch anew"
        )
    field = next((name for name in ("seed", "shuffle") if getattr(saved, name) != getattr(mine, name)), "length")
    was, is_now = getattr(saved, field), getattr(mine, field)
    give = "" if field == "length" else f"give {field}={was!r}, or "
    return f"its {field} is {was!r}, and this dataset's is {is_now!r}: {give}begin the epoch anew"


def _files(names: str) -> str:
    if not names:
        return (
            "the servers list other files than when it was saved, or the same ones with other times or sizes "
            "(touched, copied), and it is of a version that did not say which: serve the files as they were, with "
            "their times (cp -a, rsync -a), or begin the epoch anew"
        )
    return (
        "the servers list other keys or labels than when it was saved, or list them in another order: files were "
        "added, removed, renamed or moved to other classes, or the servers have other parts or come in another order, "
        "and they do not know any more what differs (with --state, storage-server knows it over restarts); serve the "
        "dataset as it was, or begin the epoch anew"
    )


def _parts(digest: str) -> Tuple[str, str]:
    """A digest's two parts: the dataset's, and that of what was chosen of it."""
    dataset, _, chosen = digest.partition(":")
    return dataset, chosen
