"""OpenTelemetry: loss and speed as gauges, for who runs a collector. Off unless the standard variable names one.

Only the numbers below and the stage's name leave the process, never text, document ids or paths. How often they are
sent, with which headers and time-out, is set by the standard variables (OTEL_METRIC_EXPORT_INTERVAL and others).
"""

from __future__ import annotations

import os
from typing import Any

from freehold.learn.loop import Taken
from freehold.learn.observers import Measures
from freehold.plugins import need

ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXTRA = "telemetry"
UNITS = {
    "loss": "nats/token",
    "bits_per_byte": "bit/By",
    "tokens_per_s": "{token}/s",
    "utilisation": "1",
    "memory_gb": "GBy",
}
LAST_WORD_MS = 5000  # to send the last values when the run ends


def wanted() -> bool:
    """Whether the user named a collector."""
    return any(os.environ.get(name) for name in ENDPOINTS)


class Telemetry:
    """The observer that sets the gauges; a thread of the library sends them."""

    name = "OpenTelemetry"

    def __init__(self, *, stage: str, steps: int) -> None:
        """`steps` is the number of the run's last step."""
        self.stage, self.steps = stage, steps
        self.provider: Any = None
        self.gauges: dict[str, Any] = {}

    def __call__(self, taken: Taken, measures: Measures) -> None:
        """Set every gauge; the last step sends what is left and ends the thread."""
        if self.provider is None:
            self._open()
        for name, gauge in self.gauges.items():
            if name in measures:
                gauge.set(measures[name], {"stage": self.stage})
        if taken.step + 1 == self.steps:
            self.provider.shutdown(timeout_millis=LAST_WORD_MS)

    def _open(self) -> None:
        """Raises MissingExtra where the libraries are not installed."""
        sender = need("opentelemetry.exporter.otlp.proto.http.metric_exporter", extra=EXTRA)
        metrics, export = (need(f"opentelemetry.sdk.metrics{part}", extra=EXTRA) for part in ("", ".export"))
        resources = need("opentelemetry.sdk.resources", extra=EXTRA)
        self.provider = metrics.MeterProvider(
            resource=resources.Resource.create({"service.name": "freehold"}),
            metric_readers=[export.PeriodicExportingMetricReader(sender.OTLPMetricExporter())],
        )
        meter = self.provider.get_meter("freehold")
        self.gauges = {name: meter.create_gauge(f"freehold.{name}", unit=unit) for name, unit in UNITS.items()}
