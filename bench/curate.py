"""Curation of a folder of shards: time, processor time and memory of every step, and MB/s of every family of rules.

`--corpora PATH` (or FREEHOLD_CORPORA) names a folder of `*.jsonl.zst`; `--enlarge 8` curates it once more with every
document eight times, seven of them with noise, and looks whether time grows in proportion. The rules are those of
`corpus.TABLES`, by name in every result.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import report
from report import Figure
from watch import Watch

STEPS = ("read", "survey", "judge", "compare", "write")
GOAL_S, GOAL_GB, ENLARGED_GB, GROWTH = 720.0, 3.0, 4.0, 1.15
SAMPLE_BYTES = 8_000_000  # of text, for the families of rules
SAMPLE_DOCUMENT = 60_000  # characters; the usual document, not the longest book


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One curation, measured from outside."""

    megabytes: float
    wall_s: float
    cpu_s: float
    peak: int
    steps: dict[str, tuple[float, float, int]]  # wall seconds, CPU seconds, peak bytes
    figures: dict[str, Any]


def curate(folder: Path, paths: list[Path]) -> Run:
    """Curate the shards in a workspace of their own."""
    folder.mkdir(parents=True)
    size = corpus.write_charter(folder, paths)
    command = [sys.executable, "-m", "freehold.cli.main", "curate", str(folder / "charter.toml"), "--json"]
    begun = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    watch = Watch(process.pid)
    watch.start()
    output, _ = process.communicate()
    ended, watch.on = time.time(), False
    if process.returncode:
        sys.exit(f"curate ended with {process.returncode}")
    return Run(
        megabytes=size / 1e6,
        wall_s=ended - begun,
        cpu_s=watch.cpu_at(ended),
        peak=watch.peak,
        steps=steps_of(folder, watch, ended),
        figures=json.loads(output)["figures"],
    )


def steps_of(folder: Path, watch: Watch, ended: float) -> dict[str, tuple[float, float, int]]:
    """Wall seconds, CPU seconds and peak bytes of every step: from its beginning to that of the next one."""
    events = next((folder / ".freehold" / "runs").glob("*-curate-*/events.jsonl"))
    found = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    begins = {event["task"]: event["time"] for event in found if event["event"] == "begin" and event["task"] in STEPS}
    last = next(event["time"] for event in found if event["event"] == "end" and event["task"] == STEPS[-1])
    times = [watch.cpu[0][0], *(begins[step] for step in STEPS), last, ended]
    return {
        name: (end - begin, watch.cpu_between(begin, end), watch.peak_between(begin, end))
        for name, begin, end in zip(("start", *STEPS, "seal"), times, times[1:], strict=False)
    }


def figures_of(run: Run, name: str, *, memory_goal: float, goals: bool) -> list[Figure]:
    """The figures of one run; `goals` says whether this is the corpus and the machine that they are set for."""
    told = [
        Figure(figure=f"{name}: text read", value=run.megabytes, unit="MB", why=f"rules {corpus.RULES}"),
        Figure(figure=f"{name}: CPU", value=run.cpu_s, unit="s"),
        Figure(figure=f"{name}: documents read", value=run.figures["documents_read"], unit=""),
        Figure(figure=f"{name}: documents kept", value=run.figures["documents_kept"], unit=""),
    ]
    peak = run.peak / 1e9
    holds = peak <= memory_goal if goals else None
    told.append(Figure(figure=f"{name}: peak memory", value=peak, unit="GB", goal=f"<= {memory_goal:g}", holds=holds))
    for step, (wall, cpu, most) in run.steps.items():
        rate = run.megabytes / cpu if cpu else None
        told.append(
            Figure(
                figure=f"{name}: {step}",
                value=rate,
                unit="MB/s core",
                why=f"{cpu:.1f} CPU s, {wall:.1f} s, peak {most / 1e9:.2f} GB",
            )
        )
    return told


def families() -> dict[str, tuple[str, Callable[[dict[str, Any]], object]]]:
    """Every family of rules: which records it is asked about (markup, text), and the public function that is timed."""
    from freehold.stages.curate.decontamination import read_packs
    from freehold.stages.curate.markup import extract
    from freehold.text import language, privacy, signatures
    from freehold.text.contamination import overlap
    from freehold.text.paragraphs import paragraphs
    from freehold.text.passages import passages
    from freehold.text.repair import repair
    from freehold.text.rules import Facts
    from freehold.text.rules import fault as first_fault
    from freehold.text.tokens import tokens

    def fault(record: dict[str, Any]) -> object:
        return first_fault(Facts(record["text"]), min_characters=200, max_characters=5_000_000)

    def settle(record: dict[str, Any]) -> object:
        return language.settle(record["text"], declared=record.get("lang"), confidence=0.5)

    def redact(record: dict[str, Any]) -> object:
        return privacy.redact(record["text"], rules=corpus.REDACTED, language=record.get("lang") or "und")

    exam = read_packs((str(corpus.PACK),)).exam

    def hashed(record: dict[str, Any]) -> object:
        unspaced, words = signatures.unspaced(record["text"]), tokens(record["text"])
        sketch = signatures.sketch(words, width=signatures.WIDTH[unspaced])
        return sketch, paragraphs(record["text"], unspaced=unspaced)

    return {
        "extraction": ("markup", lambda record: extract(record["text"])),
        "repair": ("text", lambda record: repair(record["text"])),
        "quality": ("text", fault),
        "language": ("text", settle),
        "privacy": ("text", redact),
        "passages": ("text", lambda record: passages(record["text"], main=record.get("lang") or "und")),
        "tokens and contamination": ("text", lambda record: overlap(tokens(record["text"]), exam)),
        "tokens, sketch, paragraphs": ("text", hashed),
        "digest": ("text", lambda record: (signatures.digest(record["text"]), signatures.unspaced(record["text"]))),
    }


def sample(paths: list[Path]) -> dict[str, list[dict[str, Any]]]:
    """The same records every time: the first of every shard up to an even share of the sample, pages apart."""
    found: dict[str, list[dict[str, Any]]] = {"text": [], "markup": []}
    for path in paths:
        left = SAMPLE_BYTES // len(paths)
        for record in corpus.records(path):
            if len(record["text"]) > SAMPLE_DOCUMENT:
                continue
            found["markup" if record.get("markup") == "html" else "text"].append(record)
            left -= len(record["text"].encode())
            if left < 0:
                break
    return found


def timed(paths: list[Path], *, repetitions: int) -> list[Figure]:
    """MB/s of every family of rules, the best of some repetitions; by the clock, as pages are parsed in a child."""
    records, told = sample(paths), []
    for name, (kind, ask) in families().items():
        size = sum(len(record["text"].encode()) for record in records[kind])
        if not size:
            told.append(Figure(figure=f"rules: {name}", value=None, unit="MB/s core", why=f"no {kind} in the sample"))
            continue
        ask(records[kind][0])  # models and tables are loaded once a process
        seconds = []
        for _ in range(repetitions):
            begun = time.perf_counter()
            for record in records[kind]:
                ask(record)
            seconds.append(time.perf_counter() - begun)
        told.append(Figure(figure=f"rules: {name}", value=size / 1e6 / min(seconds), unit="MB/s core"))
    return told


def main() -> None:
    """Measure, and report as asked."""
    parser = report.parser(__doc__)
    parser.add_argument("--corpora", type=Path, default=os.environ.get("FREEHOLD_CORPORA"), help="a folder of shards")
    parser.add_argument("--enlarge", type=int, default=0, metavar="N", help="once more with every document N times")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="the shards whose names hold one of these, by comma"
    )
    options = parser.parse_args()
    if options.corpora is None:
        why = "no folder of shards: --corpora PATH or FREEHOLD_CORPORA"
        report.report("curate", [Figure(figure="curate", value=None, unit="", why=why)], options=options, repetitions=0)
        return
    paths = corpus.shards(Path(options.corpora), quick=options.quick)
    words = [word for word in options.only.split(",") if word]
    paths = [path for path in paths if not words or any(word in path.name for word in words)]
    repetitions = 1 if options.quick else 3
    figures = timed(paths, repetitions=repetitions)
    whole = not options.quick and not words
    with tempfile.TemporaryDirectory() as place:
        once = curate(Path(place) / "once", paths)
        holds = once.wall_s <= GOAL_S if whole and report.cores() == 2 else None
        figures.append(Figure(figure="once: wall", value=once.wall_s, unit="s", goal=f"<= {GOAL_S:g}", holds=holds))
        figures += figures_of(once, "once", memory_goal=GOAL_GB, goals=whole)
        if options.enlarge:
            many = corpus.enlarge(paths, Path(place) / "enlarged", times=options.enlarge)
            more = curate(Path(place) / "more", many)
            name = f"{options.enlarge}-fold"
            figures.append(Figure(figure=f"{name}: wall", value=more.wall_s, unit="s"))
            figures += figures_of(more, name, memory_goal=ENLARGED_GB, goals=whole)
            growth = (more.cpu_s / once.cpu_s) / (more.megabytes / once.megabytes)
            figures.append(
                Figure(
                    figure=f"{name}: CPU a byte against once",
                    value=growth,
                    unit="×",
                    goal=f"<= {GROWTH:g}",
                    holds=growth <= GROWTH,
                )
            )
    report.report("curate", figures, options=options, repetitions=1)


if __name__ == "__main__":
    main()
