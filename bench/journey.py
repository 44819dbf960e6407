"""The whole journey of a charter from nothing: time and memory of every stage, and quality against the references."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import Figure, arguments, report
from watch import Watch

from freehold.journey import JOURNEY

CHARTER = Path(__file__).parent.parent / "examples" / "commons" / "charter.toml"


def stage(name: str, charter: Path, workspace: Path) -> tuple[float, int, dict[str, object]]:
    """Seconds, peak bytes and figures of one stage."""
    command = [sys.executable, "-m", "freehold.cli.main", name, str(charter), "--workspace", str(workspace), "--json"]
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ))
    watch = Watch(process.pid)
    watch.start()
    output, _ = process.communicate()
    watch.on = False
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}")
    return time.monotonic() - begun, watch.peak, json.loads(output)


def main() -> None:
    """Walk the journey in a workspace of its own."""
    options = arguments(__doc__)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        charter = Path(shutil.copytree(CHARTER.parent, Path(folder) / "c", ignore=shutil.ignore_patterns(".freehold")))
        charter = charter / CHARTER.name
        if options.quick:
            charter.write_text(charter.read_text().replace("tokens = ", "tokens = 200_000  # was ", 1))
        total, peak, found = 0.0, 0, {}
        for step in JOURNEY:
            seconds, bytes_used, found[step.name] = stage(step.name, charter, Path(folder) / "w")
            total, peak = total + seconds, max(peak, bytes_used)
            figures.append(Figure(figure=f"{step.name}: wall", value=seconds, unit="s"))
            figures.append(Figure(figure=f"{step.name}: peak memory", value=bytes_used / 1e9, unit="GB"))
        figures.append(Figure(figure="journey: wall", value=total, unit="s", goal="<= 900", holds=total <= 900))
        figures.append(Figure(figure="journey: peak memory", value=peak / 1e9, unit="GB", goal="< 6", holds=peak < 6e9))
        digest = found["release"]["figures"]["model_digest"]
        figures.append(Figure(figure="model digest", value=None, unit="", why=digest))
        results = next((Path(folder) / "w" / "artifacts" / "evaluate").glob("*/results.json"))
        figures += quality(json.loads(results.read_bytes())["bits_per_byte"], quick=options.quick)
    report("journey", figures, options=options, repetitions=1)


def quality(measured: dict[str, dict[str, float]], *, quick: bool) -> list[Figure]:
    """Bits per byte of every language beside the better of both references."""
    rows = []
    for language, row in measured.items():
        peer = min(("xz", "ngram5"), key=lambda name: row[name])
        rows.append(
            Figure(
                figure=f"{language}: held-out bits per byte",
                value=row["model"],
                unit="bits/byte",
                peer=peer,
                ratio=row["model"] / row[peer],
                goal="< 1 × both",
                holds=None if quick else row["model"] < row[peer],
                why="the quick form hardly trains" if quick else "",
            )
        )
    return rows


if __name__ == "__main__":
    main()
