"""The wheel is one for every Python from 3.9 on, and brings its licences. That it installs into an empty environment:
tests/docs."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile
from typing import List

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


def package(wheel: pathlib.Path, out: pathlib.Path, programs: List[pathlib.Path]) -> "subprocess.CompletedProcess[str]":
    """scripts/package's wheel, of the package's and these programs, with one man page."""
    (out / "share/man/man1").mkdir(parents=True)
    (out / "share/man/man1/storage-server.1").write_text(".TH storage-server 1\n")
    script = ROOT / "scripts/lib/package_wheel.py"
    return subprocess.run(
        [sys.executable, script, wheel, out / "share", out, *programs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@needs_wheel
def test_programs_in_the_wheel_are_installed_where_they_run(tmp_path: pathlib.Path) -> None:
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    # A program of this system stands for ours, which are large while they are not optimised.
    program = tmp_path / "storage-server"
    shutil.copy("/bin/echo", program)
    made = package(wheel, tmp_path, [program])
    assert made.returncode == 0, made.stderr
    assert pathlib.Path(made.stdout.strip()) == tmp_path / wheel.name
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [tmp_path / "venv/bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", tmp_path / wheel.name], check=True)
    said = subprocess.run(
        [tmp_path / "venv/bin/storage-server", "served"], stdout=subprocess.PIPE, text=True, check=True
    )
    assert said.stdout == "served\n"
    assert (tmp_path / "venv/share/man/man1/storage-server.1").exists()
    subprocess.run([*pip, "uninstall", "--yes", "headwater"], check=True)
    assert not list((tmp_path / "venv").rglob("*storage-server*"))


@needs_wheel
def test_a_program_that_needs_a_later_glibc_than_the_wheel_says_is_refused(tmp_path: pathlib.Path) -> None:
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    older = tmp_path / re.sub(r"manylinux_\d+_\d+", "manylinux_2_1", wheel.name)
    shutil.copy(wheel, older)
    refused = package(older, tmp_path / "out", [pathlib.Path("/bin/echo")])
    assert refused.returncode == 1 and "/bin/echo needs glibc 2." in refused.stderr, refused.stderr
    assert not (tmp_path / "out" / older.name).exists()
