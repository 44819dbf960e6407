"""Every figure that wants a GPU, in order of importance, each in a process with a time limit of its own.

Results are kept after every figure, beside those of earlier runs on the same kind of GPU, in `bench/results` and in
the folder that $OUT names. `--rehearse` runs everything on a CPU with tiny shapes, to test the script itself.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from report import Figure, keep, parser, result_path, show

HERE = Path(__file__).parent
NEEDED = ("torch", "numpy", "safetensors", "pyarrow", "rich")
LEAST_S = 20.0  # below this a worker is not begun
LINE = "FIGURE "  # what a worker prints before a figure
REHEARSED = "rehearsed on a CPU with tiny shapes: no figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A worker, `module:function` below `gpu_figures`, and the seconds it may take at most."""

    entry: str
    limit_s: float
    arguments: tuple[str, ...] = ()


JOBS = {
    "124M": Job(entry="training:bf16", arguments=("124M",), limit_s=120),
    "1B": Job(entry="training:bf16", arguments=("1B",), limit_s=150),
    "fp8": Job(entry="training:fp8", limit_s=150),
    "350M": Job(entry="training:bf16", arguments=("350M",), limit_s=120),
    "resume": Job(entry="exactness:resume", limit_s=120),
    "drift": Job(entry="exactness:drift", limit_s=120),
    "peer": Job(entry="training:peer", limit_s=90),
    "serving": Job(entry="serving:serving", limit_s=60),
    "repeating": Job(entry="training:price_of_repeating", limit_s=90),
    "parts": Job(entry="parts:parts", limit_s=60),
    "loss": Job(entry="loss", limit_s=600),
}


def main() -> None:
    """Measure, or be one worker of a measurement."""
    options = arguments()
    if options.run:
        from gpu_figures.exactness import run

        print(run(setting_of(options), options.run))
    elif options.worker:
        work(options)
    else:
        measure(options)


def arguments() -> argparse.Namespace:
    """The options of the bench contract and ours."""
    options = parser(__doc__)
    options.add_argument("--only", action="append", choices=list(JOBS), help="this figure alone; may be repeated")
    options.add_argument("--minutes", type=float, default=8.0, help="for everything together")
    options.add_argument("--rehearse", action="store_true", help="on a CPU, with tiny shapes")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    options.add_argument("--known", type=json.loads, default={}, help=argparse.SUPPRESS)
    options.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    return options.parse_args()


def measure(options: argparse.Namespace) -> None:
    """Run the workers one after the other while there is time."""
    until = time.monotonic() + 60 * options.minutes
    device, absent = find_device(options)
    kept = Kept(path=None if options.rehearse or absent else result_path("gpu", machine=device))
    measured: list[Figure] = []
    for name in options.only or [name for name in JOBS if not (options.quick and name == "loss")]:
        left_s = min(JOBS[name].limit_s, until - time.monotonic())
        why = absent or (f"no time was left: run --only {name}" if left_s < LEAST_S else "")
        # Ratios are taken within a run alone, never against a figure kept from an earlier one.
        known = {figure.figure: figure.value for figure in measured if figure.value is not None}
        results = [Figure(figure=name, value=None, unit="", why=why)] if why else run(name, options, known, left_s)
        for result in results:
            kept.add(name, result)
            if isinstance(result, Figure):
                measured.append(result)
                if not options.json:
                    show([result], as_json=False)
        if device:
            kept.save(options, device=device)
    if options.json:
        show(measured, as_json=True)


class Kept:
    """What is known of this kind of GPU: figures of this run over those of earlier ones, each with its day."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        earlier = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
        self.figures = {row["figure"]: Figure(**row) for row in earlier.get("figures", [])}
        self.curves: dict[str, Any] = earlier.get("curves", {})
        self.measured_on: dict[str, str] = earlier.get("measured_on", {})

    def add(self, job: str, result: Figure | dict[str, Any]) -> None:
        """A figure or a curve; a figure that could not be measured does not replace one that could."""
        if isinstance(result, dict):
            self.curves.update(result)
            return
        self.figures.pop(job, None)  # what an earlier run could only say of the job as a whole
        if result.value is not None or result.figure not in self.figures:
            self.figures[result.figure] = result
            self.measured_on[result.figure] = datetime.datetime.now(datetime.UTC).date().isoformat()

    def save(self, options: argparse.Namespace, *, device: str) -> None:
        """Write the file anew, where asked and where $OUT wants it."""
        places = [self.path] if options.save and self.path else []
        if os.environ.get("OUT"):
            places.append(Path(os.environ["OUT"], self.path.name if self.path else "gpu-rehearsal.json"))
        more = {"measured_on": self.measured_on, "curves": self.curves}
        for place in places:
            figures = list(self.figures.values())
            keep(place, "gpu", figures, quick=options.quick, repetitions=1, device=device, more=more)


def find_device(options: argparse.Namespace) -> tuple[str, str]:
    """The GPU's name, and why nothing can be measured ("" if it can)."""
    missing = [package for package in NEEDED if find_spec(package) is None]
    if missing:
        return "", f"not installed: {', '.join(missing)}"
    if options.rehearse:
        return "cpu", ""
    # In a process of its own, so that this one holds no memory of the GPU.
    ask = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
    done = subprocess.run([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True, check=False)
    name = done.stdout.strip()
    return name, "" if name else "no CUDA device"


def run(
    name: str, options: argparse.Namespace, known: dict[str, float], limit_s: float
) -> Iterator[Figure | dict[str, Any]]:
    """The figures and curves of one worker; a reason in their place if it fails or takes too long."""
    command = [sys.executable, __file__, "--worker", name, "--known", json.dumps(known)]
    if name == "loss":
        command = [sys.executable, str(HERE / "loss.py"), "--device", "cuda", "--json"]
    if not Path(command[1]).exists() or (name == "loss" and options.rehearse):
        why = "it has a test of its own" if options.rehearse else f"{Path(command[1]).name} is not there"
        yield Figure(figure=name, value=None, unit="", why=why)
        return
    output, complaint, why = finished(command + ["--rehearse"] * options.rehearse, limit_s)
    if os.environ.get("OUT"):
        with Path(os.environ["OUT"], "gpu.log").open("ab") as log:
            log.write(f"== {name}\n".encode() + complaint)
    for line in output.decode().splitlines():
        yield from told(line, options)
    if why:
        yield Figure(figure=name, value=None, unit="", why=why)


def finished(command: list[str], limit_s: float) -> tuple[bytes, bytes, str]:
    """What a worker wrote to stdout and stderr, and why it did not end well ("" if it did)."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment_of(), process_group=0
    )
    why = ""
    try:
        output, complaint = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        why = f"stopped after {limit_s:.0f} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it has started
    if why:
        output, complaint = process.communicate()
    elif process.returncode:
        why = last_line(complaint) or f"ended with {process.returncode}"
    return output, complaint, why


def told(line: str, options: argparse.Namespace) -> Iterator[Figure | dict[str, Any]]:
    """What a line of a worker's output says."""
    rows = []
    if line.startswith(LINE):
        rows = [json.loads(line.removeprefix(LINE))]
    elif line.startswith("["):  # another bench's list of figures
        rows = json.loads(line)
    for row in rows:
        if "figure" not in row:
            yield {row["name"]: row["rows"]}
            continue
        figure = Figure(**row)
        why = REHEARSED if figure.value is not None else figure.why
        yield replace(figure, holds=None, why=why) if options.rehearse else figure


def environment_of() -> dict[str, str]:
    """This process's, with our sources where they are not installed."""
    paths = [str(HERE.parent / "src"), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}


def last_line(complaint: bytes) -> str:
    """The end of what a worker wrote to stderr."""
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def setting_of(options: argparse.Namespace) -> Any:
    """What a worker is told."""
    from gpu_figures.setting import Setting

    return Setting(rehearse=options.rehearse, known=options.known)


def work(options: argparse.Namespace) -> None:
    """Be a worker: print each figure and curve as soon as it is known."""
    from freehold.learn import device

    setting = setting_of(options)
    device.settle(setting.device)
    job = JOBS[options.worker]
    module, _, function = job.entry.partition(":")
    for found in getattr(import_module(f"gpu_figures.{module}"), function)(setting, *job.arguments):
        print(LINE + json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    main()
