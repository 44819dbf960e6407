"""Part of check 4: recipes are what charter, chain, data and model say of the training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from freehold.errors import GateError
from freehold.proof.bundle import step_path
from freehold.proof.chain import Segment
from freehold.proof.statements import StageStatement
from freehold.stages.verify.claims import agree, loaded, sound, table
from freehold.stages.verify.contents import Contents

TRAIN, REFINE = "evidence/train/recipe.json", "evidence/refine/recipe.json"
CONFIG = "model/config.json"
FORMAT = 1
CHARTER = ("sequence", "goldfish", "document_mask", "checkpoint_steps", "warmup_steps", "decay_share", "seed")
RATES = {
    "matrix": "learning_rate",
    "embedding": "embedding_learning_rate",
    "head": "head_learning_rate",
    "vector": "vector_learning_rate",
    "weight_decay": "weight_decay",
}
SHAPE = {
    "depth": "num_hidden_layers",
    "width": "hidden_size",
    "vocab_size": "vocab_size",
    "heads": "num_attention_heads",
}
KEPT = ("frozen", "dtype", "threads", "seed")  # of training, in the refinement as well

Recipe = dict[str, Any]


def check(contents: Contents, steps: Mapping[str, StageStatement], segments: Sequence[Segment]) -> None:
    """Raise GateError where a recipe differs from what it was made of; one that is not there says nothing."""
    trained = loaded(contents, TRAIN) if TRAIN in contents.listed else {}
    if trained and "train" in steps:
        with sound(TRAIN):
            pretraining(contents, trained, steps)
    if trained and REFINE in contents.listed and "refine" in steps:
        with sound(REFINE):
            refinement(loaded(contents, REFINE), trained, steps, segments)
    for number, segment in enumerate(segments, 1):
        every = trained.get("checkpoint_steps")
        if type(every) is int and segment.last_step - segment.first_step >= every:
            raise GateError(
                f"segment {number} is longer than {every} steps", where=f"evidence/{segment.stage}/chain.jsonl"
            )


def pretraining(contents: Contents, recipe: Recipe, steps: Mapping[str, StageStatement]) -> None:
    """The recipe of train against the charter's table, the tokens, the statement's figures and the model's folder."""
    step, where = steps["train"], step_path("train")
    agree("format", {"this version": FORMAT, TRAIN: recipe.get("format")})
    charter = table(step.parameters, "train")
    if charter:
        for key in CHARTER:
            agree(key, {where: charter.get(key), TRAIN: recipe.get(key, "nothing")})
        agree("samples", {where: charter["batch_tokens"] // charter["sequence"], TRAIN: recipe.get("samples")})
        agree("keep_every", {where: charter.get("keep_every") or 0, TRAIN: recipe.get("keep_every")})
        agree("keep_checkpoints", {where: charter.get("keep_checkpoints"), TRAIN: recipe.get("keep_checkpoints")})
        if recipe.get("base") is None:
            agree("rates", {where: {name: charter.get(key) for name, key in RATES.items()}, TRAIN: recipe.get("rates")})
    if "tokenize" in steps:
        agree("data", {step_path("tokenize"): steps["tokenize"].output, TRAIN: recipe.get("data")})
    agree("base", {TRAIN: recipe.get("base", "nothing"), where: step.figures.get("base")})
    measured = {"steps": recipe.get("steps"), "precision": recipe.get("precision")}
    agree("figures", {TRAIN: measured, where: {name: step.figures.get(name) for name in measured}})
    if recipe.get("base") is None and CONFIG in contents.listed:
        config, shape = loaded(contents, CONFIG), table(recipe, "model")
        agree(
            "model",
            {
                CONFIG: {name: config.get(key) for name, key in SHAPE.items()},
                TRAIN: {name: shape.get(name) for name in SHAPE},
            },
        )


def refinement(
    recipe: Recipe, trained: Recipe, steps: Mapping[str, StageStatement], segments: Sequence[Segment]
) -> None:
    """The recipe of refine against that of train, the charter's table, and the instructions that it read."""
    step, where = steps["refine"], step_path("refine")
    agree("format", {"this version": FORMAT, REFINE: recipe.get("format")})
    agree("steps", {REFINE: recipe.get("steps"), where: step.figures.get("steps")})
    last = [segment.checkpoint for segment in segments if segment.stage == "train"][-1]
    agree("base", {"evidence/train/chain.jsonl": last, REFINE: recipe.get("base")})
    if not recipe.get("steps"):
        return  # the model went through unchanged
    agree("data", {TRAIN: trained.get("data"), REFINE: recipe.get("data")})
    for key in KEPT:
        agree(key, {TRAIN: trained.get(key), REFINE: recipe.get(key)})
    if recipe.get("instructions") not in step.files.values():
        raise GateError("learned from instructions that refine did not read", where=REFINE)
    charter = table(step.parameters, "refine")
    agree("epochs", {where: charter.get("epochs"), REFINE: recipe.get("epochs")})
    rates, before = table(recipe, "rates"), table(trained, "rates")
    factor = charter["learning_rate"] / before["matrix"]
    for name in RATES:
        due = before[name] * (1 if name == "weight_decay" else factor)
        if not isinstance(rates.get(name), int | float) or not math.isclose(rates[name], due, rel_tol=1e-9):
            raise GateError(f"the rate {name} is {rates.get(name)!r}, charter and training give {due!r}", where=REFINE)
    taken = {"steps": recipe["steps"], "tokens": recipe["steps"] * recipe["samples"] * recipe["sequence"]}
    agree("figures", {REFINE: taken, where: {name: step.figures.get(name) for name in taken}})
