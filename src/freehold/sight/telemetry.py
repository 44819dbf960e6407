"""OpenTelemetry: loss and speed as gauges, for who runs a collector. Off unless the standard variable names one.

Only the numbers below and the stage's name leave the process, never text, document ids or paths. How often they are
sent, with which headers and time-out, is set by the standard variables (OTEL_METRIC_EXPORT_INTERVAL and others).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from freehold.learn.loop import Taken
from freehold.learn.observers import Measures
from freehold.plugins import need

EXTRA = "telemetry"
UNITS = {
    "loss": "nats/token",
    "bits_per_byte": "bit/By",
    "tokens_per_s": "{token}/s",
    "utilisation": "1",
    "memory_gb": "GBy",
}
LAST_WORD_MS = 5000  # to send the last values when the run ends


class Telemetry:
    """The observer that sets the gauges; a thread of the library sends them."""

    name = "OpenTelemetry"

    def __init__(self, *, stage: str, steps: int, report: Callable[[str], None]) -> None:
        """`steps` is the number of the run's last step; `report` hears once that the collector does not answer."""
        self.stage, self.steps, self.report = stage, steps, report
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
        tell_once(self.report)
        resources = need("opentelemetry.sdk.resources", extra=EXTRA)
        self.provider = metrics.MeterProvider(
            resource=resources.Resource.create({"service.name": "freehold"}),
            metric_readers=[export.PeriodicExportingMetricReader(sender.OTLPMetricExporter())],
        )
        meter = self.provider.get_meter("freehold")
        self.gauges = {name: meter.create_gauge(f"freehold.{name}", unit=unit) for name, unit in UNITS.items()}


class Once(logging.Handler):
    """Hands on the first complaint and keeps the rest of them from the screen."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.report: Callable[[str], None] | None = report

    def emit(self, record: logging.LogRecord) -> None:
        """The first record; later ones say the same again."""
        report, self.report = self.report, None
        if report is not None:
            report(f"OpenTelemetry: {record.getMessage()[:160]} (told once; training goes on)")


def tell_once(report: Callable[[str], None]) -> None:
    """A collector that is away must not fill the screen: the library warns at every attempt."""
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [Once(report)], False
