"""Held-out bits per byte after equal tokens: our recipe, AdamW, and the Muon that torch ships.

The contenders differ in what moves the matrices alone; embedding, head and vectors learn by the same AdamW at the same
rates. Each kind tries the same number of rates in short trials, and takes its best one through whole runs with several
seeds. Every finished trial and run is a file in the work folder and is not made again, so that a figure of hours can be
gathered over several sittings; there is no verdict before all runs are there.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from loss_runs.course import Course, prepared
from loss_runs.kinds import KINDS, Kind
from report import Figure, keep, parser, result_path, show

from freehold.learn import device as devices

CHARTER = Path(__file__).parent.parent / "examples" / "commons" / "charter.toml"
BETTER, NOT_WORSE = 0.97, 1.0  # ours, times AdamW and times the published recipe
GPU_MINUTES = 6.0  # what the hook of gpu.py leaves, less one run


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known of one kind."""

    kind: Kind
    trials: list[dict[str, Any]]
    rate: float | None  # the best of all trials; None until all are there
    runs: list[dict[str, Any]]
    seeds: int

    @property
    def complete(self) -> bool:
        """Whether every run is there, and none diverged."""
        return len(self.bits) == self.seeds

    @property
    def bits(self) -> list[float]:
        """Of the runs that are there."""
        return [run["bits_per_byte"] for run in self.runs if run["bits_per_byte"] is not None]

    @property
    def value(self) -> float | None:
        """Mean over the seeds that are there."""
        return mean(self.bits) if self.bits else None

    def told(self) -> str:
        """Trials with their outcomes, and the runs."""
        rows = ((row["rate"], row["bits_per_byte"]) for row in self.trials)
        trials = ", ".join(f"{rate:.4g} {'diverged' if bits is None else f'{bits:.4f}'}" for rate, bits in rows)
        edge = self.rate is not None and len(self.trials) > 1 and self.rate in (
            self.trials[0]["rate"], self.trials[-1]["rate"]
        )  # fmt: skip
        chosen = "" if self.rate is None else f"; rate {self.rate:.4g}{', at the edge of what was tried' * edge}"
        seeds = ", ".join(f"{bits:.4f}" for bits in self.bits)
        return f"trials: {trials or 'none'}{chosen}; {len(self.bits)} of {self.seeds} runs: {seeds or 'none'}"


def ladder(middle: float, count: int) -> list[float]:
    """Rates a factor of two apart around a middle one.

    >>> ladder(0.02, 3)
    [0.01, 0.02, 0.04]
    """
    return [middle * 2.0 ** (place - (count - 1) // 2) for place in range(count)]


def gathered(course: Course) -> dict[str, Found]:
    """All trials of all kinds, then the runs, a seed of every kind before the next."""
    options, first = course.options, course.stage.charter.train.seed
    trials: dict[str, list[dict[str, Any]]] = {}
    for name, kind in KINDS.items():
        tried = (
            course.run(name, rate=rate, seed=first, tokens=options.trial_tokens)
            for rate in ladder(kind.rate, options.trials)
        )
        trials[name] = [result for result in tried if result is not None]
    best = {name: best_of(rows) if len(rows) == options.trials else None for name, rows in trials.items()}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in KINDS}
    for seed in range(first, first + options.seeds):
        for name, rate in best.items():
            result = None if rate is None else course.run(name, rate=rate, seed=seed, tokens=options.tokens)
            runs[name] += [] if result is None else [result]
    return {
        name: Found(kind=kind, trials=trials[name], rate=best[name], runs=runs[name], seeds=options.seeds)
        for name, kind in KINDS.items()
    }


def best_of(trials: Iterable[dict[str, Any]]) -> float | None:
    """The rate that ended lowest; None if all diverged."""
    sound = [row for row in trials if row["bits_per_byte"] is not None]
    return min(sound, key=lambda row: row["bits_per_byte"])["rate"] if sound else None


def figures(found: dict[str, Found], *, passes: dict[str, float], quick: bool) -> list[Figure]:
    """Bits per byte of every kind, ours against each peer, and the passes over the text."""
    rows = [
        Figure(figure=f"loss: {kind.kind.title}", value=kind.value, unit="bits/byte", why=kind.told())
        for kind in found.values()
    ]
    ours = found["ours"]
    codes = {run["code"] for kind in found.values() for run in (*kind.trials, *kind.runs)}
    for name, most in (("adamw", BETTER), ("published", NOT_WORSE)):
        peer = found[name]
        complete = ours.complete and peer.complete
        ratio = ours.value / peer.value if ours.value and peer.value else None
        lacking = [] if complete else ["not all runs are there"]
        lacking += ["the quick form hardly trains"] if quick else []
        lacking += [f"runs of {len(codes)} versions of the code"] if len(codes) > 1 else []
        rows.append(
            Figure(
                figure=f"loss: ours against {peer.kind.title}",
                value=ratio if complete else None,
                unit="of its bits",
                peer=peer.kind.title,
                ratio=ratio if complete else None,
                goal=f"<= {most:g} x",
                holds=ratio <= most if complete and ratio is not None and not quick else None,
                why="; ".join(lacking),
            )
        )
    told = ", ".join(f"{code} {count:.3g}" for code, count in passes.items())
    rows.append(Figure(figure="loss: most passes over a text", value=max(passes.values()), unit="passes", why=told))
    return rows


def arguments(given: list[str] | None) -> argparse.Namespace:
    """The options of the bench contract and ours; what is not given depends on the device and on --quick."""
    options = parser(__doc__)
    work = Path(tempfile.gettempdir(), "freehold-bench-loss")
    options.add_argument("--folder", type=Path, default=work, help="remembers text and runs; default: %(default)s")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options.add_argument("--depth", type=int, help="default: 4 on a CPU, 6 on a GPU")
    options.add_argument("--tokens", type=int, help="of a run; default: 20 million, 0.3 with --quick")
    options.add_argument("--trial-tokens", type=int, help="of a trial; default: a tenth of a run's (--quick: a third)")
    options.add_argument("--trials", type=int, help="rates that each kind tries; default: 5, 3 with --quick")
    options.add_argument("--seeds", type=int, help="runs of each kind; default: 3, 1 with --quick")
    options.add_argument("--batch-tokens", type=int, default=16_384, help="of a step")
    options.add_argument("--vocabulary", type=int, default=32_768)
    options.add_argument("--charter", type=Path, default=CHARTER, help="whose text is learned")
    options.add_argument("--minutes", type=float, help="after which no run is begun; default: none on a CPU")
    chosen = options.parse_args(given)
    quick = chosen.quick
    chosen.depth = chosen.depth or (4 if chosen.device == "cpu" else 6)
    chosen.tokens = chosen.tokens or (300_000 if quick else 20_000_000)
    chosen.trial_tokens = chosen.trial_tokens or chosen.tokens // (3 if quick else 10)
    chosen.minutes = chosen.minutes or (math.inf if chosen.device == "cpu" else GPU_MINUTES)
    chosen.trials, chosen.seeds = chosen.trials or (3 if quick else 5), chosen.seeds or (1 if quick else 3)
    return chosen


def main(given: list[str] | None = None) -> None:
    """Make what is lacking and there is time for, then say what is known."""
    options = arguments(given)
    until = time.monotonic() + 60 * options.minutes
    devices.settle(options.device)
    course = Course(prepared(options), options, until)
    course.folder.mkdir(parents=True, exist_ok=True)
    found = gathered(course)
    rows = figures(found, passes=course.passes(), quick=options.quick)
    show(rows, as_json=options.json)
    if options.save:
        machine = torch.cuda.get_device_name() if options.device == "cuda" else None
        more = {name: {"trials": kind.trials, "runs": kind.runs} for name, kind in found.items()}
        path = result_path("loss", machine=machine)
        keep(path, "loss", rows, quick=options.quick, repetitions=options.seeds, device=machine, more=more)
        print(f"kept in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
