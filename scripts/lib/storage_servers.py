"""Storage servers of a benchmark: started on free ports of loopback, waited for, and stopped by process id."""

import json
import pathlib
import subprocess
import tempfile
import time


class Servers:
    """One server for each command, which begins with what comes before `--listen`; for the time of a `with`."""

    def __init__(self, commands: list):
        self.place = tempfile.TemporaryDirectory()
        self.processes, ports = [], []
        for number, command in enumerate(commands):
            port = pathlib.Path(self.place.name) / f"port-{number}"
            log = open(pathlib.Path(self.place.name) / f"log-{number}", "w")
            words = [str(word) for word in (*command, "--listen", "127.0.0.1:0", "--port-file", port)]
            started = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=log)
            self.processes.append(started)
            ports.append((port, started, log.name))
        self.addresses = ",".join(f"127.0.0.1:{wait(*one)}" for one in ports)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.place.cleanup()


def wait(port: pathlib.Path, process: subprocess.Popen, log: str) -> int:
    """The server's port, once it has written it."""
    while not port.exists():
        if process.poll() is not None:
            raise SystemExit(pathlib.Path(log).read_text())
        time.sleep(0.05)
    return int(port.read_text())


def answer(*command) -> dict:
    """What a program prints with `--json`; its words where it fails."""
    words = [str(word) for word in (*command, "--json")]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stderr}")
    return json.loads(done.stdout)
