"""A trace follows an epoch from `__iter__` over the wire to the disk, in the trainer's own trace where it has one; and
a collector that is away changes no tensor.
"""

import http.server
import os
import pathlib
import subprocess
import sys
import threading
import time
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import torch
from conftest import PHOTOS, Server, script
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import headwater

FETCH = "headwater.v1.Samples/Fetch"
#: A service and a span of OpenTelemetry's own types.
Collected = Tuple[str, Any]


#: Reads a dataset, and says what was warned of when it was made.
READ = """
import sys, warnings, headwater
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    dataset = headwater.IterableDataset(sys.argv[1], dataset="photos", recipe="imagenet-train")
print(sum(1 for _ in dataset), *[warning.message for warning in caught])
"""


class Collector(http.server.ThreadingHTTPServer):
    """Keeps what comes over HTTP, read by OpenTelemetry's own types."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: List[Collected] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def variables(self) -> Dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_address[1]}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }

    def eventually(self, found: Any) -> None:
        for _ in range(600):
            if found(self.spans):
                return
            time.sleep(0.05)
        raise AssertionError([(service, span.name) for service, span in self.spans])


class Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        body = self.rfile.read(int(self.headers["content-length"]))
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        for of in request.resource_spans:
            attributes = {attribute.key: attribute.value.string_value for attribute in of.resource.attributes}
            spans = [span for scope in of.scope_spans for span in scope.spans]
            self.server.spans += [(attributes["service.name"], span) for span in spans]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.shutdown()


@pytest.fixture
def traced(
    collector: Collector, photos: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A server that is traced, as this process is from now on: its address."""
    for name, value in collector.variables.items():
        monkeypatch.setenv(name, value)
    server = Server(tmp_path / "server", photos)
    yield server.address
    server.kill()


def way(spans: List[Collected], of: Any) -> List[str]:
    """A span's ancestors and the span itself, the first of the trace first; each in the time of the one before."""
    by_id = {span.span_id: (service, span) for service, span in spans}
    names: List[str] = []
    while True:
        service, span = by_id[of.span_id]
        names.insert(0, f"{service}: {span.name}")
        if not span.parent_span_id:
            return names
        if span.parent_span_id not in by_id:
            return ["?", *names]
        assert by_id[span.parent_span_id][1].trace_id == span.trace_id
        of = by_id[span.parent_span_id][1]


def reads(spans: List[Collected]) -> List[Any]:
    return [span for service, span in spans if service == "storage-server" and span.name == "fetch"]


def whole(spans: List[Collected]) -> bool:
    """Whether the server's spans have come, and the reader's."""
    return bool(reads(spans)) and all("?" not in way(spans, read) for read in reads(spans))


def test_one_trace_goes_from_iter_over_the_wire_to_the_disk(collector: Collector, traced: str) -> None:
    dataset = headwater.IterableDataset(traced, dataset="photos", recipe="imagenet-train", cut="cropped", batch_size=8)
    assert sum(len(labels) for _, labels in dataset) == PHOTOS
    collector.eventually(whole)
    expected = ["headwater: iterate", f"headwater: {FETCH}", f"storage-server: {FETCH}", "storage-server: sample"]
    for read in reads(collector.spans):
        assert way(collector.spans, read) == [*expected, "storage-server: fetch"]
    collector.eventually(lambda spans: any(span.name == "finish" for _, span in spans))
    dataset.close()


def test_a_trace_that_the_trainer_is_in_goes_on(collector: Collector, traced: str) -> None:
    tracer = TracerProvider().get_tracer("trainer")
    dataset = headwater.IterableDataset(traced, dataset="photos", recipe="imagenet-train", cut="cropped", batch_size=8)
    with tracer.start_as_current_span("epoch") as epoch:
        assert sum(len(labels) for _, labels in dataset) == PHOTOS
    collector.eventually(whole_of(epoch.get_span_context()))
    dataset.close()


def whole_of(context: Any) -> Any:
    def found(spans: List[Collected]) -> bool:
        begun = [span for _, span in spans if span.name == "iterate"]
        of_it = [span.trace_id == context.trace_id.to_bytes(16, "big") for span in begun]
        below = [span.parent_span_id == context.span_id.to_bytes(8, "big") for span in begun]
        return bool(reads(spans)) and bool(begun) and all(of_it) and all(below)

    return found


def test_a_trainer_that_is_not_followed_is_not_followed_here(collector: Collector, traced: str) -> None:
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("trainer")
    dataset = headwater.IterableDataset(traced, dataset="photos", recipe="imagenet-train", cut="cropped", batch_size=8)
    with tracer.start_as_current_span("epoch"):
        assert sum(len(labels) for _, labels in dataset) == PHOTOS
    # Those of this one come after those of the first.
    assert sum(len(labels) for _, labels in dataset) == PHOTOS
    collector.eventually(whole)
    assert len({span.trace_id for _, span in collector.spans}) == len(
        [span for _, span in collector.spans if span.name == "iterate"]
    )
    asked = [span for service, span in collector.spans if service == "storage-server" and span.name == FETCH]
    made = sum(attribute.value.int_value for span in asked for attribute in span.attributes if "made" in attribute.key)
    assert made == PHOTOS
    dataset.close()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_the_workers_of_a_loader_send_theirs_before_they_end(collector: Collector, traced: str, context: str) -> None:
    dataset = headwater.IterableDataset(traced, dataset="photos", recipe="imagenet-train", cut="cropped", batch_size=8)
    # What waits for longer than the epoch is sent at the worker's end.
    os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "60000"
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context)
    assert sum(len(labels) for _, labels in loader) == PHOTOS

    def all_came(spans: List[Collected]) -> bool:
        begun = [span for service, span in spans if service == "headwater" and span.name == "iterate"]
        came = [a.value.int_value for span in begun for a in span.attributes if a.key == "headwater.samples.came"]
        return sum(came) == PHOTOS

    collector.eventually(all_came)
    ids = [span.span_id for _, span in collector.spans]
    assert len(set(ids)) == len(ids), "workers that were forked name their spans apart"


def test_a_collector_that_is_away_changes_no_tensor_and_holds_nobody_up(
    photos: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path / "server", photos)

    def epoch() -> torch.Tensor:
        keywords: Dict[str, Any] = dict(dataset="photos", recipe="imagenet-train", cut="cropped", batch_size=8)
        dataset = headwater.IterableDataset(server.address, seed=7, **keywords)
        tensors = torch.cat([tensors for tensors, _ in dataset])
        dataset.close()
        return tensors

    plain = epoch()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert torch.equal(plain, epoch())
    # A process of its own, whose end waits for its last spans for two seconds at most.
    script = (
        "import headwater\n"
        f"dataset = headwater.IterableDataset({server.address!r}, dataset='photos', recipe='imagenet-train')\n"
        "print(sum(1 for _ in dataset))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stdout.strip() == str(PHOTOS), done.stderr
    assert "spans of traces" in done.stderr
    server.kill()


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"), ("OTEL_TRACES_EXPORTER", "console")]
)
def test_a_variable_that_is_not_taken_is_said_where_a_dataset_is_made_and_ends_nothing(
    name: str, value: str, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    server = Server(tmp_path / "server", photos)
    # A process of its own, which has sent no trace before.
    told = script(READ, server.address, **{name: value})
    assert told.startswith(f"{PHOTOS} no traces are sent: ") and name in told, told
    server.kill()
