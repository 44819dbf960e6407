"""Lazy parts: a name becomes a module or an attribute only when it is asked for.

All lazy loading lives here, so that `freehold --help` imports no torch and a missing library names the extra
that brings it.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any

from freehold.errors import InputError, MissingExtra

# Set before any library that would otherwise phone home is imported.
SILENCE = {
    "DO_NOT_TRACK": "1",
    "DAFT_ANALYTICS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
}

# Where the user asks for telemetry to be sent (OpenTelemetry's own names); without one of them nothing is.
COLLECTORS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

# Which extra brings a top-level module.
EXTRA_OF = {
    "daft": "curate",
    "pyarrow": "curate",
    "py3langid": "curate",
    "ray": "ray",
    "ftfy": "curate",
    "fasttext": "fasttext",
    "stdnum": "curate",
    "license_expression": "curate",
    "phonenumbers": "curate",
    "protego": "curate",
    "trafilatura": "curate",
    "zstandard": "curate",
    "lxml": "curate",
    "pypdfium2": "curate",
    "warcio": "curate",
    "obstore": "curate",
    "torch": "train",
    "torchao": "fp8",
    "tokenizers": "train",
    "safetensors": "train",
    "numpy": "train",
    "gguf": "release",
    "bm25s": "index",
    "pydivsufsort": "index",
    "fastapi": "serve",
    "uvicorn": "serve",
    "jinja2": "train",
    "tensorboardX": "train",
    "transformers": "foreign",
}


def silence() -> None:
    """Switch off the telemetry and hub access of every library we use, in this process and its children."""
    for name, value in SILENCE.items():
        os.environ.setdefault(name, value)


def collector() -> str | None:
    """The address that the user wants a run's figures sent to, or None."""
    return next((os.environ[name] for name in COLLECTORS if os.environ.get(name)), None)


def need(module: str, *, extra: str | None = None) -> ModuleType:
    """Import `module`, or raise MissingExtra naming the command that installs it."""
    silence()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        absent = (missing.name or module).split(".")[0]
        extra = extra or EXTRA_OF.get(absent)
        if absent == "freehold" or extra is None:
            raise
        raise MissingExtra(f"{absent} is not installed", remedy=f"pip install 'freehold[{extra}]'") from missing


def part(entry: str) -> Any:
    """The attribute named by an entry point such as ``freehold.stages.train.run:run``."""
    module, _, attribute = entry.partition(":")
    found: Any = need(module)
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise InputError(f"no part is called {entry!r}") from None
    return found
