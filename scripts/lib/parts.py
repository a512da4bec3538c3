"""Copies a folder of photos into several of equal size, one file each in turn: `parts.py FOLDER PART...`.

`--partition K/N` splits by hash, and so only about evenly: where the slowest part ends the measurement, that would
count.
"""

import pathlib
import shutil
import sys


def deal(folder: pathlib.Path, parts: list) -> None:
    """Copies each file of the folder into one of the parts."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    # Large and small photos are spread evenly too.
    files.sort(key=lambda path: path.stat().st_size)
    for number, path in enumerate(files):
        copy = parts[number % len(parts)] / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


if __name__ == "__main__":
    place, *into = map(pathlib.Path, sys.argv[1:])
    deal(place, into)
