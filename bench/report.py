"""What every bench script does with its figures: print a table, speak JSON, keep a result with its machine."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from freehold.store.environment import environment

RESULTS = Path(__file__).parent / "results"
NAMED = ("torch", "triton", "torchao", "transformers", "tokenizers", "daft", "numpy", "pyarrow", "cryptography")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value against what was wanted; `holds` is None where this machine cannot tell, and `why` says so."""

    figure: str
    value: float | None
    unit: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None
    why: str = ""


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options of the bench contract; a script may add its own."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="a short form, for a first look")
    options.add_argument("--json", action="store_true", help="a list of figures on stdout")
    options.add_argument("--save", action="store_true", help="keep the result in bench/results")
    return options


def arguments(description: str | None) -> argparse.Namespace:
    """The options of a script that has none of its own."""
    return parser(description).parse_args()


def report(name: str, figures: list[Figure], *, options: argparse.Namespace, repetitions: int) -> None:
    """Print the figures as asked, and keep them if asked."""
    show(figures, as_json=options.json)
    if options.save:
        path = result_path(name)
        keep(path, name, figures, quick=options.quick, repetitions=repetitions)
        print(f"kept in {path}", file=sys.stderr)


def show(figures: list[Figure], *, as_json: bool) -> None:
    """A table, or JSON."""
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures]))
        return
    for figure in figures:
        verdict = {True: "holds", False: "FALLS SHORT", None: ""}
        value = "–" if figure.value is None else f"{figure.value:,.4g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} × {figure.peer}"
        columns = (f"{figure.figure:<46}", f"{value:>10} {figure.unit:<10}", f"{ratio:<32}", f"{figure.goal:<18}")
        print(" ".join(columns), verdict[figure.holds], figure.why, flush=True)


def result_path(name: str, *, machine: str | None = None) -> Path:
    """Where a script's result for this machine is kept; `machine` replaces the processor's name."""
    named = machine or f"{environment()['processor']} {cores()} cores"
    return RESULTS / f"{name}-{re.sub(r'[^a-z0-9]+', '-', named.lower()).strip('-')}.json"


def keep(
    path: Path,
    name: str,
    figures: list[Figure],
    *,
    quick: bool,
    repetitions: int,
    device: str | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Write a result file whole or not at all, so that it can be written again after every figure."""
    machine = environment()
    told = {"processor": machine["processor"], "cores": cores(), "system": machine["system"]}
    kept = {
        "bench": name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": told | ({"device": device} if device else {}),
        "versions": {"python": machine["python"], **{package: version(package) for package in NAMED}},
        "repetitions": repetitions,
        "quick": quick,
        "figures": [asdict(figure) for figure in figures],
        **(more or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def cores() -> int:
    """Processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(package: str) -> str | None:
    """The installed version of a package, None if it is absent."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
