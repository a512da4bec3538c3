"""The wheel is one for every Python from 3.9 on, and brings its licences. That it installs into an empty environment: tests/docs."""

import os
import pathlib
import zipfile

import pytest
from conftest import ROOT


@pytest.mark.skipif("HEADWATER_WHEEL" not in os.environ, reason="scripts/test builds the wheel")
def test_one_wheel_with_its_licences() -> None:
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    assert "-cp39-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as files:
        for name in ("LICENSE", "THIRD-PARTY-NOTICES"):
            [found] = [file for file in files.namelist() if file.endswith(f".dist-info/licenses/{name}")]
            assert files.read(found) == pathlib.Path(ROOT / name).read_bytes()
