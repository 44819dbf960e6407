"""Room: whether a run fits this machine's memory, told before its first step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.learn import memory
from freehold.learn.footprint import coarse, footprint
from freehold.learn.phases import Recipe
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.stage import Stage
from freehold.stages.train.forecast import shape_of

SHORTEST = 16  # tokens of a sequence


def fitted(stage: Stage, recipe: Recipe, *, ranks: int = 1) -> Recipe:
    """The recipe with as many sequences at once as there is room for; `ranks` share a CPU's memory and every batch.

    Raises InputError that says what is needed, what there is and what would fit, where there is no room for one.
    """
    have = memory.available(recipe["device"])
    if have is None:
        return recipe
    if "phases" in recipe:
        recipe = {
            **recipe,
            "phases": [narrowed(stage, recipe, row, have=have, ranks=ranks) for row in recipe["phases"]],
        }
    return narrowed(stage, recipe, recipe, have=have, ranks=ranks)


def narrowed(stage: Stage, recipe: Recipe, row: dict[str, Any], *, have: int, ranks: int) -> dict[str, Any]:
    """A row with `sequence` and `micro`, the latter halved until the run has room; tells so."""
    most = min(row["micro"], -(-row["samples"] // ranks))
    shape, micro, sequence = shape_in(recipe), most, row["sequence"]
    while (need := needed(shape, recipe, micro=micro, sequence=sequence, ranks=ranks)) > have and micro > 1:
        micro //= 2
    if need > have:
        keys = ("model", "depth") if stage.charter.base is None else ("base", "path")
        raise InputError(
            f"training needs {gigabytes(need)} of memory, {gigabytes(have)} are free",
            where=charters.where(stage.charter.path, keys),
            remedy=advice(stage.charter, recipe, sequence=sequence, have=have, ranks=ranks),
        )
    if micro < most:
        stage.progress.note(f"{micro} sequences of {sequence:,} tokens at once, as {gigabytes(have)} are free")
        return {**row, "micro": micro}
    return row


def shape_in(recipe: Recipe) -> ModelConfig | ForeignConfig:
    """The model of a recipe, or what is known of one that is not ours."""
    model = recipe["model"]
    return ForeignConfig(**model) if "matrix_parameters" in model else ModelConfig(**model)


def needed(shape: ModelConfig | ForeignConfig, recipe: Recipe, *, micro: int, sequence: int, ranks: int = 1) -> int:
    """Bytes at the highest point of a step: of all ranks on a CPU, of one on a GPU, where each has its own."""
    if isinstance(shape, ForeignConfig):
        return coarse(shape)
    device = recipe["device"]
    one = footprint(
        shape,
        micro=micro,
        sequence=sequence,
        precision=recipe["precision"],
        device=device,
        native=recipe["kernels"] != "torch",
        masked=recipe["document_mask"],
    )
    return one.total * (ranks if device == "cpu" else 1)


def advice(charter: Charter, recipe: Recipe, *, sequence: int, have: int, ranks: int) -> str:
    """What would fit: the largest smaller depth, or the longest shorter sequence."""
    vocabulary, fits = recipe["model"]["vocab_size"], list[str]()
    for depth in range(recipe["model"]["depth"] - 1 if charter.base is None else 0, 0, -1):
        smaller = replace(charter, model=replace(charter.model, depth=depth))
        if needed(shape_of(smaller, vocabulary=vocabulary), recipe, micro=1, sequence=sequence, ranks=ranks) <= have:
            fits.append(f"depth = {depth}")
            break
    shorter = sequence // 2
    while shorter >= SHORTEST:
        if needed(shape_in(recipe), recipe, micro=1, sequence=shorter, ranks=ranks) <= have:
            fits.append(f"sequence = {shorter}")
            break
        shorter //= 2
    return f"{' or '.join(fits)} would fit" if fits else "free memory, or take a larger machine"


def gigabytes(size: int) -> str:
    """Bytes for the eye: ``gigabytes(1_500_000_000) == "1.50 GB"``."""
    return f"{size / 1e9:.2f} GB"
