"""Copies a folder of photos into two of equal size, every other file each: `halves.py FOLDER ONE TWO`.

`--partition 1/2` splits by hash, and so only about evenly: where the slower half ends the measurement, that would
count.
"""

import pathlib
import shutil
import sys


def main() -> None:
    folder, *halves = map(pathlib.Path, sys.argv[1:])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    # Large and small photos are spread evenly too.
    files.sort(key=lambda path: path.stat().st_size)
    for number, path in enumerate(files):
        copy = halves[number % 2] / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


if __name__ == "__main__":
    main()
