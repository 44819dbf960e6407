"""Everyone who looks at a run, put together for the stages that train."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.learn.observers import Observer
from freehold.learn.phases import Phase
from freehold.plugins import collector
from freehold.sight.board import Board
from freehold.sight.languages import Language, languages_of
from freehold.sight.report import Report, Run
from freehold.sight.steps import Steps
from freehold.sight.telemetry import Telemetry
from freehold.store.environment import environment

if TYPE_CHECKING:
    from freehold.model.hf import Config
    from freehold.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What `learn.course.follow` is handed."""

    observers: tuple[Observer, ...]
    bytes_per_token: dict[str, float] | None  # by language; None where languages are not mixed by shares


def watch(stage: Stage, *, recipe: dict[str, Any], config: Config) -> Watch:
    """The observers of a run of this stage: lines, page, TensorBoard and, if the user named a collector, telemetry."""
    name, folder, steps = stage.identity.stage, stage.run_folder, int(recipe["steps"])
    folder.mkdir(parents=True, exist_ok=True)
    shares = shares_of(recipe) if "shares" in recipe else None
    languages = languages_of(stage.input("tokenize"), shares=shares) if shares else []
    observers: list[Observer] = [
        Steps(folder, scratch=stage.scratch),
        Report(folder, run=described(stage, recipe=recipe, config=config, languages=languages)),
        Board(folder, steps=steps, flush_steps=recipe["checkpoint_steps"]),
    ]
    if collector():
        observers.append(Telemetry(stage=name, steps=steps, report=stage.progress.note))
    return Watch(
        observers=tuple(observers), bytes_per_token={one.code: one.bytes_per_token for one in languages} or None
    )


def shares_of(recipe: dict[str, Any]) -> dict[str, float]:
    """Share of each language in the tokens of the whole run, over all its phases."""
    read: dict[str, float] = {}
    for phase in Phase.of(recipe):
        whole = sum(phase.shares.values())
        for code, share in phase.shares.items():
            read[code] = read.get(code, 0.0) + phase.steps * share / whole
    return read


def described(stage: Stage, *, recipe: dict[str, Any], config: Config, languages: list[Language]) -> Run:
    """What the page says about the run."""
    release, machine = stage.charter.release, environment()
    return Run(
        stage=stage.identity.stage,
        title=f"{release.name} {release.version}",
        recipe={"model": config.to_dict(), **recipe},
        languages=tuple(languages),
        parameters=config.parameters,
        flops_per_token=config.flops_per_token(recipe["sequence"]),
        machine={
            "processor": machine["processor"],
            "cores of the machine": str(os.cpu_count()),
            "threads used": str(recipe["threads"]),
            "system": machine["system"],
            "torch": str(recipe["torch"]),
            "compiled": "yes" if recipe["compiled"] else "no",
        },
        checkpoints=stage.scratch / "checkpoints",
        artifact=relative(stage.output, to=stage.workspace_folder),
    )


def relative(path: Path, *, to: Path) -> str:
    """A path from the workspace on, or its name if it lies elsewhere."""
    return str(path.relative_to(to)) if path.is_relative_to(to) else path.name
