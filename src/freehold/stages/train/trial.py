"""One trial of a sweep: the charter's recipe with other numbers, trained for a few tokens and judged on held-out text.

The digest of this module's code is part of a trial's name, so nothing stands here that does not decide its result.
"""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from freehold.charter import Charter
from freehold.errors import GateError
from freehold.learn.loop import Taken, learn
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.schedule import Schedule
from freehold.learn.shards import Shards
from freehold.progress import Task
from freehold.stage import Stage
from freehold.stages.train.forecast import DEPTH
from freehold.stages.train.held_out import HeldOut
from freehold.stages.train.recipe import compose, session_of

RATES = ("matrix", "embedding", "head", "vector")  # scaled together


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point of the grid."""

    depth: int
    batch_tokens: int
    rate: float  # of the matrices; the others keep their ratio to it
    tokens: int
    seed: int


def recipe_of(stage: Stage, trial: Trial) -> Recipe:
    """The charter's recipe with the trial's numbers, for as many whole steps as its tokens fill."""
    recipe = compose(replace(stage, charter=charter_of(stage.charter, trial)))
    steps = max(1, trial.tokens // (recipe["samples"] * recipe["sequence"]))
    recipe.pop("phases", None)  # a trial is the main stretch alone
    return {**recipe, "steps": steps, "tokens": steps * recipe["samples"] * recipe["sequence"]}


def charter_of(charter: Charter, trial: Trial) -> Charter:
    """The charter with the trial's numbers. At another depth, the width and what follows from it are derived again."""
    train, model, factor = charter.train, charter.model, trial.rate / charter.train.learning_rate
    if trial.depth != (model.depth or DEPTH):
        model = replace(model, depth=trial.depth, width=None, heads=None, kv_heads=None, ffn_width=None)
    return replace(
        charter,
        model=model,
        train=replace(
            train,
            tokens=trial.tokens,
            batch_tokens=trial.batch_tokens,
            seed=trial.seed,
            learning_rate=trial.rate,
            embedding_learning_rate=train.embedding_learning_rate * factor,
            head_learning_rate=train.head_learning_rate * factor,
            vector_learning_rate=train.vector_learning_rate * factor,
        ),
    )


def taken(trial: Trial, recipe: Recipe, *, shards: Shards, judge: HeldOut, task: Task, peak: float) -> dict[str, Any]:
    """Train one trial from its seed and judge it; what it found, as JSON values."""
    session = session_of(recipe)
    shape = session.config
    losses: list[float] = []
    ends = [time.monotonic()]

    def after(step: Taken) -> None:
        losses.append(step.loss)
        ends.append(time.monotonic())
        batch = recipe["samples"] * recipe["sequence"]
        task.advance(batch, depth=trial.depth, rate=trial.rate, loss=step.loss)

    try:
        learn(
            session.model,
            batches=Curriculum(shards, recipe),
            optimizer=session.optimizer,
            schedule=Schedule(
                steps=recipe["steps"], warmup_steps=recipe["warmup_steps"], decay_share=recipe["decay_share"]
            ),
            guard=session.guard,
            micro=recipe["micro"],
            after=after,
        )
        bits = judge.bits_per_byte(session.model, rows=min(recipe["micro"], recipe["samples"]))
    except GateError:  # the loss is no number any more: that is a finding too
        bits = {}
    if not all(map(math.isfinite, bits.values())):
        bits = {}
    step_s = median(end - begin for begin, end in itertools.pairwise(ends)) if losses else 0.0
    speed = recipe["samples"] * recipe["sequence"] / step_s if step_s else 0.0
    shares = recipe["shares"]
    return {
        **asdict(trial),
        "tokens": recipe["tokens"],
        "steps": recipe["steps"],
        "width": shape.width,
        "parameters": shape.parameters,
        "matrix_parameters": shape.matrix_parameters,
        "rates": {name: recipe["rates"][name] for name in RATES},
        "bits_per_byte_by_language": {code: round(value, 5) for code, value in bits.items()},
        "bits_per_byte": round(sum(shares[code] * bits[code] for code in bits) / sum(shares.values()), 5)
        if bits
        else None,
        "loss": round(sum(losses[-20:]) / len(losses[-20:]), 5) if bits else None,
        "tokens_per_s": round(speed),
        "utilisation": round(speed * shape.flops_per_token(recipe["sequence"]) / peak, 4),
        "precision": recipe["precision"],
    }
