"""Every figure that wants a GPU, in order of importance, each in a process with a time limit of its own.

Results are kept after every figure, beside those of earlier runs on the same kind of GPU, in `bench/results` and in
the folder that $OUT names. `--rehearse` runs everything on a CPU with tiny shapes, to test the script itself.
"""

from __future__ import annotations

import argparse
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

from report import RESULTS, Figure, keep, parser, result_path, show

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
    found: dict[str, Figure] = {}
    path = None if options.rehearse or absent else result_path("gpu", machine=device)
    curves = before(path, found)
    measured: list[Figure] = []
    for name in options.only or [name for name in JOBS if not (options.quick and name == "loss")]:
        left_s = min(JOBS[name].limit_s, until - time.monotonic())
        why = absent or (f"no time was left: run --only {name}" if left_s < LEAST_S else "")
        results = [Figure(figure=name, value=None, unit="", why=why)] if why else run(name, options, found, left_s)
        for result in results:
            if isinstance(result, dict):
                curves.update(result)
                continue
            found.pop(name, None)  # what an earlier run could only say of the job as a whole
            if result.value is not None or result.figure not in found:
                found[result.figure] = result
            measured.append(result)
            if not options.json:
                show([result], as_json=False)
        save(path, list(found.values()), curves, options=options, device=device)
    if options.json:
        show(measured, as_json=True)


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


def before(path: Path | None, found: dict[str, Figure]) -> dict[str, Any]:
    """Put the figures of earlier runs on this kind of GPU into `found`; their curves."""
    if path is None or not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    found.update({row["figure"]: Figure(**row) for row in kept["figures"]})
    curves: dict[str, Any] = kept.get("curves", {})
    return curves


def save(
    path: Path | None, figures: list[Figure], curves: dict[str, Any], *, options: argparse.Namespace, device: str
) -> None:
    """Keep everything measured so far, where asked and where $OUT wants it."""
    out = os.environ.get("OUT")
    places = [path] if options.save and path else []
    places += [Path(out, (path or RESULTS / "gpu-rehearsal.json").name)] if out and device else []
    for place in places:
        more = {"curves": curves}
        keep(place, "gpu", figures, quick=options.quick, repetitions=1, device=device, more=more)


def run(
    name: str, options: argparse.Namespace, found: dict[str, Figure], limit_s: float
) -> Iterator[Figure | dict[str, Any]]:
    """The figures and curves of one worker; a reason in their place if it fails or takes too long."""
    if name == "loss":
        command = loss_command(options)
        if command is None:
            yield Figure(figure=name, value=None, unit="", why="bench/loss.py is not there")
            return
    else:
        known = {figure.figure: figure.value for figure in found.values() if figure.value is not None}
        command = [sys.executable, __file__, "--worker", name, "--known", json.dumps(known)]
        command += ["--rehearse"] * options.rehearse
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, env=environment_of(), start_new_session=True)
    try:
        output, complaint = process.communicate(timeout=limit_s)
        why = "" if process.returncode == 0 else last_line(complaint) or f"ended with {process.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # and whatever it has started
        output, complaint = process.communicate()
        why = f"stopped after {limit_s:.0f} s"
    if os.environ.get("OUT"):
        with Path(os.environ["OUT"], "gpu.log").open("ab") as log:
            log.write(f"== {name}\n".encode() + complaint)
    for line in output.decode().splitlines():
        yield from told(line, options)
    if why:
        yield Figure(figure=name, value=None, unit="", why=why)


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


def loss_command(options: argparse.Namespace) -> list[str] | None:
    """The bench of loss per token on the GPU, if it is there; a rehearsal leaves it to its own test."""
    script = HERE / "loss.py"
    return (
        [sys.executable, str(script), "--device", "cuda", "--json"]
        if script.exists() and not options.rehearse
        else None
    )


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
