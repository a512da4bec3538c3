"""What a photo may be at most, here, whatever a server serves."""

from typing import Any, Dict, Optional, Union

from headwater._headwater import size
from headwater.arguments import whole

#: The largest sides and numbers of scans: 32 bits.
MOST_SIDE = 2**32 - 1


class Limits:
    """This trainer's own limits of a photo. Servers announce theirs, and each holds as far as it is not above the limit
    here.

    What is not given is as each server says, up to 16 times a server's default. A photo past a limit is a failure of
    its sample, `limit-exceeded`, in words that say which limit it is, and whether it is the server's or this one.

    max_dimension      longest side, in pixels
    max_pixels         width x height
    max_object_bytes   bytes as stored: a number, or a text such as "128MiB"
    max_sample_memory  memory while it is decoded, and bytes of a sample on the wire: a number, or a text such as "1GiB"
    max_scans          scans of a progressive JPEG
    max_scan_pixels    pixels x scans of a progressive JPEG
    """

    def __init__(
        self,
        *,
        max_dimension: Optional[int] = None,
        max_pixels: Optional[int] = None,
        max_object_bytes: Optional[Union[int, str]] = None,
        max_sample_memory: Optional[Union[int, str]] = None,
        max_scans: Optional[int] = None,
        max_scan_pixels: Optional[int] = None,
    ) -> None:
        given = {
            "max_dimension": _whole("max_dimension", max_dimension, MOST_SIDE),
            "max_pixels": _whole("max_pixels", max_pixels),
            "max_object_bytes": _bytes("max_object_bytes", max_object_bytes),
            "max_sample_memory": _bytes("max_sample_memory", max_sample_memory),
            "max_scans": _whole("max_scans", max_scans, MOST_SIDE),
            "max_scan_pixels": _whole("max_scan_pixels", max_scan_pixels),
        }
        #: The limits that were given, by their names.
        self.given: Dict[str, int] = {name: value for name, value in given.items() if value is not None}

    def __repr__(self) -> str:
        return f"Limits({', '.join(f'{name}={value}' for name, value in self.given.items())})"


def limits_of(value: Any) -> Dict[str, int]:
    """The limits that the keyword `limits` gives, by their names."""
    if value is None:
        return {}
    if not isinstance(value, Limits):
        raise TypeError(
            f"limits={value!r}: give headwater.Limits(max_pixels=..., ...), and not a {type(value).__name__}"
        )
    return value.given


def _whole(name: str, value: Any, most: int = 2**64 - 1) -> Optional[int]:
    return None if value is None else whole(name, value, 1, most)


def _bytes(name: str, value: Any) -> Optional[int]:
    if not isinstance(value, str):
        return _whole(name, value)
    try:
        return whole(name, size(value), 1)
    except ValueError:
        raise ValueError(f'{name}={value!r}: give bytes, 1 or more: a number, or a text such as "512MiB"') from None
