"""Keys and classes as texts for those who want UTF-8: Arrow's columns and JSON.

Python has names of any bytes, with lone surrogates for those that are no UTF-8. The programs' tables write each such
byte as a character of its own, U+EF80 to U+EFFF, and so does this: a key here is the key in a table of `tuner extract`.
"""

#: What stands for a byte, as `headwater_types::key` has it; these characters themselves are written as their bytes.
_FIRST = 0xEF00
_WRITTEN = {
    **{0xDC00 + byte: chr(_FIRST + byte) for byte in range(0x80, 0x100)},
    **{
        _FIRST + byte: "".join(chr(_FIRST + part) for part in chr(_FIRST + byte).encode())
        for byte in range(0x80, 0x100)
    },
}


def text_of(name: str) -> str:
    """A key or a class as the programs' tables have it: itself, unless it has bytes that are no UTF-8."""
    return name if name.isascii() else name.translate(_WRITTEN)
