"""What launchers set in the environment of each process that they start."""

import os

from headwater._headwater import HeadwaterError


def number(name: str, least: int = 0) -> int:
    """The whole number of a variable that is set. HeadwaterError for anything else."""
    text = os.environ[name]
    if not text.strip().isdecimal() or int(text) < least:
        what = "whole number" if least == 0 else f"number of {least} or more"
        raise HeadwaterError(
            f"{name}={text!r} in the environment is no {what}: set it as the launcher does, or unset it"
        )
    return int(text)
