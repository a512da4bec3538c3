"""Scripts say what they take, refuse what they do not, and say beforehand what would fail much later."""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile
from typing import List

import pytest
from stage import ROOT


@pytest.fixture()
def scripts(tmp_path: pathlib.Path) -> pathlib.Path:
    """A clone's scripts, which has no environments yet."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path / "scripts"


def program(file: pathlib.Path, text: str) -> None:
    file.write_text(f"#!/usr/bin/env bash\n{text}\n")
    file.chmod(0o755)


def run(words: List[object], **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(word) for word in words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


def test_scripts_test_says_what_it_takes_and_refuses_other_arguments(scripts: pathlib.Path) -> None:
    told = run([scripts / "test", "--help"])
    assert told.returncode == 0 and "--trainers" in told.stdout
    refused = run([scripts / "test", "--trainer"])
    assert refused.returncode == 1 and "--trainer is none of its arguments" in refused.stdout


def test_scripts_torture_names_what_it_has_and_refuses_what_it_has_not(scripts: pathlib.Path) -> None:
    told = run([scripts / "torture", "--help"])
    assert told.returncode == 0 and "server" in told.stdout
    for name in ("nothing", "../setup.sh"):
        refused = run([scripts / "torture", name])
        assert refused.returncode == 2 and f"there is no scripts/lib/torture/{name}" in refused.stdout


def test_packages_are_asked_for_by_name_and_looked_for_before_anything_is_made(
    scripts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for words, said in (
        (["package", "rpm"], "rpm is none of its arguments"),
        (["package", "--revision", "0"], "--revision 0"),
        (["package", "deb", "--target", "aarch64-unknown-linux-gnu"], "a .deb for aarch64-unknown-linux-gnu"),
        (["package", "--native", "--target", "aarch64-unknown-linux-gnu"], "--native"),
        (["check-packages", "rpm"], "rpm is none of its arguments"),
        (["check-packages", "wheel", "--dist", tmp_path], f"in {tmp_path}: run scripts/package first"),
    ):
        refused = run([scripts / str(words[0]), *words[1:]])
        assert refused.returncode == 1 and said in refused.stdout, (words, refused.stdout)
    assert not (tmp_path / "dist").exists() and not (tmp_path / "target").exists()


def test_the_chart_is_packed_as_helm_packs_it(tmp_path: pathlib.Path) -> None:
    packed = run([ROOT / "scripts/package", "chart", "--out", tmp_path])
    assert packed.returncode == 0, packed.stdout
    [chart] = tmp_path.iterdir()
    with tarfile.open(chart) as files:
        names = files.getnames()
    assert {"headwater/Chart.yaml", "headwater/values.yaml", "headwater/templates/statefulset.yaml"} <= set(names)
    assert chart.name == f"headwater-{version()}.tgz"


def version() -> str:
    [found] = re.findall(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    return str(found)


def test_scripts_bench_gpu_says_that_there_is_no_gpu_before_anything_is_built(
    scripts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    program(tmp_path / "nvidia-smi", "echo 'NVIDIA-SMI has failed because there is no driver'; exit 9")
    refused = run([scripts / "bench", "gpu", "--json"], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert refused.returncode == 3, refused.stdout
    assert "there is no NVIDIA GPU on this machine" in refused.stdout and "no driver" in refused.stdout
    assert not (tmp_path / ".venv-gpu").exists() and not (tmp_path / "target").exists()


def test_a_disk_without_room_for_the_trainers_is_said_before_anything_is_done(
    scripts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    program(tmp_path / "df", "printf '   Avail\\n2000000\\n'")
    refused = run([scripts / "test", "--trainers"], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert refused.returncode == 1
    assert refused.stdout.startswith("error: the trainers take 11 GB, and there are 2 GB left"), refused.stdout


def test_a_download_that_breaks_off_is_tried_again(scripts: pathlib.Path, tmp_path: pathlib.Path) -> None:
    tries, python = tmp_path / "tries", tmp_path / "python"
    source = f"source {scripts}/lib/setup.sh; sleep() {{ :; }}; pip_install {python} package"
    for fails, code in ((2, 0), (3, 1)):
        tries.write_text("")
        program(python, f'echo "$*" >>{tries}; (($(wc -l <{tries}) > {fails}))')
        assert run(["bash", "-euo", "pipefail", "-c", source]).returncode == code
        assert len(tries.read_text().splitlines()) == 3
