"""How far the storage side takes a sample, by our names and by SOPHON's."""

from typing import Dict, Tuple

from headwater import _headwater

#: Every cut, in the order in which a photo passes them.
CUTS: Tuple[str, ...] = _headwater.CUTS

#: SOPHON's modes that are one cut for all samples, and whether its tensors travel as floats.
SOPHON: Dict[str, Tuple[str, bool]] = {
    "no-off": ("encoded", False),
    "resize-off": ("cropped", False),
    "all-off": ("normalized", True),
}

#: SOPHON's modes that choose a cut for each sample: they need a plan.
PLANNED: Tuple[str, ...] = ("sophon", "optimal")


def cut_of(name: str) -> Tuple[str, bool]:
    """The cut of this name, and whether floats must travel as floats."""
    if not isinstance(name, str):
        raise TypeError(f"cut={name!r}: give one of {', '.join([*CUTS, *SOPHON])}, and not a {type(name).__name__}")
    if name in CUTS:
        return name, False
    if name in SOPHON:
        return SOPHON[name]
    if name in PLANNED:
        raise ValueError(
            f"cut={name!r} chooses a cut for each sample, and so needs a plan: give plan=FILE, which "
            f"`profiler plan --algorithm {name}` writes"
        )
    raise ValueError(f"there is no cut {name!r}: give one of {', '.join([*CUTS, *SOPHON])}")
