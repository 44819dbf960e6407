"""Training compute, and what thresholds and bins of a rule pack make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from freehold.flops import flops_per_token, foreign_flops_per_token
from freehold.law.facts import MISSING, RECIPE, REFINED, Facts, Value, computed, shape_of

METHOD = (
    "tokens x training FLOP a token; a token: 6 x matrix parameters + 6 x layers x positions seen x attention width, "
    "forward and backward (freehold.flops); pre-training and refinement added up"
)


def per_token(facts: Facts, sequence: int) -> int:
    """Training FLOP a token of the recipe's model."""
    shape = shape_of(facts.files[RECIPE]["model"])
    if hasattr(shape, "matrix_parameters"):  # a foreign architecture: its matrices were counted
        counted, depth, width = shape.matrix_parameters, shape.depth, shape.width
        return foreign_flops_per_token(matrix_parameters=counted, depth=depth, width=width, sequence=sequence)
    return flops_per_token(shape, sequence)


def training_tokens(recipe: dict[str, Any]) -> list[tuple[int, int]]:
    """(tokens, window) of every phase of a recipe."""
    phases = recipe.get("phases") or [recipe]
    return [(row["steps"] * row["samples"] * row["sequence"], row["sequence"]) for row in phases]


def training_flop(facts: Facts) -> Value:
    """FLOP of pre-training and refinement, from their recipes."""
    model, *needed = (facts.at(RECIPE, key) for key in ("model", "steps", "samples", "sequence"))
    if not (model and all(needed)):
        return MISSING
    recipes = [facts.files[path] for path in (RECIPE, REFINED) if path in facts.files]
    parts = [part for recipe in recipes if "samples" in recipe for part in training_tokens(recipe)]
    total = sum(tokens * per_token(facts, window) for tokens, window in parts)
    refined = [value for value in (facts.at(REFINED, "steps"),) if value]
    return computed(total, METHOD, model, *needed, *refined)


def tokens_read(facts: Facts) -> Value:
    """Tokens that training read, repetitions counted."""
    steps, *sizes = (facts.at(RECIPE, key) for key in ("steps", "samples", "sequence"))
    if not (steps and all(sizes)):
        return MISSING
    total = sum(tokens for tokens, _ in training_tokens(facts.files[RECIPE]))
    return computed(total, "steps x sequences a step x tokens a sequence, over all phases", steps, *sizes)


def inference_flop(facts: Facts) -> Value:
    """FLOP of one generated token at full context: a third of what training pays for it."""
    context = facts.at(RECIPE, "model", "context")
    method = "a third of the training FLOP a token: the forward pass alone, averaged over positions of a full context"
    return computed(per_token(facts, context.value) // 3 if context else None, method, context)


def training_seconds(facts: Facts) -> Value:
    """Wall-clock seconds between begin and end that the training stages' statements attest."""
    total, of = 0.0, []
    for stage in ("train", "refine"):
        begun, ended = facts.step(stage, "started"), facts.step(stage, "finished")
        if begun and ended:
            total += (datetime.fromisoformat(ended.value) - datetime.fromisoformat(begun.value)).total_seconds()
            of += [begun, ended]
    method = "finished - started of train and refine; of a run that was interrupted, its last stretch alone"
    return computed(round(total, 1) if of else None, method, *of)


def energy(facts: Facts) -> Value:
    """MWh of training: as declared, or the declared mean draw over the attested time."""
    if said := facts.said("energy_mwh"):
        return said
    draw, seconds = facts.said("power_watts"), training_seconds(facts)
    found = draw.value * seconds.value / 3.6e9 if draw and seconds else None
    return computed(
        None if found is None else float(f"{found:.3g}"), "declared mean draw x attested time", draw, seconds
    )


def bin_of(amount: float, bins: Sequence[dict[str, Any]]) -> str:
    """The name of the first bin whose upper end the amount does not pass; the last has none."""
    return str(next(row["name"] for row in bins if "up_to" not in row or amount <= row["up_to"]))


def scope(facts: Facts, thresholds: Mapping[str, Any]) -> Value:
    """What the compute makes of the model under the AI Act: the outcome, and the figures that it rests on."""
    flop = training_flop(facts)
    if not flop:
        return MISSING
    based, original = facts.at(RECIPE, "base"), facts.said("base_flop")
    outcome = as_modifier(flop.value, original, thresholds) if based else as_provider(flop.value, thresholds)
    of = [flop, *([based] if based else []), *([original] if based and original else [])]
    told = [*outcome, f"Training compute here: {flop.value:.3g} FLOP."]
    return computed(told, "comparison with the thresholds of the rule pack", *of)


def as_provider(flop: int, thresholds: Mapping[str, Any]) -> list[str]:
    """Of a model trained from random weights (Article 51(2); guidelines of 18 July 2025)."""
    general, systemic = thresholds["general_purpose_flop"], thresholds["systemic_risk_flop"]
    if flop > float(systemic):
        return [
            f"An obligation: above {systemic} FLOP, presumed to have systemic risk; the Commission is to be notified."
        ]
    if flop > float(general):
        return [f"An obligation: above {general} FLOP and generating text, indicatively a general-purpose AI model."]
    return [f"Published voluntarily: below {general} FLOP, indicatively no general-purpose AI model."]


def as_modifier(flop: int, original: Value, thresholds: Mapping[str, Any]) -> list[str]:
    """Of a model that went on from an open one: a third of the original's compute decides."""
    general = thresholds["general_purpose_flop"]
    limit = float(thresholds["modifier_share"]) * (original.value if original else float(general))
    of = "the compute declared for the original model"
    if not original:
        of = f"{general} FLOP, because the original model's compute is not stated"
    told = f"A modification of an open model: the limit is a third of {of}, {limit:.3g} FLOP."
    if flop > limit:
        return ["An obligation for the modification: above the limit for those who modify a model.", told]
    return ["Published voluntarily: below the limit for those who modify a model.", told]
