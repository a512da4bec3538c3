"""One wheel that brings the Python package and the programs: package_wheel.py WHEEL SHARE OUT PROGRAM...

WHEEL is the Python package's; the programs come into the environment's `bin`, and what is below SHARE (completions, man
pages) into its `share`. A program that needs a later glibc than the wheel's name says is refused. The same files give
the same bytes, dated by SOURCE_DATE_EPOCH.
"""

import base64
import hashlib
import os
import pathlib
import re
import sys
import time
import zipfile
from typing import Dict, Tuple

# Modes of what is installed.
PROGRAM, FILE = 0o100755, 0o100644
TAG = re.compile(r"-manylinux_(\d+)_(\d+)_\w+\.whl$")
NEEDED = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def main(wheel: pathlib.Path, share: pathlib.Path, out: pathlib.Path, *programs: pathlib.Path) -> None:
    for program in programs:
        check_glibc(program, wheel.name)
    made = out / wheel.name
    with zipfile.ZipFile(wheel) as package:
        files = [info for info in package.infolist() if not info.is_dir()]
        contents = {info.filename: (package.read(info), info.external_attr >> 16) for info in files}
    [record] = [name for name in contents if name.endswith(".dist-info/RECORD")]
    data = record.replace(".dist-info/RECORD", ".data")
    for program in programs:
        contents[f"{data}/scripts/{program.name}"] = (program.read_bytes(), PROGRAM)
    for file in sorted(path for path in share.rglob("*") if path.is_file()):
        contents[f"{data}/data/share/{file.relative_to(share)}"] = (file.read_bytes(), FILE)
    contents[record] = (recorded(contents, record).encode(), FILE)
    write(made, contents)
    print(made)


def check_glibc(program: pathlib.Path, wheel: str) -> None:
    """Fails where the wheel's name promises an older glibc than the program needs."""
    promised = TAG.search(wheel)
    needed = max((int(major), int(minor)) for major, minor in NEEDED.findall(program.read_bytes()))
    if promised is None or needed > (int(promised[1]), int(promised[2])):
        sys.exit(f"error: {program} needs glibc {needed[0]}.{needed[1]}, which {wheel} does not say")


def recorded(contents: Dict[str, Tuple[bytes, int]], record: str) -> str:
    """The wheel's RECORD: name, digest and length of each file, and its own name."""
    lines = []
    for name, (text, _) in contents.items():
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(text)}\n")
    return "".join([*lines, f"{record},,\n"])


def write(made: pathlib.Path, contents: Dict[str, Tuple[bytes, int]]) -> None:
    # A ZIP file has no dates before 1980.
    date = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800))[:6]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, (text, mode) in contents.items():
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode or FILE) << 16
            archive.writestr(info, text)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
