"""The job that this process belongs to, as servers know it: the same name in all its ranks and workers.

It is HEADWATER_JOB, or else what the ranks agree on, or what their launcher calls the job, or drawn at random. Behind
it stands which dataset of the job is read, so that one job may read several side by side.
"""

import hashlib
import logging
import os
import secrets
from typing import Any, Dict, Optional, Sequence

from headwater._headwater import HeadwaterError
from headwater.agreement import agreed

log = logging.getLogger("headwater")

#: The variable that names a job.
VARIABLE = "HEADWATER_JOB"
#: Variables of launchers that together tell one job from another.
LAUNCHED = (
    ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT"),
    ("SLURM_JOB_ID", "SLURM_STEP_ID"),
    ("PMIX_NAMESPACE",),
    ("MASTER_ADDR", "MASTER_PORT"),
)
#: What is drawn for processes that nobody has named: for all datasets of a process.
_DRAWN = secrets.token_hex(8)
#: Longest name that is given: the dataset's mark comes behind it.
MOST = 48


class Job:
    """A job's name for one of its datasets. Travels to workers with what was found."""

    def __init__(self, subject: Sequence[Any]) -> None:
        """`subject` tells this dataset from others of the same job, in all ranks alike."""
        self._mark = hashlib.blake2b(repr(tuple(subject)).encode(), digest_size=4).hexdigest()
        self._name: Optional[str] = None
        #: Whether the ranks were alone when the name was found.
        self._is_of_ranks = False

    def name(self, world: int = 1) -> str:
        """The name, in one of so many ranks. HeadwaterError where HEADWATER_JOB cannot be one."""
        if self._name is None or world > 1 and not self._is_of_ranks:
            self._name, self._is_of_ranks = f"{_base(world)}.{self._mark}", world > 1
        return self._name

    def __getstate__(self) -> Dict[str, Any]:
        self.name()
        return self.__dict__


def _base(world: int) -> str:
    """What the job is called, without the dataset."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        if not _is_name(given):
            raise HeadwaterError(
                f"{VARIABLE}={given!r} in the environment is no name of a job: use 1 to {MOST} of a-z A-Z 0-9 . _ - "
                "and begin with a letter or digit"
            )
        return given
    if world == 1:
        return _DRAWN
    found = agreed("job", _DRAWN) or _launched()
    if found is None:
        log.debug("ranks cannot agree on a name of their job: each counts as a job; set %s", VARIABLE)
    return found or _DRAWN


def _launched() -> Optional[str]:
    """What a launcher's variables make of the job's name; None where there are none."""
    for names in LAUNCHED:
        if all(os.environ.get(name) for name in names):
            text = "\0".join(os.environ[name] for name in names)
            return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return None


def _is_name(text: str) -> bool:
    plain = all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in text)
    return plain and 0 < len(text) <= MOST and text[0].isalnum()
