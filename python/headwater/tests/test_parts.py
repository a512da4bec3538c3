"""What the servers serve together is each sample once, or an error that names who has what."""

import pathlib
from typing import Any, List

import headwater
import pytest
from conftest import Server


def dataset(address: str, kind: Any = headwater.IterableDataset, **more: Any) -> Any:
    return kind(address, "photos", "imagenet-train", cut="cropped", fields=("key",), **more)


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_what_overlaps_is_an_error_also_where_parts_may_be_missing(
    servers: List[Server], own_server: Server, kind: Any
) -> None:
    half = servers[0].address
    for more in ({}, {"allow_partial": True}):
        with pytest.raises(headwater.ServerError, match="divide the same 26 samples differently") as caught:
            len(dataset(f"{half},{own_server.address}", kind, **more))
        assert half in str(caught.value) and own_server.address in str(caught.value)


def test_one_server_by_two_names_is_an_error(own_server: Server) -> None:
    by_name = own_server.address.replace("127.0.0.1", "localhost")
    with pytest.raises(headwater.ServerError, match="are one server"):
        len(dataset(f"{own_server.address},{by_name}"))


def test_a_missing_part_is_an_error_unless_it_is_insisted_on(servers: List[Server]) -> None:
    half = servers[0].address
    with pytest.raises(headwater.ServerError, match="nobody has 2/2.*allow_partial=True"):
        len(dataset(half))
    with pytest.warns(headwater.HeadwaterWarning) as caught:
        partial = dataset(half, allow_partial=True)
        assert len(list(partial)) == len(partial) < 26
    said = [str(warning.message) for warning in caught]
    assert len([line for line in said if "of 26 samples are served" in line]) == 1, said


def test_a_port_of_metrics_is_named_for_what_it_is_and_localhost_is_found(
    tmp_path: pathlib.Path, photos: pathlib.Path
) -> None:
    port_file = tmp_path / "metrics"
    arguments = ["--metrics-listen", "localhost:0", "--metrics-port-file", port_file, "--cpu-workers", 1]
    server = Server(tmp_path / "server", photos, *arguments)
    try:
        with pytest.raises(headwater.ServerError, match="metrics port"):
            len(dataset(f"localhost:{int(port_file.read_text())}", connect_for=600))
        assert len(dataset(server.address.replace("127.0.0.1", ""))) == 26
    finally:
        server.kill()
