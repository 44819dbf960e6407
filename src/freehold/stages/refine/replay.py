"""The course of a finished refinement, made again from what its holder kept, for whoever replays segments of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from freehold.charter_tables import Policy
from freehold.errors import GateError, IncompleteError
from freehold.learn.phases import Recipe
from freehold.learn.replay import Course
from freehold.proof import chain
from freehold.proof.bundle import step_path
from freehold.stages.refine.instructions import gather
from freehold.stages.refine.lessons import Lessons
from freehold.stages.refine.recipe import Base, batches_of, lessons_of, replay, session_of
from freehold.stages.refine.run import gate_of
from freehold.store.holdings import Holdings


def recipe_of(holdings: Holdings) -> Recipe:
    """The recipe that the statement of refine names. Raises GateError if it goes on from other weights than train's."""
    base = Base.of(holdings.checked("train", "model/", "recipe.json"))
    folder = holdings.checked("refine", "recipe.json")
    recipe: Recipe = json.loads((folder / "recipe.json").read_bytes())
    if recipe["base"] != chain.weights_digest_of(base.model):
        raise GateError("its recipe goes on from other weights than train left", where=step_path("refine"))
    # Where nothing was taught the model went on as it was, and its recipe says no more.
    return recipe if recipe["steps"] else {**base.recipe, **recipe}


def course(holdings: Holdings, recipe: Recipe, *, base: Path | None) -> Course:
    """Refine as the recipe has it; the open model that training began with does not matter here.

    Raises IncompleteError where something is not held.
    """
    del base
    trained = Base.of(holdings.artifact("train"))
    tokens = holdings.checked("tokenize", "shards/", "tokenize.json")
    left = holdings.checked("refine", "model/")
    return Course(
        recipe=recipe,
        batches=taught(holdings, recipe, trained, tokens=tokens) if recipe["steps"] else replay(tokens, trained),
        begin=lambda: session_of(recipe, trained),
        left=tuple(sorted(left.glob("model/*.safetensors"))),
        cut_off=dict.fromkeys(trained.withdrawn, 0) if recipe["steps"] else {},
    )


def taught(holdings: Holdings, recipe: Recipe, base: Base, *, tokens: Path) -> Lessons:
    """The batches of instructions, gated as they were. Raises IncompleteError where the instructions are not held."""
    parameters = holdings.step("refine").parameters
    policy = policy_of(parameters["policy"])
    name: str = parameters["refine"]["instructions"]
    file = holdings.beside("refine", f"refine/{Path(name).name}", holdings.folder.parent / name)
    if recipe["instructions"] != holdings.step("refine").files[f"refine/{Path(name).name}"]:
        raise GateError("its recipe names other instructions than it read", where=step_path("refine"))
    curated = holdings.checked("curate", "held_out/", "ledger.parquet")
    instructions, _ = gather(file, gate_of(policy, curated=curated, model=base.model, withdrawn=base.withdrawn))
    return batches_of(recipe, base, lessons_of(base, instructions), tokens=tokens)


def policy_of(parameters: dict[str, Any]) -> Policy:
    """The policy of a statement. Raises IncompleteError where it wants code run that is not ours."""
    if parameters["names"] is not None:
        raise IncompleteError(f"names were found by {parameters['names']}, which is not run on a release's word")
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()
    }
    return Policy(**fields)
