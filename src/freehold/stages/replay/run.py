"""Replay: what `verify --replay` and `countersign` reach for where torch is installed.

The stages that train each know how to make their course again (`stages/STAGE/replay.py`); here the private artifacts
are found, the stack is compared, the cost is told, and the segments are computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from freehold.errors import GateError, IncompleteError, InputError
from freehold.learn import device
from freehold.learn.loop import Taken
from freehold.learn.phases import Recipe
from freehold.learn.replay import Course, Replay
from freehold.learn.session import use_threads
from freehold.plugins import part
from freehold.progress import Progress
from freehold.proof.bundle import step_path
from freehold.proof.chain import Segment
from freehold.proof.replays import Name, Replayed
from freehold.proof.statements import StageStatement
from freehold.stages.replay.stack import adapted, differences, here, there
from freehold.store.holdings import Holdings


def replay(
    *,
    steps: Mapping[str, StageStatement],
    segments: Sequence[Segment],
    chosen: Sequence[Name],
    chains: Mapping[str, str],
    holdings: Path,
    base: Path | None = None,
) -> Replayed:
    """Compute the chosen segments of a chain again.

    `steps` are the release's statements, `chains` the file of each stage's chain, `holdings` the workspace with the
    private artifacts, `base` the open model's folder where training began with one. Raises GateError at the first
    segment that does not hold; what cannot be told is in the result's `missing`.
    """
    held, whole = Holdings(folder=holdings, steps=steps), Replayed()
    for stage in dict.fromkeys(stage for stage, _ in chosen):
        own = [segment for segment in segments if segment.stage == stage]
        numbers = [number for name, number in chosen if name == stage]
        try:
            found = replay_stage(stage, held, own, numbers, where=chains[stage], base=base)
        except (IncompleteError, InputError) as error:  # of the holdings, or of this machine: no word on the release
            found = Replayed(missing={f"{stage}:{number}": str(error) for number in numbers})
        whole = Replayed(
            outcomes=(*whole.outcomes, *found.outcomes),
            missing={**whole.missing, **found.missing},
            stack={**found.stack, **whole.stack},
            differs=tuple(dict.fromkeys((*whole.differs, *found.differs))),
        )
    return whole


def replay_stage(
    stage: str, held: Holdings, segments: Sequence[Segment], numbers: Sequence[int], *, where: str, base: Path | None
) -> Replayed:
    """The segments of one stage, told and computed."""
    recipe, course = prepared(stage, held, base=base)
    stack = here(course.recipe)
    differs = differences(there(recipe, held.step(stage)), stack)
    run = Replay(course, segments, where=where, exact=not differs)
    stretches = run.plan(numbers)
    steps = sum(stretch.end - stretch.begin for stretch in stretches)
    progress = Progress()
    progress.note(told(stage, numbers, steps=steps, of=recipe["steps"], seconds=held.step(stage).seconds))
    outcomes, missing = [], dict[str, str]()
    with progress.task(f"replay {stage}", total=steps or None, unit="steps") as task:

        def after(taken: Taken) -> None:
            task.advance(loss=taken.loss)

        for stretch in stretches:
            found, untold = run.outcomes(stretch, after=after)
            outcomes += found
            missing |= {f"{stage}:{number}": reason for number, reason in untold.items()}
    return Replayed(outcomes=tuple(outcomes), missing=missing, stack=stack, differs=differs)


def prepared(stage: str, held: Holdings, *, base: Path | None) -> tuple[Recipe, Course]:
    """The recipe of a stage as it was, and its course as this machine follows it.

    Raises GateError for a recipe that is none, IncompleteError where something is not held.
    """
    entry = f"freehold.stages.{stage}.replay"
    try:
        recipe: Recipe = part(f"{entry}:recipe_of")(held)
        followed = adapted(recipe)
        device.settle(followed["device"])
        use_threads(followed["threads"])
        course: Course = part(f"{entry}:course")(held, followed, base=base)
    except (KeyError, TypeError, ValueError) as error:
        raise GateError(f"its recipe cannot be followed: {error!r}", where=step_path(stage)) from None
    return recipe, course


def told(stage: str, numbers: Sequence[int], *, steps: int, of: int, seconds: float) -> str:
    """What a replay will cost.

    >>> told("train", [0, 3], steps=20, of=100, seconds=50.0)
    'replay of train:0, train:3: 20 of 100 steps, about 10 s at the speed of the stack that trained'
    """
    names = ", ".join(f"{stage}:{number}" for number in numbers)
    cost = f", about {seconds * steps / of:.0f} s at the speed of the stack that trained" if steps and seconds else ""
    return f"replay of {names}: {steps:,} of {of:,} steps{cost}"
