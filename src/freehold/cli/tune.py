"""Tuning before a long run: where a step's time goes, and which rates, batches and depths pay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.options import AsJson, CharterFile, DryRun, WorkspaceFolder, near, opened
from freehold.errors import InputError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.store.workspace import Workspace

PROFILE, SWEEP = "freehold.stages.train.profile:perform", "freehold.stages.train.sweep:perform"


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("profile")(profile)
    app.command("sweep")(sweep)


def profile(
    charter: CharterFile,
    steps: Annotated[int, typer.Option("--steps", min=1, help="steps to profile")] = 5,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> None:
    """Where the time of a training step goes, and how near its products come to the machine's matrix rate."""
    _, home = opened(charter, workspace)
    folder = run_folder(home, "profile")
    found = job("profile", PROFILE, folder=folder, charter=charter, home=home, steps=steps)
    trace = near(Path(found.pop("trace")))
    if not json:
        show.out.print(f"trace {trace}  (open it in chrome://tracing or ui.perfetto.dev)", markup=False)
    show.result({**found, "trace": str(trace)}, as_json=json, title="profile")


def sweep(
    charter: CharterFile,
    rates: Annotated[str | None, typer.Option("--rates", help="of the matrices; default: half, once, twice")] = None,
    batches: Annotated[str | None, typer.Option("--batches", help="tokens a step; default: the charter's")] = None,
    depths: Annotated[str | None, typer.Option("--depths", help="a ladder; default: the charter's depth")] = None,
    tokens: Annotated[str, typer.Option("--tokens", help="for each trial")] = "500000",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="how many for each combination")] = 1,
    append: Annotated[Path | None, typer.Option("--append", help="add the section to this file")] = None,
    workspace: WorkspaceFolder = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Short trials of every combination on the real corpus: which rate, batch and depth pay; lists have commas.

    Killed, it goes on with the next trial; trials that were made before are not made again.
    """
    declared, home = opened(charter, workspace)
    grid = {
        "rates": numbers(rates, float, "--rates"),
        "batches": numbers(batches, int, "--batches"),
        "depths": numbers(depths, int, "--depths"),
        "tokens": numbers(tokens, int, "--tokens"),
        "seeds": seeds,
    }
    folder = home.folder / "runs" / f"sweep-{declared.release.name}"
    if dry_run:
        given = {"charter": str(charter), "workspace": str(home.folder), "run_folder": str(folder)}
        figures = part("freehold.stages.train.sweep:forecast")(**given, grid=grid)
        show.result({"figures": figures}, as_json=json, title="dry run: nothing was trained")
        return
    target = None if append is None else str(append.absolute())
    if append is not None and not append.absolute().parent.is_dir():
        raise InputError("there is no such folder", where=str(append.parent), remedy="make it, or name another file")
    found = job("sweep", SWEEP, folder=folder, charter=charter, home=home, grid=grid, append=target)
    if not json:
        show.out.print(f"made  {near(folder / 'sweep.json')} and sweep.md", markup=False)
    show.result({**found, "sweep": str(folder / "sweep.json")}, as_json=json, title="sweep")


def numbers(text: str | None, kind: type[int] | type[float], option: str) -> list[float]:
    """A list with commas; empty for none. Raises InputError naming what is no number.

    >>> numbers("0.01,0.02", float, "--rates")
    [0.01, 0.02]
    """
    try:
        return [kind(entry.replace("_", "")) for entry in (text or "").split(",") if entry.strip()]
    except ValueError:
        example = "4096,8192" if kind is int else "0.01,0.02"
        raise InputError(f"{text!r} is not a list of numbers", where=option, remedy=f"write {example}") from None


def run_folder(home: Workspace, name: str) -> Path:
    """A folder for what a person looks at."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return home.folder / "runs" / f"{stamp}-{name}-{time.time_ns() % 10**9:09d}"


def job(name: str, entry: str, *, folder: Path, charter: Path, home: Workspace, **arguments: Any) -> dict[str, Any]:
    """Run a part of the train stage as a job on this machine; what it returns."""
    given = {"charter": str(charter), "workspace": str(home.folder), "run_folder": str(folder), **arguments}
    spec = part("freehold.engine.job:JobSpec")(name=name, entry=entry, arguments=given, folder=folder)
    found: dict[str, Any] = part("freehold.engine.local:LocalEngine")().submit(spec).wait()
    return found
