"""Some photos of a folder, drawn by chance and copied into another. Called by scripts/quantize."""

import argparse
import pathlib
import random
import shutil
import sys

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
# The same photos each time.
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    found = sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        sys.exit(f"error: {arguments.folder} has no photos")
    random.Random(SEED).shuffle(found)
    arguments.out.mkdir(parents=True)
    for number, path in enumerate(found[: arguments.count]):
        shutil.copyfile(path, arguments.out / f"{number:06}{path.suffix}")
    print(f"photos: {min(len(found), arguments.count)} of {len(found)}", file=sys.stderr)


if __name__ == "__main__":
    main()
