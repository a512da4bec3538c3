"""The wheel installs into an empty environment, and the README's quick start works there as it is pasted."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import venv
from typing import Iterator

import pytest
from conftest import ROOT, Server

TEXT = (ROOT / "README.md").read_text()


@pytest.fixture()
def server(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Server]:
    """Where the README has it, if that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 7440))
            port = 7440
        except OSError:
            port = 0
    server = Server(tmp_path / "server", photos, port=port)
    yield server
    server.kill()


@pytest.mark.skipif("HEADWATER_WHEEL" not in os.environ, reason="scripts/test builds the wheel")
def test_the_quick_start_works_as_it_is_pasted(server: Server, tmp_path: pathlib.Path) -> None:
    venv.create(tmp_path / "empty", with_pip=True, system_site_packages=False)
    python = tmp_path / "empty/bin/python"
    wheel = (ROOT / os.environ["HEADWATER_WHEEL"]).resolve()
    assert "-cp39-abi3-" in wheel.name
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    [code] = [code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "127.0.0.1:7440" in code]
    code = code.replace("127.0.0.1:7440", server.address)
    done = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert "(26, 3, 224, 224) float32" in done.stdout
    # And with PyTorch beside it.
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert "torch.Size([26, 3, 224, 224]) torch.float32" in done.stdout
