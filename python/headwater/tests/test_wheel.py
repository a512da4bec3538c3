"""The wheel is one for every Python from 3.9 on, and brings its licences. That it installs into an empty environment:
tests/docs."""

import os
import pathlib
import re
import zipfile

import pytest
from conftest import ROOT


needs_wheel = pytest.mark.skipif("HEADWATER_WHEEL" not in os.environ, reason="scripts/test builds the wheel")


@needs_wheel
def test_one_wheel_with_its_licences() -> None:
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    assert "-cp39-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as files:
        for name in ("LICENSE", "THIRD-PARTY-NOTICES"):
            [found] = [file for file in files.namelist() if file.endswith(f".dist-info/licenses/{name}")]
            assert files.read(found) == pathlib.Path(ROOT / name).read_bytes()


@needs_wheel
def test_it_needs_no_later_glibc_than_its_name_says() -> None:
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    tag = re.search(r"-manylinux_(\d+)_(\d+)_\w+\.whl$", wheel.name)
    assert tag, f"{wheel.name} is for no known glibc"
    with zipfile.ZipFile(wheel) as files:
        [module] = [file for file in files.namelist() if file.endswith(".so")]
        needed = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", files.read(module))}
    assert needed and max(needed) <= (int(tag[1]), int(tag[2])), (wheel.name, max(needed))
