"""Sweep: short trials of the real recipe on the real shards, one for every combination of rate, batch and depth.

A trial that is done is one file in the sweep's folder, named by everything it is a function of. A sweep that is killed
goes on with the next trial, and a wider sweep of the same corpus and code finds the trials of the narrower one.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from freehold.errors import InputError
from freehold.learn import device as devices
from freehold.learn.phases import Recipe
from freehold.learn.session import use_threads
from freehold.learn.shards import Shards
from freehold.learn.utilisation import peak
from freehold.model.config import ModelConfig
from freehold.records import canonical_json
from freehold.stage import Stage, visit
from freehold.stages.train import findings
from freehold.stages.train.forecast import DEPTH
from freehold.stages.train.held_out import held_out
from freehold.stages.train.room import fitted
from freehold.stages.train.trial import Trial, recipe_of, taken
from freehold.store.closure import code_digest
from freehold.store.workspace import write_atomic

ASSUMED_UTILISATION = 0.2  # of the matrix rate, for a forecast before the first trial
NEEDS = ("curate", "tokenize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A trial with its recipe; `path` is where its result is, or will be."""

    trial: Trial
    recipe: Recipe
    path: Path

    @property
    def shape(self) -> ModelConfig:
        """The model it trains."""
        return ModelConfig(**self.recipe["model"])

    @property
    def result(self) -> dict[str, Any] | None:
        """What it found, if it is done."""
        found: dict[str, Any] | None = json.loads(self.path.read_bytes()) if self.path.is_file() else None
        return found


def perform(
    *, charter: str, workspace: str, run_folder: str, grid: dict[str, Any], append: str | None
) -> dict[str, Any]:
    """The entry point of the verb's job: take what trials are left, then fit and write down what all of them say."""
    stage = visit(charter=charter, workspace=workspace, run_folder=run_folder, needs=NEEDS)
    devices.settle(devices.choose(stage.charter.train.device))
    with stage.workspace.lock("sweep"):
        plans = planned(stage, grid)
        take(stage, [plan for plan in plans if plan.result is None])
        results = [plan.result for plan in plans]
        found = findings.findings(stage, [result for result in results if result is not None])
        write_atomic(stage.run_folder / findings.FILE, canonical_json(found))
        text = findings.markdown(found, title=f"sweep of {stage.charter.release.name}")
        write_atomic(stage.run_folder / findings.PAGE, text.encode())
        if append is not None:
            with Path(append).open("a", encoding="utf-8") as file:
                file.write("\n" + text)
    return {"figures": findings.figures(found)}


def forecast(*, charter: str, workspace: str, run_folder: str, grid: dict[str, Any]) -> dict[str, Any]:
    """How many trials and tokens are left, and how long they take here: by trials that are done, else assumed."""
    stage = visit(charter=charter, workspace=workspace, run_folder=run_folder, needs=NEEDS)
    plans = planned(stage, grid)
    left, done = [plan for plan in plans if plan.result is None], [plan.result for plan in plans]
    known = [result["utilisation"] for result in done if result is not None]
    use_threads(plans[0].recipe["threads"])
    rate = peak(plans[0].recipe["precision"], device=plans[0].recipe["device"])
    flops = sum(plan.recipe["tokens"] * plan.shape.flops_per_token(plan.recipe["sequence"]) for plan in left)
    utilisation = median(known) if known else ASSUMED_UTILISATION
    return {
        "trials": len(plans),
        "done_before": len(plans) - len(left),
        "tokens": sum(plan.recipe["tokens"] for plan in left),
        "expected_minutes": round(flops / rate / utilisation / 60, 2),
        "by": f"{utilisation:.0%} of {rate / 1e12:.2f} TFLOP/s, {'as measured' if known else 'assumed'}; not compiling",
    }


def planned(stage: Stage, grid: dict[str, Any]) -> list[Plan]:
    """Every combination, seeds innermost, each with its recipe. Raises InputError for a number that cannot be meant."""
    train, model = stage.charter.train, stage.charter.model
    if stage.charter.base is not None:
        advice = "sweep a copy of the charter without [base], or set [base].learning_rate by hand"
        raise InputError("a sweep trains from random weights, not from a base", where="base", remedy=advice)
    rates = grid["rates"] or [train.learning_rate * factor for factor in (0.5, 1.0, 2.0)]
    batches, depths = grid["batches"] or [train.batch_tokens], grid["depths"] or [model.depth or DEPTH]
    for name, values in (("rates", rates), ("batches", batches), ("depths", depths), ("tokens", grid["tokens"])):
        if wrong := [value for value in values if value <= 0]:
            raise InputError(f"{wrong[0]} is not a positive number", where=f"--{name}", remedy="correct it")
    seeds = range(train.seed, train.seed + grid["seeds"])
    code, folder = code_digest(Trial.__module__), stage.run_folder / "trials"
    plans = []
    for depth, batch, tokens, rate, seed in itertools.product(depths, batches, grid["tokens"], rates, seeds):
        trial = Trial(depth=depth, batch_tokens=batch, rate=rate, tokens=tokens, seed=seed)
        recipe = recipe_of(stage, trial)
        # How many sequences pass at once depends on the memory that is free now, and moves nothing but rounding.
        lasting = {name: value for name, value in recipe.items() if name != "micro"}
        named = canonical_json({"recipe": lasting, "held_out": stage.digest("curate"), "code": code})
        plans.append(Plan(trial=trial, recipe=recipe, path=folder / f"{hashlib.sha256(named).hexdigest()}.json"))
    return plans


def take(stage: Stage, plans: Sequence[Plan]) -> None:
    """Take the trials one after the other, each result on disk before the next begins."""
    if not plans:
        return
    plans = [replace(plan, recipe=fitted(stage, plan.recipe)) for plan in plans]  # refused before the first begins
    shards, facts = Shards.open(stage.input("tokenize")), plans[0].recipe
    use_threads(facts["threads"])
    judge = held_out(
        stage.input("curate"),
        stage.input("tokenize"),
        languages=sorted(facts["shares"]),
        sequence=facts["sequence"],
        bos=facts["model"]["bos_id"],
    )
    rate = peak(facts["precision"], device=facts["device"])
    with stage.progress.task("sweep", total=sum(plan.recipe["tokens"] for plan in plans), unit="tok") as task:
        for plan in plans:
            if plan.recipe["compiled"]:
                torch.compiler.reset()  # shapes of the trial before need not be remembered
            result = taken(plan.trial, plan.recipe, shards=shards, judge=judge, task=task, peak=rate)
            write_atomic(plan.path, canonical_json(result))
