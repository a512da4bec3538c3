"""Where a document's commands are run: a copy of the repository, a home of its own, and storage servers on loopback.

Commands are run as they are written, but for what STANDS_FOR says. Servers run until the document ends.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import Dict, List, Mapping

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEADWATER_BIN", ROOT / "target/debug")).resolve()

# Programs that stand for those of a cluster.
STAND_INS = pathlib.Path(__file__).resolve().parent / "stand-ins"

# What documents name, and what is taken for it. `{node1}`, `{node2}` and `{local}` are the addresses of servers that
# documents start (on node1 and node2: with /srv/photos, on this machine: with another folder), `{photos}` the folder of
# the node that a command runs on.
STANDS_FOR = {
    "node1:7440": "{node1}",
    "node2:7440": "{node2}",
    "127.0.0.1:7440": "{local}",
    "/srv/photos": "{photos}",
    "/var/cache/headwater": "{home}/cache",
    # Weights are not downloaded, and epochs are few.
    'weights="DEFAULT"': "weights=None",
    "models.resnet50(": "models.shufflenet_v2_x0_5(",
    "range(90)": "range(2)",
    "range(begin, 90)": "range(begin, begin + 2)",
    "epochs=90": "epochs=2",
    "batch_size=256": "batch_size=8",
}

# A server is told a port by the system, and says which.
LISTENS = [(re.compile(r"--metrics-listen \S+"), "--metrics-listen 127.0.0.1:0"), (re.compile(r"--listen \S+"), "")]
# How long one command may take, and a server to be ready.
MOST_SECONDS = 600
NODES = ("node1", "node2")


class Stage:
    """One document's. `installed`: whether the programs are there already, or the document installs them."""

    def __init__(self, folder: pathlib.Path, installed: bool) -> None:
        self.home, self.clone, self._state = folder / "home", folder / "clone", folder / "state"
        self._servers: List["subprocess.Popen[bytes]"] = []
        self._names: Dict[str, str] = {"home": str(self.home)}
        self._state.mkdir(parents=True)
        copy_repository(self.clone)
        photos(self.home / "photos", seed=1)
        for seed, node in enumerate(NODES, 2):
            photos(folder / node / "photos", seed)
        sophon_profile(self.clone)
        self._folder = folder
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("HEADWATER_", "XDG_"))}
        self._environment = {**ours, "HOME": str(self.home), "BUILT_BIN": str(BIN), "STATE": str(self._state)}
        # However full this disk is.
        self._environment["HEADWATER_CACHE_MIN_FREE"] = "0"
        self._environment["BUILT_WHEEL"] = str((ROOT / os.environ["HEADWATER_WHEEL"]).resolve())
        if installed:
            self._environment["PATH"] = f"{BIN}:{ours['PATH']}"
        self._bash("cd " + str(self.clone))

    def bring_trainers(self) -> None:
        """Has commands find the python that runs the tests, with its torchrun and accelerate, and a stand-in for
        Slurm."""
        here = pathlib.Path(sys.executable).parent
        self._bash(f'export PATH="{here}:{STAND_INS}:$PATH" OMP_NUM_THREADS=1')

    def start_nodes(self) -> None:
        """Both nodes, as README.md starts them, with a small network as `mobilenet`."""
        run([BIN / "testdata", "extractor", "--out", self.clone / "mobilenet_v2.onnx"])
        self._serve(
            "storage-server serve --data /srv/photos --dataset photos --cpu-workers 1 --inference-workers 1 "
            "--model mobilenet=mobilenet_v2.onnx,recipe=mobilenet_v2.toml"
        )

    def command(self, text: str) -> str:
        """Runs a console's command, as its next: in the working directory and with the variables that earlier ones
        left."""
        if text.startswith("storage-server serve "):
            return self._serve(text)
        return self._bash(self._real(text, self._names))

    def python(self, text: str) -> str:
        """Runs Python: in the tests' environment, which has PyTorch, and also in one that the document made, if that
        will do."""
        file = self._state / "document.py"
        file.write_text(self._real(text, self._names))
        made = self.clone / "try/venv/bin/python"
        if made.exists() and not re.search(r"^(import|from) torch", text, re.MULTILINE):
            printed = self._run([made, file])
            assert "torch" not in printed
            return printed + self._run([sys.executable, file])
        return self._run([sys.executable, file])

    def file(self, name: str, text: str) -> None:
        """Writes a file that later commands run."""
        (self.clone / name).write_text(self._real(text, self._names))

    def close(self) -> None:
        for server in self._servers:
            server.kill()
            server.wait()

    def _serve(self, text: str) -> str:
        nodes = NODES if "/srv/photos" in text else ("local",)
        for pattern, replacement in LISTENS:
            text = pattern.sub(replacement, text)
        for node in nodes:
            port = self._state / f"{node}.port"
            port.unlink(missing_ok=True)
            here = self._real(text, {**self._names, "photos": str(self._folder / node / "photos")})
            # One at a time: both are on this machine, and share the photo index.
            script = f"{self._restore()}\nexec {here} --listen 127.0.0.1:0 --port-file {port}"
            with (self._state / f"{node}.log").open("w") as log:
                self._servers.append(
                    subprocess.Popen(["bash", "-c", script], env=self._environment, stdout=log, stderr=log)
                )
            self._names[node] = f"127.0.0.1:{self._ready(node, port)}"
        return ""

    def _ready(self, node: str, port: pathlib.Path) -> str:
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until and self._servers[-1].poll() is None:
            if port.exists():
                return port.read_text().strip()
            time.sleep(0.05)
        raise AssertionError(f"{node} did not start: {(self._state / f'{node}.log').read_text()}")

    def _real(self, text: str, names: Mapping[str, str]) -> str:
        for written, taken in STANDS_FOR.items():
            if written in text:
                text = text.replace(written, taken.format_map({"photos": str(self._folder / "node1/photos"), **names}))
        return text

    def _restore(self) -> str:
        return 'if [[ -e $STATE/variables ]]; then source "$STATE/variables"; cd "$(<"$STATE/folder")"; fi'

    def _bash(self, text: str) -> str:
        leave = 'export -p >"$STATE/variables"; pwd >"$STATE/folder"'
        return self._run(["bash", "-euo", "pipefail", "-c", f"{self._restore()}\n{text}\n{leave}"])

    def _run(self, words: List[object]) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            env=self._environment,
            cwd=self.clone,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout


def run(words: List[object]) -> None:
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def copy_repository(to: pathlib.Path) -> None:
    """What a clone has, as it stands here; and the environment that scripts would install anew."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)
    (to / ".venv").unlink(missing_ok=True)
    (to / ".venv").symlink_to((ROOT / ".venv").resolve())


def photos(folder: pathlib.Path, seed: int) -> None:
    """60 photos in 5 class folders; with another seed others, of other names."""
    run([BIN / "testdata", "photos", "--out", folder, "--classes", 5, "--per-class", 12, "--seed", seed])
    for photo in [path for path in folder.rglob("*") if path.is_file()]:
        photo.rename(photo.with_name(f"{seed}-{photo.name}"))


def sophon_profile(folder: pathlib.Path) -> None:
    """SOPHON's files of 200 photos from 20 to 600 kB."""
    sizes = ["index;raw;decoding;original_shape;RandomResizedCrop;RandomHorizontalFlip;ToTensor;Normalize;"]
    times = ["index,loader,decoding,RandomResizedCrop,RandomHorizontalFlip,ToTensor,Normalize,"]
    for index in range(200):
        raw = 20_000 + 580_000 * (index * 37 % 200) // 200
        sizes.append(f"{index};{raw};2359329;(1024, 768);150561;150561;602145;602145;")
        times.append(f"{index},0.001,{raw * 2e-8:.6f},0.001,0.00006,0.00045,0.00035,")
    (folder / "prep_sizes.csv").write_text("".join(f"{line}\n" for line in sizes))
    (folder / "prep_times.csv").write_text("".join(f"{line}\n" for line in times))
