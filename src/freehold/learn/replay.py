"""Replay: steps of a finished course taken again, and every line of its chain that they cross compared.

A replay begins with the newest kept checkpoint before the segment, or with the weights before the first step. On the
stack that trained, weights must be the same to the last bit. Another stack rounds differently, so there the replay
goes on to the next step whose weights are held, and compares how far apart both ended with the way they went.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import torch
from safetensors import safe_open
from torch import Tensor

from freehold.errors import GateError, IncompleteError
from freehold.learn.batches import Batches
from freehold.learn.checkpoint import Checkpoint
from freehold.learn.course import take_steps
from freehold.learn.diary import due, seen, shipped
from freehold.learn.loop import Taken
from freehold.learn.parallel import ALONE
from freehold.learn.phases import Recipe
from freehold.learn.session import Session
from freehold.proof.chain import Segment
from freehold.proof.replays import EQUAL, NEAR, TELLING, TOLERANCE, Outcome

SEEN = ("documents", "seed", "learning_rate", "withdrawn")  # of a line: what steps taken again must find too

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A stage's training as it can be taken again, all of it checked against the release's statements."""

    recipe: Recipe
    batches: Batches
    begin: Callable[[], Session]  # before the first step
    kept: Mapping[int, Path] = field(default_factory=dict)  # step → checkpoint
    left: tuple[Path, ...] = ()  # the weights after the last step, as they ship
    cut_off: Mapping[str, int] = field(default_factory=dict)  # withdrawn document → the first step that would use it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Steps taken in one go: from the state at `begin` to the weights at `end`, for the segments `numbers`."""

    begin: int
    end: int
    numbers: tuple[int, ...]


def stretches(
    segments: Sequence[Segment], wanted: Collection[int], *, kept: Collection[int], held: Collection[int] | None
) -> list[Stretch]:
    """What has to be computed for the segments `wanted` by number.

    `kept` are the steps to begin with; `held` those whose weights can be compared, None where digests will do. Raises
    IncompleteError for a segment after which no weights are held.
    """
    found: list[Stretch] = []
    for number in sorted(wanted):
        segment, last = segments[number], segments[number].last_step
        begin = max((step for step in kept if step < segment.first_step), default=0)
        end = last if held is None or not last else min((step for step in held if step >= last), default=-1)
        if end < 0:
            raise IncompleteError(f"no weights after step {last} are held to compare with")
        before = found[-1] if found else None
        if before and (begin < before.end or begin == before.begin):
            numbers = (*before.numbers, number)
            found[-1] = Stretch(begin=before.begin, end=max(before.end, end), numbers=numbers)
        else:
            found.append(Stretch(begin=begin, end=end, numbers=(number,)))
    return found


class Replay:
    """The segments of one stage against its course."""

    def __init__(self, course: Course, segments: Sequence[Segment], *, where: str, exact: bool) -> None:
        """`where` names the chain's file in messages; `exact`: this is the stack that trained.

        Raises GateError where recipe and chain are not of one run.
        """
        self.course, self.segments, self.where, self.exact = course, segments, where, exact
        self.ends = {segment.last_step: number for number, segment in enumerate(segments)}
        self.kept = {step: path for step, path in course.kept.items() if step in self.ends}
        if (last := segments[-1].last_step) != course.recipe["steps"]:
            self.refuse(last, f"ends at step {last}, its recipe has {course.recipe['steps']}")

    def plan(self, wanted: Collection[int]) -> list[Stretch]:
        """The stretches to compute. Raises IncompleteError where nothing is held to compare with."""
        held = None if self.exact else {*self.kept, self.course.recipe["steps"]}
        return stretches(self.segments, wanted, kept=self.kept, held=held)

    def outcomes(self, stretch: Stretch, *, after: Callable[[Taken], None]) -> tuple[list[Outcome], dict[int, str]]:
        """Compute a stretch again; what held of its segments, and why others cannot be told.

        Raises GateError at the first line that is not what the replay has.
        """
        apart = self.take(stretch, after=after)
        judged = {number: self.outcome(self.segments[number], stretch, apart) for number in stretch.numbers}
        missing = {number: found for number, found in judged.items() if isinstance(found, str)}
        return [found for found in judged.values() if isinstance(found, Outcome)], missing

    def outcome(self, segment: Segment, stretch: Stretch, apart: Mapping[int, float]) -> Outcome | str:
        """What held of a segment: at its end, or at the next step that was compared; or why that cannot be told."""
        last = segment.last_step
        far = next((apart[step] for step in apart if step >= last), None) if last else apart.get(0)
        if far is None:
            return "weights drawn on another stack differ in their last digits, and none are held"
        if not far <= TOLERANCE:
            return f"weights end {far:.2g} of their way apart, which rounding may do in more than {TELLING} steps"
        equal = apart.get(last) == 0
        return Outcome(
            stage=segment.stage,
            number=self.ends[last],
            first_step=segment.first_step,
            last_step=last,
            began=stretch.begin,
            result=EQUAL if equal else NEAR,
            distance=None if equal else far,
        )

    def take(self, stretch: Stretch, *, after: Callable[[Taken], None]) -> dict[int, float]:
        """Take the steps of a stretch: {step: how far the weights are apart there}, where that can be told."""
        session = self.begun(stretch.begin)
        before = {name: weight.clone() for name, weight in session.weights().items()}
        apart, documents = dict[int, float](), list[str]()
        if stretch.begin == 0 and 0 in self.ends:
            self.recount(0, documents, rate=0.0)
            apart = self.compared(0, session, before, steps=0)

        def cross(taken: Taken) -> None:
            documents.extend(taken.batch.documents)
            after(taken)
            if (step := taken.step + 1) in self.ends:
                self.course.batches.check()
                self.recount(step, documents, rate=self.course.recipe["rates"]["matrix"] * taken.rate)
                documents.clear()
                apart.update(self.compared(step, session, before, steps=step - stretch.begin))

        if stretch.end > stretch.begin:
            take_steps(
                session,
                batches=self.course.batches,
                recipe=self.course.recipe,
                first=stretch.begin,
                last=stretch.end,
                ranks=ALONE,
                after=cross,
                tell=lambda _: None,
            )
        return apart

    def begun(self, step: int) -> Session:
        """The session at a step that a replay begins with. Raises GateError if what was kept is not the chain's."""
        session = self.course.begin()
        if step:
            try:
                session.restore(Checkpoint.of(self.kept[step]))
            except (KeyError, RuntimeError) as error:
                self.refuse(step, f"training cannot go on from the checkpoint kept there: {error}")
            if (found := self.digest(session)) != self.line(step).checkpoint:
                self.refuse(step, f"checkpoint is {self.line(step).checkpoint}, the one kept there holds {found}")
        return session

    def recount(self, step: int, documents: Sequence[str], *, rate: float) -> None:
        """Raise GateError unless the line that ends at a step says what its batches and rates were."""
        gone = due(self.course.cut_off, step)
        facts = seen(self.course.recipe, documents=documents, rate=rate, withdrawn=gone)
        for name in SEEN:
            if (said := getattr(self.line(step), name)) != (value := facts.get(name)):
                self.refuse(step, f"{name} is {said}, the replay has {value}")

    def compared(self, step: int, session: Session, before: Weights, *, steps: int) -> dict[int, float]:
        """{step: how far the weights are from the chain's}, empty if that cannot be told. Raises GateError if too far.

        `before` are the weights at the beginning of the stretch, `steps` ago. Too far is what rounding cannot explain.
        """
        if (found := self.digest(session)) == self.line(step).checkpoint:
            return {step: 0.0}
        if self.exact:
            self.refuse(step, f"checkpoint is {self.line(step).checkpoint}, the replay ends with {found}")
        if (held := self.held(step)) is None:
            return {}
        far = distance(session.weights(), held, before=before)
        if not far <= TOLERANCE and steps <= TELLING:
            self.refuse(step, f"weights end {far:.2g} of their way from the checkpoint, at most {TOLERANCE:g}")
        return {step: far}

    def held(self, step: int) -> Weights | None:
        """The weights that the chain has at a step, where they are held; None elsewhere."""
        if step in self.kept:
            with torch.random.fork_rng(devices=[]):
                return self.begun(step).weights()
        return read_weights(self.course.left) if step and step == self.course.recipe["steps"] else None

    def line(self, step: int) -> Segment:
        """The segment that ends at a step."""
        return self.segments[self.ends[step]]

    def digest(self, session: Session) -> str:
        """The digest of a session's weights as they would ship."""
        return shipped(session, dtype=self.course.recipe["dtype"])

    def refuse(self, step: int, message: str) -> NoReturn:
        """Raise GateError about the segment that ends at a step."""
        number = self.ends[step]
        raise GateError(f"segment {self.line(step).stage}:{number}: {message}", where=f"{self.where}:{number + 1}")


def read_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """Every tensor of safetensors files in fp32."""
    found: dict[str, Tensor] = {}
    for path in files:
        with safe_open(path, framework="pt") as file:
            found |= {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    return found


def distance(mine: Weights, theirs: Weights, *, before: Weights) -> float:
    """L2 distance of two sets of weights as a share of the way from `before` to `theirs`; 0 is equal.

    >>> one = {"w": torch.tensor([1.0])}
    >>> distance({"w": torch.tensor([1.1])}, {"w": torch.tensor([2.0])}, before=one)
    0.9
    """
    apart = sum(float((mine[name] - theirs[name]).double().square().sum()) for name in mine)
    way = sum(float((theirs[name] - before[name]).double().square().sum()) for name in mine)
    return float(f"{(apart / way) ** 0.5:.3g}") if way else float(apart > 0)
