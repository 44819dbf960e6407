"""The course of a finished training, made again from what its holder kept, for whoever replays segments of it."""

from __future__ import annotations

import json
from pathlib import Path

from freehold.errors import GateError, IncompleteError, InputError
from freehold.learn.checkpoint import step_of
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.replay import Course
from freehold.learn.shards import Shards
from freehold.learn.uses import first_steps
from freehold.model.base import BaseModel
from freehold.proof import chain
from freehold.proof.bundle import step_path
from freehold.stages.train.origin import Origin
from freehold.stages.train.recipe import session_of
from freehold.stages.train.withdrawal import WITHDRAWN
from freehold.store.holdings import Holdings


def recipe_of(holdings: Holdings) -> Recipe:
    """The recipe that the statement of train names. Raises GateError if it learned from other tokens."""
    folder = holdings.checked("train", "recipe.json")
    recipe: Recipe = json.loads((folder / "recipe.json").read_bytes())
    if recipe["data"] != holdings.step("tokenize").output:
        raise GateError("its recipe names other tokens than tokenize made", where=step_path("train"))
    return recipe


def course(holdings: Holdings, recipe: Recipe, *, base: Path | None) -> Course:
    """Train as the recipe has it; `base` is the folder of the open model that it began with, if any.

    Raises IncompleteError where something is not held.
    """
    tokens = holdings.checked("tokenize", "shards/", "tokenize.json", "extension.json")
    trained = holdings.checked("train", "checkpoints/", "model/")
    origin = origin_of(holdings, recipe, base) if recipe["base"] else None
    batches = Curriculum(Shards.open(tokens), recipe)
    cut_off = first_steps(batches, recipe.get(WITHDRAWN, ()))
    return Course(
        recipe=recipe,
        batches=batches,
        begin=lambda: session_of(recipe, origin),
        kept={step_of(path): path for path in trained.glob("checkpoints/step-*.safetensors")},
        left=tuple(sorted(trained.glob("model/*.safetensors"))),
        cut_off={name: step for name, step in cut_off.items() if step is not None},
    )


def origin_of(holdings: Holdings, recipe: Recipe, folder: Path | None) -> Origin:
    """The base that training went on from. Raises IncompleteError if its folder is not given, or is another model."""
    if folder is None:
        advice = "give its folder with --base"
        raise IncompleteError(f"training began with the open model {recipe['base']}", remedy=advice)
    try:
        if (found := chain.weights_digest_of(folder)) != recipe["base"]:
            raise IncompleteError(f"holds the weights {found}, training began with {recipe['base']}", where=str(folder))
        base = BaseModel.inspect(folder)
    except InputError as error:
        raise IncompleteError(error.message, where=error.where, remedy=error.remedy) from None
    extension = json.loads((holdings.artifact("tokenize") / "extension.json").read_bytes())
    return Origin(
        base=base,
        weights={},
        freeze=tuple(recipe["frozen"]),
        pieces={int(number): parts for number, parts in extension["pieces"].items()},
        rows=extension["rows"],
        context=recipe["model"]["context"],
        report={},
    )
