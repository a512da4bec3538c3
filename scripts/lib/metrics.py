"""What a storage server's metrics port says."""

import pathlib
import urllib.request


def metric(server: pathlib.Path, name: str) -> float:
    """The value of the metric of this name with its labels; `server` is the folder that it was started in."""
    port = (server / "metrics-port").read_text().strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        for line in page.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rsplit(" ", 1)[1])
    raise KeyError(f"the server in {server} says no {name}")
