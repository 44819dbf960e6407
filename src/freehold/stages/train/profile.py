"""Profile: a few steps of the real recipe on the real corpus, and where their time went. Leaves no artifact."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile, record_function

from freehold.learn import device as devices
from freehold.learn.batches import Batch, Batches
from freehold.learn.loop import learn
from freehold.learn.optimizer import Optimizer
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session, use_threads
from freehold.learn.shards import Shards
from freehold.learn.utilisation import matrix_rate
from freehold.model import native
from freehold.stage import Stage, visit
from freehold.stages.train.attribution import DATA, OPTIMIZER, ORTHOGONAL, REST, Row, attribute, operations
from freehold.stages.train.origin import Origin
from freehold.stages.train.recipe import compose, session_of
from freehold.stages.train.room import fitted

WARM_STEPS = 2  # before anything is measured: compilation, first allocations
TRACE = "trace.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedBatches:
    """Batches whose making stands in the profile under its own name."""

    inner: Batches

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        with record_function(DATA):
            return self.inner.at(step)

    def check(self) -> None:
        """Raise InputError if the data changed."""
        self.inner.check()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedOptimizer:
    """An optimizer whose steps stand in the profile under their own name."""

    inner: Optimizer

    def step(self, *, factor: float, momentum: float) -> None:
        """Update every weight."""
        with record_function(OPTIMIZER):
            self.inner.step(factor=factor, momentum=momentum)

    def forget_gradients(self) -> None:
        """Drop the gradients of a step that is skipped."""
        self.inner.forget_gradients()


def perform(*, charter: str, workspace: str, run_folder: str, steps: int) -> dict[str, Any]:
    """The entry point of the verb's job: figures of the profile, and a trace in the run folder."""
    stage = visit(charter=charter, workspace=workspace, run_folder=run_folder, needs=("tokenize",))
    devices.settle(devices.choose(stage.charter.train.device))
    origin = Origin.of(stage)
    composed = compose(stage, origin)
    main = {name: value for name, value in composed.items() if name != "phases"}  # the charter's main setting
    recipe = fitted(stage, main)
    use_threads(recipe["threads"])
    with kernel_names():
        figures = measure(stage, recipe, steps=steps, origin=origin)
    (Path(run_folder) / "profile.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return {"figures": figures, "trace": str(Path(run_folder) / TRACE)}


def measure(stage: Stage, recipe: Recipe, *, steps: int, origin: Origin | None) -> dict[str, Any]:
    """Warm up, time `steps` steps undisturbed, then profile as many."""
    corpus = Curriculum(Shards.open(stage.input("tokenize")), {**recipe, "steps": WARM_STEPS + 2 * steps})
    session = session_of(recipe, origin)
    device = next(session.model.parameters()).device.type
    with stage.progress.task("profile", total=WARM_STEPS + 2 * steps, unit="steps") as task:

        def run(first: int, count: int) -> float:
            begun = time.perf_counter()
            learn(
                session.model,
                batches=MarkedBatches(inner=corpus),
                optimizer=cast("Optimizer", MarkedOptimizer(inner=session.optimizer)),
                schedule=Schedule(steps=first + count, decay_share=0.0),
                guard=session.guard,
                first=first,
                micro=recipe["micro"],
                after=lambda _: task.advance(),
            )
            if device == "cuda":
                torch.cuda.synchronize()
            return time.perf_counter() - begun

        run(0, WARM_STEPS)
        plain_s = run(WARM_STEPS, steps) / steps
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
        with profile(activities=activities, record_shapes=True) as seen:
            wall_s = run(WARM_STEPS + steps, steps)
    seen.export_chrome_trace(str(stage.run_folder / TRACE))
    rows = attribute(operations(seen.events(), device=device), wall_us=wall_s * 1e6)
    peak = matrix_rate(recipe["precision"], device=device)
    return told(rows, recipe=recipe, session=session, steps=steps, plain_s=plain_s, wall_s=wall_s, peak=peak)


def told(
    rows: dict[str, Row], *, recipe: Recipe, session: Session, steps: int, plain_s: float, wall_s: float, peak: float
) -> dict[str, Any]:
    """The figures of the verb; times are milliseconds a step, FLOP/s are over all of a row's time."""
    tokens_per_s = recipe["samples"] * recipe["sequence"] / plain_s
    flops = session.config.flops_per_token(recipe["sequence"])
    table = {
        name: {
            "ms": round(row.own_us / steps / 1e3, 2),
            "share": round(row.own_us / wall_s / 1e6, 4),
            "tflop_per_s": round(row.flops / row.own_us / 1e6, 3) if row.flops else None,
            "of_matrix_rate": round(row.flops / row.own_us * 1e6 / peak, 3) if row.flops else None,
        }
        for name, row in rows.items()
    }
    whole = {"ms": round(wall_s / steps * 1e3, 2), "share": 1.0, "tflop_per_s": None, "of_matrix_rate": None}
    return {
        "steps_profiled": steps,
        "tokens_a_step": recipe["samples"] * recipe["sequence"],
        "precision": recipe["precision"],
        "compiled": recipe["compiled"],
        "where_a_step_goes": {**table, "together": whole},
        "covered": round(1 - rows[REST].own_us / wall_s / 1e6, 4),
        "step_ms_without_profiler": round(plain_s * 1e3, 2),
        "profiler_costs": round(wall_s / steps / plain_s - 1, 4),
        "tokens_per_s": round(tokens_per_s),
        "matrix_rate_tflop_per_s": round(peak / 1e12, 3),
        "utilisation": round(tokens_per_s * flops / peak, 4),
    }


@contextmanager
def kernel_names() -> Iterator[None]:
    """Let kernels tell the profiler their names: compiled ones, compiled once more for it, and Muon's native one."""
    from torch._inductor import config

    before, plain = config.cpp.enable_kernel_profile, native.orthogonal

    def named(x_NRC: Tensor, turns: tuple[tuple[float, float, float], ...]) -> Tensor:
        with record_function(" ".join(map(str, (ORTHOGONAL, *x_NRC.shape, len(turns))))):
            return plain(x_NRC, turns)

    config.cpp.enable_kernel_profile, native.orthogonal = True, named
    try:
        yield
    finally:
        config.cpp.enable_kernel_profile, native.orthogonal = before, plain
