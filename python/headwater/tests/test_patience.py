"""A server is waited for as long as was said, and no longer."""

import pathlib
import socket
import time
from typing import Iterator

import headwater
import pytest
from conftest import Server


@pytest.fixture()
def full_server(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Server]:
    """One whose only connection is somebody else's."""
    server = Server(tmp_path / "server", photos, "--cpu-workers", 1, "--max-connections", 1)
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as somebody:
        # HTTP/2's preface and empty settings: who has said nothing has no place.
        somebody.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        time.sleep(0.5)
        yield server
    server.kill()


def test_connect_for_holds_where_connections_are_used_up(full_server: Server) -> None:
    begin = time.monotonic()
    with pytest.raises(headwater.ServerError, match="--max-connections") as caught:
        len(headwater.MapDataset(full_server.address, "photos", recipe="imagenet-eval", connect_for=2.0))
    # HTTP/2's pings, which it once waited for, take 20 s.
    assert 2.0 <= time.monotonic() - begin < 15.0
    assert full_server.address in str(caught.value)
