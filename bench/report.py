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

from freehold.store.environment import environment

RESULTS = Path(__file__).parent / "results"
NAMED = ("torch", "transformers", "tokenizers", "daft", "numpy", "pyarrow", "cryptography")


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


def arguments(description: str | None) -> argparse.Namespace:
    """The options of the bench contract."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a short form, for a first look")
    parser.add_argument("--json", action="store_true", help="a list of figures on stdout")
    parser.add_argument("--save", action="store_true", help="keep the result in bench/results")
    return parser.parse_args()


def report(name: str, figures: list[Figure], *, options: argparse.Namespace, repetitions: int) -> None:
    """Print the figures as asked, and keep them if asked."""
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures]))
    else:
        for figure in figures:
            verdict = {True: "holds", False: "FALLS SHORT", None: ""}
            value = "–" if figure.value is None else f"{figure.value:,.4g}"
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} × {figure.peer}"
            columns = (f"{figure.figure:<46}", f"{value:>10} {figure.unit:<10}", f"{ratio:<32}", f"{figure.goal:<18}")
            print(" ".join(columns), verdict[figure.holds], figure.why)
    if options.save:
        machine = environment()
        slug = re.sub(r"[^a-z0-9]+", "-", f"{machine['processor']} {cores()} cores".lower()).strip("-")
        kept = {
            "bench": name,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": {"processor": machine["processor"], "cores": cores(), "system": machine["system"]},
            "versions": {"python": machine["python"], **{package: version(package) for package in NAMED}},
            "repetitions": repetitions,
            "quick": options.quick,
            "figures": [asdict(figure) for figure in figures],
        }
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{name}-{slug}.json"
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"kept in {path}", file=sys.stderr)


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
