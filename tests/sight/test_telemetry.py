from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from test_steps import MEASURES, taken

from freehold.learn.observers import Observers
from freehold.plugins import COLLECTORS, collector
from freehold.sight.telemetry import UNITS, Telemetry


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """A receiver of OTLP over HTTP: its address and what it was sent."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()


def test_gauges_reach_the_collector_and_nothing_else_does(
    receiver: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, bodies = receiver
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    observer = Telemetry(stage="train", steps=3, report=print)
    for number in range(3):
        observer(taken(number), {**MEASURES, "loss": 3.0 - number})
    (message,) = [ExportMetricsServiceRequest.FromString(body) for body in bodies]
    metrics = message.resource_metrics[0].scope_metrics[0].metrics
    points = {metric.name: metric.gauge.data_points[0] for metric in metrics}
    assert set(points) == {f"freehold.{name}" for name in UNITS}
    assert points["freehold.loss"].as_double == 1.0
    assert {(entry.key, entry.value.string_value) for entry in points["freehold.loss"].attributes} == {
        ("stage", "train")
    }
    assert b"doc-" not in b"".join(bodies)


def test_it_is_off_without_the_standard_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COLLECTORS:
        monkeypatch.setenv(name, "")
    assert collector() is None
    monkeypatch.setenv(COLLECTORS[1], "http://127.0.0.1:1")
    assert collector() == "http://127.0.0.1:1"


def test_without_the_libraries_the_person_hears_which_extra_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics", None)
    said: list[str] = []
    observers = Observers([Telemetry(stage="train", steps=3, report=said.append)], report=said.append)
    for number in range(2):
        observers.tell(taken(number), MEASURES)
    assert len(said) == 1 and "freehold[telemetry]" in said[0]


def test_a_collector_that_is_away_is_told_once_and_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    said: list[str] = []
    observers = Observers([Telemetry(stage="train", steps=2, report=said.append)], report=said.append)
    for number in range(2):
        observers.tell(taken(number), MEASURES)
    assert len(said) == 1 and "training goes on" in said[0]
    assert capfd.readouterr().err == ""
